//! The first run: invite, name, recovery words, three of them typed back. Pure; the words are wiped when dropped.

use aside_protocol::Name;
use aside_protocol::invite::Invite;
use zeroize::Zeroizing;

/// What the first run wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Register; answered by [`Heard::Registered`] or [`Heard::Failed`].
    Register {
        /// The relay's invite.
        invite: Invite,
        /// The name wanted.
        name: Name,
    },
    /// The words were seen, or skipped on purpose: remove their file and open the profile.
    Begin,
}

/// What came of it.
#[derive(Clone)]
pub enum Heard {
    /// Registered; these are the 24 words, which three of are to be asked for: which ones is drawn outside.
    Registered {
        /// The words, separated by spaces.
        words: Zeroizing<String>,
        /// Which three are asked for, 0 to 23, rising.
        asked: [usize; 3],
    },
    /// Not registered: what happened and what to do, and whether the invite is to blame rather than name or network.
    Failed {
        /// A sentence.
        why: String,
        /// Which step the user should return to.
        at: At,
    },
}

/// A step that an error leads back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The invite is wrong, used up or out of date.
    Invite,
    /// The name is taken.
    Name,
    /// Neither: the same again may work.
    Again,
}

impl std::fmt::Debug for Heard {
    /// Never the words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Registered { asked, .. } => {
                f.debug_struct("Registered").field("asked", asked).finish_non_exhaustive()
            }
            Self::Failed { why, at } => f.debug_struct("Failed").field("why", why).field("at", at).finish(),
        }
    }
}
#[derive(Debug)]
pub struct Setup;
impl Setup {
    pub fn key(&mut self, _: &crossterm::event::KeyEvent) -> Vec<crate::Cmd> {
        vec![]
    }
    pub fn paste(&mut self, _: &str) {}
    pub fn heard(&mut self, _: Heard) {}
    pub fn view(&self, _f: &mut ratatui::Frame, _a: ratatui::layout::Rect) {}
}
