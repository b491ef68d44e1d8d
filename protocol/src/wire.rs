//! How enums travel: a two-element array `[code, payload]` (rule `COD-3`). May touch nothing but serde.
//!
//! Codes are numbers, so that a peer that does not know one can still skip the payload and say which it was.

/// Declares an enum whose variants carry one payload each and travel as `[code, payload]`.
///
/// An unknown code decodes to `Unknown(code)`; its payload is skipped, within the nesting bound of the codec.
#[macro_export]
macro_rules! wire_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $code:literal = $variant:ident($payload:ty),)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vmeta])* $variant($payload),)*
            /// A code this version does not know. Never sent.
            Unknown(u64),
        }

        impl $name {
            /// The number that names this variant on the wire.
            pub fn code(&self) -> u64 {
                match self {
                    $(Self::$variant(_) => $code,)*
                    Self::Unknown(code) => *code,
                }
            }

            /// The variant's name, for logs.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($variant),)*
                    Self::Unknown(_) => "Unknown",
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(payload) => serde::Serialize::serialize(&($code as u64, payload), serializer),)*
                    Self::Unknown(code) => serde::Serialize::serialize(&(*code, ()), serializer),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Coded;
                impl<'de> serde::de::Visitor<'de> for Coded {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                        f.write_str(concat!("[code, payload] of ", stringify!($name)))
                    }
                    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<$name, A::Error> {
                        use serde::de::Error;
                        let code: u64 = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
                        let value = match code {
                            $($code => $name::$variant(
                                seq.next_element::<$payload>()?.ok_or_else(|| A::Error::invalid_length(1, &self))?,
                            ),)*
                            other => $name::Unknown(other),
                        };
                        while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                        Ok(value)
                    }
                }
                deserializer.deserialize_seq(Coded)
            }
        }
    };
}

/// Declares an enum without payloads that travels as a number; unknown numbers are kept as `Other`.
#[macro_export]
macro_rules! wire_code {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $code:literal = $variant:ident,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vmeta])* $variant,)*
            /// A code this version does not know.
            Other(u64),
        }

        impl $name {
            /// The number that stands for this value on the wire and in databases.
            pub fn code(self) -> u64 {
                match self { $(Self::$variant => $code,)* Self::Other(code) => code }
            }

            /// The value a number stands for.
            pub fn from_code(code: u64) -> Self {
                match code { $($code => Self::$variant,)* other => Self::Other(other) }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u64(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::from_code(u64::deserialize(deserializer)?))
            }
        }
    };
}
