//! The user's own devices, and how letting another one in goes.

use aside_protocol::{DeviceId, Millis};
use std::fmt::{Debug, Formatter};
use zeroize::Zeroizing;

/// One of the user's devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Which one.
    pub id: DeviceId,
    /// What it is called; none: this device was not told.
    pub machine: Option<String>,
    /// Since when it belongs to the account.
    pub added: Millis,
    /// Five groups of four letters and digits, from its key.
    pub fingerprint: String,
    /// Whether it is the one in use.
    pub this: bool,
    /// Whether it is being removed.
    pub leaving: bool,
}

/// What a new device needs to ask to be let in: a secret, so it is wiped and never printed for debugging.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    /// As text.
    pub link: Zeroizing<String>,
    /// As a QR code, drawn; empty where it does not fit into one.
    pub drawn: Zeroizing<String>,
}

impl Debug for Code {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(…)")
    }
}

/// How far letting a device in has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// The relay is asked for a place where the two can meet.
    Opening,
    /// The new device is awaited; it needs this.
    Code(Code),
    /// One that knows the code has come.
    Asks {
        /// What it calls itself.
        machine: String,
        /// Its fingerprint, which its own screen shows too.
        fingerprint: String,
    },
    /// The user has agreed: the relay and the chats are told.
    Adding,
    /// It is over: what came of it, a sentence.
    Over(String),
}

/// What the user decides about a device that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It stays out.
    Refuse,
    /// It comes in, with these messages.
    Admit(History),
}

/// Which messages a new device gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// Every one that is here.
    All,
    /// Those since then.
    Since(Millis),
    /// None.
    None,
}

/// History on its way between two own devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moving {
    /// Whether it comes here; otherwise it goes to another device.
    pub here: bool,
    /// Messages that have got there.
    pub done: u64,
    /// Of so many; 0: not known yet.
    pub total: u64,
}
