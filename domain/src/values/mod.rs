//! The things that the bureau writes down, each with its own check.
//!
//! A value is made by `parse` from what somebody wrote: full-width digits and letters, spaces and case are put right,
//! and what does not fit is refused with the place and what to do. A value read from the store is trusted: what an old
//! event holds stays readable after a check has become stricter. So an accessor answers `None` for a stored value that
//! would not pass today.

mod area;
mod certificate_no;
mod checksum;
mod coordinates;
mod decimal;
mod elicence_id;
mod error;
mod length;
mod money;
mod number_template;
mod parcel_code;
mod permit_no;
mod phone;
mod plate;
mod project_code;
#[cfg(test)]
mod properties;
mod real_estate_unit_code;
mod region;
mod resident_id;
mod text;
mod uscc;

pub use area::Area;
pub use certificate_no::{CertificateKind, CertificateNo};
pub use coordinates::Coordinates;
pub use elicence_id::ELicenceId;
pub use error::{Problem, ValueError, Wording};
pub use length::Length;
pub use money::Money;
pub use number_template::NumberTemplate;
pub use parcel_code::{LandOwnership, ParcelCode};
pub use permit_no::{LegacyPermitNo, PermitNo, Specialty};
pub use phone::Phone;
pub use plate::PlateNo;
pub use project_code::{ProjectCode, ProjectCodeRule};
pub use real_estate_unit_code::{Fixture, RealEstateUnitCode, TemporaryUnitCode};
pub use region::{Region, RegionLevel};
pub use resident_id::{ResidentId, Sex};
pub use uscc::Uscc;

/// What every value that is kept as text can do.
macro_rules! text_value {
    ($($value:ident),+) => {$(
        impl $value {
            /// The value as it is written and stored.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $value {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
    )+};
}
text_value!(
    CertificateNo,
    ELicenceId,
    LegacyPermitNo,
    ParcelCode,
    PermitNo,
    Phone,
    PlateNo
);
text_value!(
    ProjectCode,
    RealEstateUnitCode,
    Region,
    ResidentId,
    Specialty,
    TemporaryUnitCode,
    Uscc
);

/// `"…".parse::<Uscc>()` is `Uscc::parse("…")`.
macro_rules! from_str {
    ($($value:ident),+) => {$(
        impl std::str::FromStr for $value {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, ValueError> {
                Self::parse(text)
            }
        }
    )+};
}
from_str!(
    Area,
    CertificateNo,
    Coordinates,
    ELicenceId,
    LegacyPermitNo,
    Length,
    NumberTemplate,
    ParcelCode,
    PermitNo,
    Phone
);
from_str!(
    PlateNo,
    ProjectCode,
    RealEstateUnitCode,
    Region,
    ResidentId,
    Specialty,
    TemporaryUnitCode,
    Uscc
);
