//! What this is, and where to: asks for an invite link, or the code of another device.

use super::{Go, Step};
use crate::plain::{Field, Sheet};
use aside_protocol::invite::{Invite, PREFIX};
use aside_protocol::linking::{self, LinkCode};
use crossterm::event::{KeyCode, KeyEvent};

/// Bytes of the longest link that is taken: more than the longest addresses need.
const MOST: usize = 8 << 10;

/// The step.
#[derive(Debug)]
pub(super) struct InviteStep {
    field: Field,
    error: Option<String>,
}

impl InviteStep {
    pub(super) fn new(invite: Option<&Invite>) -> Self {
        let mut field = Field::new(MOST);
        if let Some(invite) = invite {
            field.set(&invite.to_link());
        }
        Self { field, error: None }
    }

    /// The invite, if the link is one.
    pub(super) fn invite(&self) -> Option<Invite> {
        Invite::from_link(self.field.text()).ok()
    }

    /// The code of another device, if that is what was given.
    pub(super) fn code(&self) -> Option<LinkCode> {
        LinkCode::from_link(self.field.text()).ok()
    }

    pub(super) fn blame(&mut self, why: String) {
        self.error = Some(why);
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Go {
        if key.code != KeyCode::Enter {
            if self.field.key(key) {
                self.error = None;
            }
            return Go::Stay;
        }
        if self.field.text().trim().starts_with(linking::PREFIX) {
            return match LinkCode::from_link(self.field.text()) {
                Ok(_) => Go::To(Step::Linking),
                Err(error) => {
                    self.error = Some(format!("This cannot be used: {error}."));
                    Go::Stay
                }
            };
        }
        match Invite::from_link(self.field.text()) {
            Ok(_) => {
                self.error = None;
                return Go::To(Step::Name);
            }
            Err(_) if self.field.text().trim().is_empty() => {
                self.error = Some("Paste the link here; you need one to register.".to_owned());
            }
            Err(error) => self.error = Some(format!("This cannot be used: {error}.")),
        }
        Go::Stay
    }

    /// A link may come with the words around it, and broken over lines; whole, it takes the place of what is there.
    pub(super) fn paste(&mut self, text: &str) {
        self.error = None;
        let found = [PREFIX, linking::PREFIX].into_iter().find_map(|prefix| text.get(text.find(prefix)?..));
        let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).take(MOST).collect::<String>();
        match found {
            Some(link) => self.field.set(&squeezed(link)),
            None => self.field.insert(&squeezed(text)),
        }
    }

    pub(super) fn view<'a>(&'a self, sheet: &mut Sheet<'a>) {
        sheet.text(
            "End-to-end encrypted chat: only you and those you write to can read it. \
             A relay, which anyone can host, carries it.",
        );
        sheet.room();
        sheet.text("Paste an invite link. Who hosts a relay makes one with: aside-relay invite");
        sheet.text("If you use aside on another machine, paste its code instead: Alt-L and then a shows it there.");
        sheet.room();
        sheet.field(&self.field);
        sheet.room();
        if let Some(error) = &self.error {
            sheet.error(error);
        } else if let Some(invite) = self.invite() {
            sheet.text(&format!("The relay is at {}.", invite.addresses.join(", ")));
        } else if let Some(code) = self.code() {
            sheet.text(&format!("The code of another device; the relay is at {}.", code.addresses.join(", ")));
        }
    }
}
