//! Account names as the relay's directory knows them (rule `ACC-2`).

use crate::AccountId;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// 3 to 32 characters of `a–z 0–9 . _ -`, beginning with a letter or digit.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Name(String);

/// Why a text is not a [`Name`]; shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 3 to 32 characters of a-z, 0-9, dot, underscore and hyphen, and begins with a letter or a digit")]
pub struct InvalidName;

impl Name {
    /// Checks and wraps a name.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
        let first = text.as_bytes().first().copied().unwrap_or(b'-');
        let valid = (3..=32).contains(&text.len())
            && text.bytes().all(allowed)
            && (first.is_ascii_lowercase() || first.is_ascii_digit());
        if valid { Ok(Self(text)) } else { Err(InvalidName) }
    }

    /// What an account is called here while its name is not known. No relay can give such a name, and it never travels.
    pub fn placeholder(account: &AccountId) -> Self {
        Self(format!("?{}", account.to_hex().get(..8).unwrap_or_default()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Name {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
