//! The first run: invite, name, recovery words, three of them typed back; or the code of another device, which lets this
//! one in. Pure; the words are wiped when dropped.
//!
//! One file a step. Each keeps what was typed in it, so going back and forth loses nothing.

mod check;
mod invite;
mod link;
mod name;
mod words;

use crate::Cmd;
use crate::plain::{Hint, Plain};
use aside_protocol::Name;
use aside_protocol::invite::Invite;
use aside_protocol::linking::LinkCode;
use check::CheckStep;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use invite::InviteStep;
use link::LinkStep;
use name::NameStep;
use ratatui::Frame;
use ratatui::layout::Rect;
use words::WordsStep;
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
    /// Become a device of an account; answered by [`Heard::Met`] and [`Heard::Agreed`], then the profile opens, or by
    /// [`Heard::Failed`].
    Link(LinkCode),
    /// The words were seen, or skipped on purpose: remove their file and open the profile.
    Begin,
}

/// A registration that was begun and not finished: the same invite and name complete it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The invite it was begun with.
    pub invite: Invite,
    /// The name it was begun with.
    pub name: Name,
}

/// What came of it.
#[derive(Clone)]
pub enum Heard {
    /// Nobody is registered in this profile: the first run begins.
    Needed(Option<Begun>),
    /// Registered; these are the 24 words, which three of are to be asked for: which ones is drawn outside.
    Registered {
        /// The words, separated by spaces.
        words: Zeroizing<String>,
        /// Which three are asked for, 0 to 23, rising.
        asked: [usize; 3],
    },
    /// The other device has answered; its user is asked now.
    Met {
        /// Whose account it is.
        name: String,
        /// What the other device is called.
        machine: String,
        /// This device's fingerprint, which the other one shows too.
        fingerprint: String,
    },
    /// The other device's user has agreed.
    Agreed,
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
            Self::Needed(begun) => f.debug_tuple("Needed").field(begun).finish(),
            Self::Registered { asked, .. } => {
                f.debug_struct("Registered").field("asked", asked).finish_non_exhaustive()
            }
            Self::Met { machine, .. } => f.debug_struct("Met").field("machine", machine).finish_non_exhaustive(),
            Self::Agreed => f.write_str("Agreed"),
            Self::Failed { why, at } => f.debug_struct("Failed").field("why", why).field("at", at).finish(),
        }
    }
}

/// Where the user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Invite,
    Name,
    /// Waits for [`Heard`].
    Registering,
    /// Waits for another device, and for [`Heard`].
    Linking,
    Words,
    Check,
    /// Waits for the profile to open.
    Opening,
}

/// What a key led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Go {
    /// Nowhere.
    Stay,
    /// To another step.
    To(Step),
}

/// The first run.
#[derive(Debug)]
pub struct Setup {
    step: Step,
    invite: InviteStep,
    name: NameStep,
    link: LinkStep,
    words: WordsStep,
    check: CheckStep,
    /// Ctrl-C was pressed, and nothing else since.
    leaving: bool,
}

impl Setup {
    /// From the beginning, or where an interrupted registration goes on.
    pub fn new(begun: Option<Begun>) -> Self {
        Self {
            step: if begun.is_some() { Step::Name } else { Step::Invite },
            invite: InviteStep::new(begun.as_ref().map(|begun| &begun.invite)),
            name: NameStep::new(begun.as_ref().map(|begun| &begun.name)),
            link: LinkStep::default(),
            words: WordsStep::default(),
            check: CheckStep::default(),
            leaving: false,
        }
    }

    /// From what the start of the program found.
    pub fn begin(heard: Heard) -> Self {
        let mut setup = Self::new(None);
        setup.heard(heard);
        setup
    }

