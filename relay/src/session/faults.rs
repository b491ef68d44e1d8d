//! The rules a client can break, and what it is told (the texts of `protocol/SPEC.md` in short).

use super::out::Out;
use aside_protocol::DecodeError;
use aside_protocol::frame::Fault;
use std::borrow::Cow;

/// A broken rule.
pub(super) struct Broken {
    rule: &'static str,
    message: Cow<'static, str>,
    fatal: bool,
}

impl Broken {
    const fn fatal(rule: &'static str, message: &'static str) -> Self {
        Self { rule, message: Cow::Borrowed(message), fatal: true }
    }

    const fn harmless(rule: &'static str, message: &'static str) -> Self {
        Self { rule, message: Cow::Borrowed(message), fatal: false }
    }

    /// Tells the client, and closes if the connection's state is lost.
    pub(super) fn raise(self, out: &mut Out) {
        out.fault(Fault { rule: self.rule.into(), message: self.message.into_owned(), fatal: self.fatal });
    }
}

pub(super) const TOO_LONG: Broken = Broken::fatal("COD-1", "a frame has at most 1 MiB");
pub(super) const NOT_BINARY: Broken = Broken::fatal("FRM-1", "only binary messages are frames");
pub(super) const NO_VERSION: Broken =
    Broken::fatal("CON-1", "this relay speaks only version 1 of the protocol; update the older side");
pub(super) const TOO_MANY_OFFERS: Broken =
    Broken::fatal("CON-3", "a hello offers at most 32 versions and 32 capabilities");
pub(super) const WRONG_MODE: Broken = Broken::fatal(
    "CON-2",
    "this relay is reached another way than the invite says; ask its host for a new invite link",
);
pub(super) const TOO_SLOW: Broken = Broken::fatal("LOG-4", "a connection logs in within 15 seconds");
pub(super) const NOT_LOGGED_IN: Broken = Broken::fatal(
    "LOG-3",
    "this relay does not know the device by that key; if the account is on another relay, connect there, \
     else register with an invite",
);
pub(super) const BAD_REGISTRATION: Broken =
    Broken::fatal("LOG-3", "the registration is not signed by the device it registers; start it again");
pub(super) const BAD_CLAIM: Broken =
    Broken::fatal("RCV-1", "the claim is not signed by the account's root key; check the recovery words");
pub(super) const BAD_RECOVERY: Broken =
    Broken::fatal("RCV-2", "the recovery is not signed by the device it names; start it again");
pub(super) const ACK_AHEAD: Broken =
    Broken::harmless("WIN-2", "an acknowledgement names a position that was sent; this one is ignored");

/// `FRM-4`: harmless, so that newer clients can try.
pub(super) fn unknown_frame(code: u64) -> Broken {
    let message = format!("this relay does not know frames of kind {code}; it is ignored").into();
    Broken { rule: "FRM-4", message, fatal: false }
}

/// `FRM-3` before the login.
pub(super) fn out_of_state(name: &str) -> Broken {
    let message = format!("{name} does not belong here: hello comes first, then login or register").into();
    Broken { rule: "FRM-3", message, fatal: true }
}

/// `FRM-3` after the login, where nothing is lost.
pub(super) fn misplaced(name: &str) -> Broken {
    let message = format!("{name} does not belong here: a device logs in and attaches once; it is ignored").into();
    Broken { rule: "FRM-3", message, fatal: false }
}

/// `COD-1`, `COD-2`.
pub(super) fn malformed(error: &DecodeError) -> Broken {
    Broken { rule: error.rule(), message: format!("the frame cannot be read: {error}").into(), fatal: true }
}
