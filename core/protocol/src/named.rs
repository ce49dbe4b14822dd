//! `named!`: an enum whose variants carry a number, a name and a sentence, told once and read by every language.

/// Makes an enum from rows `/// sentence` `Variant = number, "name";` with `ALL`, `number`, `name`, `doc`, `from_number`, `from_name`, and
/// `Display` that prints the bare name.
macro_rules! named {
    (
        $(#[doc = $enum_doc:literal])*
        pub enum $Enum:ident {
            $( $(#[doc = $doc:literal])+ $Variant:ident = $number:literal, $name:literal; )+
        }
    ) => {
        $(#[doc = $enum_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $Enum {
            $( $(#[doc = $doc])+ $Variant = $number, )+
        }

        impl $Enum {
            /// Every value, in the order of the table.
            pub const ALL: &'static [$Enum] = &[$($Enum::$Variant),+];
            /// Every name, in the order of the table.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The number by which C and the other languages know it; never reused.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// Its name, the same in every language.
            pub const fn name(self) -> &'static str {
                match self {
                    $( $Enum::$Variant => $name, )+
                }
            }

            /// What it means, as printed in generated documentation.
            pub const fn doc(self) -> &'static str {
                match self {
                    $( $Enum::$Variant => concat!($($doc),+).trim_ascii(), )+
                }
            }

            /// The value with this number.
            pub const fn from_number(number: u8) -> Option<$Enum> {
                match number {
                    $( $number => Some($Enum::$Variant), )+
                    _ => None,
                }
            }

            /// The value with this name.
            pub fn from_name(name: &str) -> Option<$Enum> {
                match name {
                    $( $name => Some($Enum::$Variant), )+
                    _ => None,
                }
            }
        }

        impl core::fmt::Display for $Enum {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

pub(crate) use named;
