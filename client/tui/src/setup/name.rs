//! Asks for the name that others will know the account by.

use super::{Go, Step};
use crate::plain::{Field, Sheet};
use aside_protocol::Name;
use crossterm::event::{KeyCode, KeyEvent};

/// Bytes that can be typed: more than a name may have, so that a long one is called too long instead of cut.
const MOST: usize = 64;

/// The step.
#[derive(Debug)]
pub(super) struct NameStep {
    field: Field,
    error: Option<String>,
    /// An interrupted registration goes on.
    again: bool,
}

impl NameStep {
    pub(super) fn new(name: Option<&Name>) -> Self {
        let mut field = Field::new(MOST);
        if let Some(name) = name {
            field.set(name.as_str());
        }
        Self { field, error: None, again: name.is_some() }
    }

    /// As typed.
    pub(super) fn text(&self) -> &str {
        self.field.text().trim()
    }

    /// The name, if it is one.
    pub(super) fn name(&self) -> Option<Name> {
        Name::new(self.text()).ok()
    }

    pub(super) fn blame(&mut self, why: String) {
        self.error = Some(why);
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Go {
        match key.code {
            KeyCode::Esc => return Go::To(Step::Invite),
            KeyCode::Enter => {
                self.error = complaint(self.text());
                if self.error.is_none() {
                    return Go::To(Step::Registering);
                }
            }
            _ if self.field.key(key) => self.error = None,
            _ => {}
        }
        Go::Stay
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.error = None;
        self.field.insert(text.trim());
    }

    pub(super) fn view<'a>(&'a self, sheet: &mut Sheet<'a>) {
        if self.again {
            sheet.text("A registration was interrupted. Enter goes on with it.");
            sheet.room();
        }
        sheet.text(
            "Others find you by it. 3 to 32 characters of a-z, 0-9, dot, underscore and hyphen; it cannot be changed.",
        );
        sheet.room();
        sheet.field(&self.field);
        sheet.room();
        match &self.error {
            Some(error) => sheet.error(error),
            None => sheet.text(&self.verdict()),
        }
    }

    /// What there is to say while it is being typed: too short is no mistake yet.
    fn verdict(&self) -> String {
        match (complaint(self.text()), self.text()) {
            (_, "") => String::new(),
            (None, name) => format!("You will be {name}, if nobody is yet."),
            (Some(why), _) => why,
        }
    }
}

/// What keeps a text from being a name.
fn complaint(text: &str) -> Option<String> {
    let error = Name::new(text).err()?;
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    let bad = text.chars().find(|c| !fine(*c));
    Some(match (bad, text) {
        (_, "") => "Type a name first.".to_owned(),
        (Some(' '), _) => "A name has no spaces.".to_owned(),
        (Some(c), _) if c.is_ascii_uppercase() => format!("Small letters only: {c} cannot be in a name."),
        (Some(c), _) => format!("{c} cannot be in a name."),
        (None, _) if text.starts_with(['.', '_', '-']) => "A name begins with a letter or a digit.".to_owned(),
        (None, _) if text.len() < 3 => "A name has at least 3 characters.".to_owned(),
        (None, _) if text.len() > 32 => "A name has at most 32 characters.".to_owned(),
        (None, _) => format!("{error}."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_fault_has_its_own_words() {
        for (text, said) in [
            ("ab", "at least 3"),
            ("Bob", "Small letters only: B"),
            ("bo b", "no spaces"),
            ("böb", "ö cannot"),
            ("-bob", "begins with"),
            (&"a".repeat(33), "at most 32"),
            ("", "first"),
        ] {
            let why = complaint(text);
            assert!(why.as_ref().is_some_and(|why| why.contains(said)), "{text}: {why:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_said_is_what_is_checked(text in "[-a-c._A]{0,5}|\\PC{0,40}") {
            prop_assert_eq!(complaint(&text).is_none(), Name::new(text).is_ok());
        }
    }
}