    /// A key was pressed.
    pub fn key(&mut self, key: KeyEvent) -> Vec<Cmd> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            match key.code {
                KeyCode::Char('c') if self.leaving => return vec![Cmd::Quit],
                KeyCode::Char('c') => {
                    self.leaving = true;
                    return Vec::new();
                }
                KeyCode::Char('z') => return vec![Cmd::Suspend],
                _ => {}
            }
        }
        self.leaving = false;
        let go = match self.step {
            Step::Invite => self.invite.key(key),
            Step::Name => self.name.key(key),
            Step::Words => self.words.key(key),
            Step::Check => self.check.key(key, &self.words),
            Step::Registering | Step::Linking | Step::Opening => Go::Stay,
        };
        match go {
            Go::Stay => Vec::new(),
            Go::To(step) => self.go(step),
        }
    }

    fn go(&mut self, step: Step) -> Vec<Cmd> {
        let step = match step {
            Step::Linking => match self.invite.code() {
                Some(code) => {
                    (self.step, self.link) = (step, LinkStep::default());
                    return vec![Cmd::Setup(Ask::Link(code))];
                }
                None => Step::Invite,
            },
            // Both were checked when their steps were left; whatever is not there is asked for again.
            Step::Registering => match (self.invite.invite(), self.name.name()) {
                (Some(invite), Some(name)) => {
                    self.step = step;
                    return vec![Cmd::Setup(Ask::Register { invite, name })];
                }
                (None, _) => Step::Invite,
                (_, None) => Step::Name,
            },
            step => step,
        };
        self.step = step;
        if step == Step::Opening { vec![Cmd::Setup(Ask::Begin)] } else { Vec::new() }
    }

    /// Text was pasted: it goes where typed text goes, and confirms nothing.
    pub fn paste(&mut self, text: &str) {
        self.leaving = false;
        match self.step {
            Step::Invite => self.invite.paste(text),
            Step::Name => self.name.paste(text),
            Step::Check => self.check.paste(text),
            Step::Registering | Step::Linking | Step::Words | Step::Opening => {}
        }
    }

    /// Something came of what was asked, or the start of the program found something.
    pub fn heard(&mut self, heard: Heard) {
        match heard {
            Heard::Needed(begun) => *self = Self::new(begun),
            Heard::Registered { words, asked } => {
                self.words = WordsStep::new(words);
                self.check = CheckStep::new(asked);
                self.step = Step::Words;
            }
            Heard::Met { name, machine, fingerprint } => self.link.met(name, machine, fingerprint),
            Heard::Agreed => self.link.agreed(),
            Heard::Failed { why, at } => self.failed(why, at),
        }
    }

    fn failed(&mut self, why: String, at: At) {
        match (self.step, at) {
            (Step::Words | Step::Check | Step::Opening, _) => {
                self.words.blame(why);
                self.step = Step::Words;
            }
            (Step::Linking, _) | (_, At::Invite) => {
                self.invite.blame(why);
                self.step = Step::Invite;
            }
            (_, At::Name | At::Again) => {
                self.name.blame(why);
                self.step = Step::Name;
            }
        }
    }

    /// Draws the step.
    pub fn view(&self, frame: &mut Frame, area: Rect) {
        let plain = Plain { title: self.title(), hints: self.hints(), notice: self.notice(), from: self.words.from() };
        plain.draw(frame, area, |sheet| match self.step {
            Step::Invite => self.invite.view(sheet),
            Step::Name => self.name.view(sheet),
            Step::Registering => {
                let name = self.name.text();
                sheet.text(&format!("Making your keys, and telling the relay that they belong to the name {name}."));
                sheet.room();
                sheet.text("This takes some seconds where the network is slow.");
            }
            Step::Linking => self.link.view(sheet),
            Step::Words => self.words.view(sheet),
            Step::Check => self.check.view(sheet),
            Step::Opening => sheet.text("Opening your chats."),
        });
    }

    fn title(&self) -> &'static str {
        match self.step {
            Step::Invite => "Welcome to aside",
            Step::Name => "Your name",
            Step::Registering => "Registering …",
            Step::Linking => "Linking this device …",
            Step::Words => "Your 24 recovery words",
            Step::Check => "Did you write them down?",
            Step::Opening => "Done",
        }
    }

    fn hints(&self) -> &'static [Hint] {
        match self.step {
            Step::Invite => &[("Enter", "go on"), ("Ctrl-C twice", "leave")],
            Step::Name => &[("Enter", "register"), ("Esc", "back"), ("Ctrl-C twice", "leave")],
            Step::Words if self.words.skipping() => &[("y", "skip"), ("n", "back to the words")],
            Step::Words => &[("Enter", "written down"), ("s", "skip"), ("Ctrl-C twice", "leave")],
            Step::Check => &[("Enter", "check"), ("Esc", "see the words"), ("Ctrl-C twice", "leave")],
            Step::Registering | Step::Linking | Step::Opening => &[("Ctrl-C twice", "leave")],
        }
    }

    fn notice(&self) -> Option<&'static str> {
        let notice = match self.step {
            Step::Linking => "Ctrl-C again leaves. The same code goes on from here while it is good.",
            Step::Registering => "Ctrl-C again leaves. Next time aside goes on from here.",
            Step::Words | Step::Check => "Ctrl-C again leaves. The words are shown next time.",
            Step::Invite | Step::Name | Step::Opening => "Ctrl-C again leaves.",
        };
        self.leaving.then_some(notice)
    }
}

#[cfg(test)]
mod tests;
