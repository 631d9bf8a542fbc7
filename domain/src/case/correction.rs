//! 数据更正: what of a case may be read differently. Its past stays as it was written.

use serde_json::Value;

use super::{Kernel, Party, Rejection};

impl Kernel {
    /// What stands at a path now: a JSON pointer below `/form` or `/applicant`.
    pub(super) fn as_read(&self, path: &str) -> Result<Value, Rejection> {
        let nothing = || Rejection::NothingThere {
            what: format!("{path} (only /form/… and /applicant/… can be corrected)"),
        };
        match split(path) {
            Some((Part::Form, pointer)) => self.form.read().pointer(pointer).cloned().ok_or_else(nothing),
            Some((Part::Applicant, pointer)) => {
                let applicant = self
                    .applicant
                    .as_ref()
                    .and_then(|applicant| serde_json::to_value(applicant).ok());
                applicant
                    .and_then(|applicant| applicant.pointer(pointer).cloned())
                    .ok_or_else(nothing)
            }
            None => Err(nothing()),
        }
    }

    /// Reads something differently from now on. What does not fit its place leaves everything as it is.
    pub(super) fn read_differently(&mut self, path: &str, new: &Value) {
        match split(path) {
            Some((Part::Form, pointer)) => {
                let mut form = self.form.read();
                if let Some(place) = form.pointer_mut(pointer) {
                    *place = new.clone();
                    self.form = (&form).into();
                }
            }
            Some((Part::Applicant, pointer)) => {
                let Some(Ok(mut applicant)) = self.applicant.as_ref().map(serde_json::to_value) else {
                    return;
                };
                if let Some(place) = applicant.pointer_mut(pointer) {
                    *place = new.clone();
                }
                if let Ok(applicant) = serde_json::from_value::<Party>(applicant) {
                    self.applicant = Some(applicant);
                }
            }
            None => {}
        }
    }
}

enum Part {
    Form,
    Applicant,
}

fn split(path: &str) -> Option<(Part, &str)> {
    let below = |prefix| path.strip_prefix(prefix).filter(|pointer: &&str| pointer.starts_with('/'));
    let form = below("/form").map(|pointer| (Part::Form, pointer));
    form.or_else(|| below("/applicant").map(|pointer| (Part::Applicant, pointer)))
}
