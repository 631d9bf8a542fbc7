//! The calendar that the program carries: `data/calendar/cn-2026.json`.

use std::{collections::BTreeMap, sync::LazyLock};

use chrono::NaiveDate;
use serde::Deserialize;

use super::days::{Calendar, CalendarYear, Edition, FixedHoliday};

/// Parsed once; every caller gets a cheap copy.
pub(super) static EMBEDDED: LazyLock<Calendar> = LazyLock::new(|| match serde_json::from_str::<File>(JSON) {
    Ok(file) => file.into_calendar(),
    // The data are compiled in and tested: this is a program that was never tested.
    Err(cause) => panic!("the calendar in the program cannot be read: {cause}"),
});

const JSON: &str = include_str!("../../data/calendar/cn-2026.json");

#[derive(Deserialize)]
struct File {
    edition: Edition,
    /// `MM-DD`, for years that nobody has published: the statutory days with a fixed date (全国年节及纪念日放假办法, 2024).
    fixed_holidays: Vec<String>,
    years: Vec<Year>,
}

#[derive(Deserialize)]
struct Year {
    #[serde(rename = "year")]
    number: i32,
    doc_no: String,
    holidays: BTreeMap<NaiveDate, String>,
    workdays: BTreeMap<NaiveDate, String>,
}

impl File {
    fn into_calendar(self) -> Calendar {
        let fixed = self
            .fixed_holidays
            .iter()
            .filter_map(|text| FixedHoliday::parse(text))
            .collect();
        let names = self.years.iter().flat_map(|year| year.holidays.iter().chain(&year.workdays));
        let names = names.map(|(on, name)| (*on, name.clone())).collect();
        let years = self.years.into_iter().map(|year| CalendarYear {
            year: year.number,
            holidays: year.holidays.into_keys().collect(),
            workdays: year.workdays.into_keys().collect(),
            doc_no: year.doc_no,
        });
        Calendar::new(self.edition, years.map(|year| (year.year, year)).collect(), fixed, names)
    }
}
