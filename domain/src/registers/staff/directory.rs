//! Asking who it is: the answers that candidate rules need.

use std::{collections::BTreeSet, sync::Arc};

use chrono::NaiveDate;

use super::{MAX_LEVELS, Member, Staff};

/// The staff as it is now. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory(Arc<Staff>);

impl From<Staff> for Directory {
    fn from(staff: Staff) -> Self {
        Self(Arc::new(staff))
    }
}

impl Directory {
    /// Everybody.
    pub fn staff(&self) -> &Staff {
        &self.0
    }

    /// Somebody by their account.
    pub fn member(&self, id: &str) -> Option<&Member> {
        self.0.members.get(id)
    }

    /// Everybody who has this role.
    pub fn of_role(&self, role: &str) -> Vec<&Member> {
        self.whoever(|member| member.roles.iter().any(|one| one == role))
    }

    /// Everybody who has this post.
    pub fn of_post(&self, post: &str) -> Vec<&Member> {
        self.whoever(|member| member.posts.iter().any(|one| one == post))
    }

    /// Everybody of this group.
    pub fn of_group(&self, group: &str) -> Vec<&Member> {
        self.whoever(|member| member.groups.iter().any(|one| one == group))
    }

    /// Everybody who works in this department or in one below it.
    pub fn of_department(&self, code: &str) -> Vec<&Member> {
        let mut codes = BTreeSet::from([code]);
        for _ in 0..MAX_LEVELS {
            let below = self.0.departments.values().filter(|department| {
                department.parent.as_deref().is_some_and(|parent| codes.contains(parent))
                    && !codes.contains(department.code.as_str())
            });
            let below: Vec<&str> = below.map(|department| department.code.as_str()).collect();
            if below.is_empty() {
                break;
            }
            codes.extend(below);
        }
        self.whoever(|member| codes.contains(member.department.as_str()))
    }

    /// Who leads this department.
    pub fn leader_of(&self, code: &str) -> Option<&Member> {
        self.member(self.0.departments.get(code)?.leader.as_deref()?)
    }

    /// Who leads this department, and those above it, from below: at most so many levels.
    pub fn leaders_above(&self, code: &str, levels: usize) -> Vec<&Member> {
        let mut leaders: Vec<&Member> = Vec::new();
        let mut at = self.0.departments.get(code);
        for _ in 0..levels.min(MAX_LEVELS) {
            let Some(department) = at else { break };
            if let Some(leader) = department.leader.as_deref().and_then(|id| self.member(id))
                && !leaders.contains(&leader)
            {
                leaders.push(leader);
            }
            at = department.parent.as_ref().and_then(|parent| self.0.departments.get(parent));
        }
        leaders
    }

    /// Who decides for somebody on a day; none: they do themselves. A substitute who is away themselves is not passed on to.
    pub fn substitute_of(&self, id: &str, on: NaiveDate) -> Option<&Member> {
        let substitution = self.0.substitutions.get(id)?;
        if on < substitution.from || on > substitution.until {
            return None;
        }
        self.member(&substitution.substitute)
    }

    fn whoever(&self, is_meant: impl Fn(&Member) -> bool) -> Vec<&Member> {
        self.0.members.values().filter(|member| is_meant(member)).collect()
    }
}
