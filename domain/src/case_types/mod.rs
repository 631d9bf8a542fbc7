//! THE LIST of case types. To add one: a folder with the same files as the others, and a line here.

pub mod construction_permit;

use std::{collections::HashSet, sync::LazyLock};

use decider::stored;
use strum::VariantNames;

use crate::{
    case::{self, Case, CaseEvent, CaseState, CaseType, EmbeddedModel, Event as KernelEvent, NumberWanted, Stage, Told},
    registers::Entry,
    rules::ItemDefinition,
};

/// Something that is done the same way with every case type, when only the category is known.
pub trait CaseTypeTask {
    /// What comes of it.
    type Output;

    /// Does it with this type.
    fn run<T: CaseType>(self) -> Self::Output;
}

/// Writes out the list: an enum over all types, and what can be done with any of them.
macro_rules! case_types {
    ($($Name:ident($Type:ty)),+ $(,)?) => {
        /// A case of any type, folded from its stream.
        #[derive(Debug, Clone)]
        pub enum AnyCase {
            $(
                #[doc = concat!("A case of the type ", stringify!($Name), ".")]
                $Name(Box<CaseState<$Type>>),
            )+
        }

        /// The stream categories of all case types.
        pub const CATEGORIES: &[&str] = &[$(<$Type as CaseType>::CATEGORY),+];

        /// The names of all case types, as categories, in Chinese and in English.
        pub const NAMES: &[(&str, &str, &str)] =
            &[$((<$Type as CaseType>::CATEGORY, <$Type as CaseType>::NAME_ZH, <$Type as CaseType>::NAME_EN)),+];

        /// The item definitions that the program carries.
        pub fn embedded_items() -> Vec<ItemDefinition> {
            let mut items = Vec::new();
            $(items.extend(<$Type as CaseType>::embedded_items());)+
            items
        }

        /// The models that the program carries.
        pub fn embedded_models() -> Vec<EmbeddedModel> {
            let mut models = Vec::new();
            $(models.extend_from_slice(<$Type as CaseType>::models());)+
            models
        }

        /// Does a task with the type that a category names; none, if the category is no case type.
        pub fn with_type<K: CaseTypeTask>(category: &str, task: K) -> Option<K::Output> {
            match category {
                $(<$Type as CaseType>::CATEGORY => Some(task.run::<$Type>()),)+
                _ => None,
            }
        }

        impl AnyCase {
            /// A case of this category before anything happened; none, if the category is no case type.
            pub fn of(category: &str) -> Option<Self> {
                match category {
                    $(<$Type as CaseType>::CATEGORY => Some(Self::$Name(Box::default())),)+
                    _ => None,
                }
            }

            /// Where the case stands.
            pub fn stage(&self) -> Stage {
                self.kernel().stage
            }

            /// The numbers that a stored event of this case wants. The case has the event in it.
            pub fn numbers_wanted(&self, name: &str, data: &[u8]) -> Result<Vec<NumberWanted>, stored::StoredError> {
                match self {
                    $(Self::$Name(state) => {
                        let event = CaseEvent::<$Type>::read(name, data)?;
                        let of_kernel = match &event {
                            CaseEvent::Kernel(event) => case::numbers_wanted(&state.kernel, event),
                            CaseEvent::Own(_) => None,
                        };
                        Ok(of_kernel.into_iter().chain(<$Type as CaseType>::numbers_wanted(state, &event)).collect())
                    })+
                }
            }

            /// What a stored event of this case writes into registers. The case has the event in it.
            pub fn entries(&self, case_id: &str, name: &str, data: &[u8]) -> Result<Vec<Entry>, stored::StoredError> {
                match self {
                    $(Self::$Name(state) => Ok(<$Type as CaseType>::entries(state, case_id, &CaseEvent::<$Type>::read(name, data)?)),)+
                }
            }

            /// Reads a stored event and folds it in.
            pub fn apply(&mut self, name: &str, data: &[u8]) -> Result<(), stored::StoredError> {
                match self {
                    $(Self::$Name(state) => Case::<$Type>::evolve_taking(state, CaseEvent::<$Type>::read(name, data)?),)+
                }
                Ok(())
            }

            /// Reads a stored event once, folds it in, and tells about it in one line in Chinese and one in English.
            pub fn apply_and_say(&mut self, name: &str, data: &[u8]) -> Result<(String, String), stored::StoredError> {
                match self {
                    $(Self::$Name(state) => {
                        let event = CaseEvent::<$Type>::read(name, data)?;
                        <Case<$Type> as decider::Decider>::evolve(state, &event);
                        Ok(match event {
                            CaseEvent::Kernel(event) => event.say(),
                            CaseEvent::Own(event) => <$Type as CaseType>::say(&event),
                        })
                    })+
                }
            }

            /// One line in Chinese and one in English about a stored event of this case.
            pub fn say(&self, name: &str, data: &[u8]) -> Result<(String, String), stored::StoredError> {
                match self {
                    $(Self::$Name(_) => Ok(match CaseEvent::<$Type>::read(name, data)? {
                        CaseEvent::Kernel(event) => event.say(),
                        CaseEvent::Own(event) => <$Type as CaseType>::say(&event),
                    }),)+
                }
            }
        }

        impl std::ops::Deref for AnyCase {
            type Target = dyn Told;

            fn deref(&self) -> &Self::Target {
                match self {
                    $(Self::$Name(state) => state.as_ref(),)+
                }
            }
        }
    };
}

case_types! {
    ConstructionPermit(construction_permit::ConstructionPermit),
}

impl<T: CaseType> CaseEvent<T> {
    /// Reads a stored event of this case type: the kernel's names first, then the type's own.
    pub fn read(name: &str, data: &[u8]) -> Result<Self, stored::StoredError> {
        if is_kernel_event(name) {
            return stored::decode(name, data).map(Self::Kernel);
        }
        T::read_own(name, data).map(Self::Own)
    }

    /// The stored form.
    pub fn write(&self) -> Result<(String, Vec<u8>), stored::StoredError> {
        match self {
            Self::Kernel(event) => stored::encode(event),
            Self::Own(event) => stored::encode(event),
        }
    }
}

/// Whether a stored name is one of the kernel's.
pub fn is_kernel_event(name: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| KernelEvent::VARIANTS.iter().copied().collect());
    NAMES.contains(name)
}
