//! THE LIST of views. To add one: a folder with the same files as the others, and a line here.

use crate::{
    case_file::CaseFiles, case_list::CaseList, deadlines::Deadlines, processes::Processes, statistics::Statistics,
    timeline::Timeline, view::View, worklist::Worklist,
};

/// The views of the house.
pub fn all() -> Vec<Box<dyn View>> {
    vec![
        Box::new(CaseList),
        Box::new(CaseFiles),
        Box::new(Timeline),
        Box::new(Worklist),
        Box::new(Deadlines),
        Box::new(Processes),
        Box::new(Statistics),
    ]
}
