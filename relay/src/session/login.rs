//! The second state: waiting for a login, a registration or a recovery (rules `LOG-*`, `RCV-*`); perhaps as the guest of a
//! meeting meanwhile (rules `MEE-*`).

use super::live::Live;
use super::out::{Out, Output};
use super::{Found, Query, Setup, State, Unreadable, faults};
use crate::clock::Now;
use crate::meetings::Talk;
use crate::nodes::Nodes;
use aside_protocol::device_list;
use aside_protocol::frame::{Claim, Login, LoginOk, Meet, Recover, Register, RelayFrame};
use aside_protocol::login::Transcript;
use aside_protocol::refusal::{Plain, RetryAfter};
use aside_protocol::request::{Answer, Lookup, Who};
use aside_protocol::{AccountId, DeviceId, Refusal};
use aside_relay_core::command::{Recovery, Registration};
use aside_relay_core::{By, Command};

/// What a client waits when the database cannot be read, in milliseconds.
const UNREADABLE_MS: u64 = 2_000;
/// Who asks for an account before the login; lookups do not depend on it.
const NOBODY: DeviceId = DeviceId([0; 16]);

/// The relay has proved itself.
pub(super) struct AwaitLogin {
    transcript: Box<Transcript>,
    pending: Pending,
    /// Since when it is the guest of a meeting, by the steady clock.
    guest: Option<u64>,
}

/// What is under way; meanwhile no frames are read.
enum Pending {
    Nothing,
    /// The device is being looked up.
    Login(Login),
    /// The account of a claim is being looked up.
    Claim,
    /// The registration or recovery of this device is being stored.
    Store(DeviceId),
    /// It is stored; the device is being looked up.
    Stored(DeviceId),
}

impl AwaitLogin {
    pub(super) fn new(transcript: Transcript) -> Self {
        Self { transcript: Box::new(transcript), pending: Pending::Nothing, guest: None }
    }

    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.pending, Pending::Nothing)
    }

    /// Looks the device up; its signature is checked when its key is known.
    pub(super) fn login(mut self, login: Login, out: &mut Out) -> Self {
        if self.is_busy() {
            faults::out_of_state("Login").raise(out);
            return self;
        }
        out.push(Output::FindDevice(login.device));
        self.pending = Pending::Login(login);
        self
    }

    /// Checks that the device asks for its own registration, and hands it to the log, which checks the rest.
    pub(super) fn register(mut self, register: Register, out: &mut Out) -> Self {
        if self.is_busy() {
            faults::out_of_state("Register").raise(out);
            return self;
        }
        let Ok((_, list)) = device_list::open(&register.list) else {
            refuse(Refusal::Invalid(Plain {}), out);
            return self;
        };
        let [entry] = list.devices.as_slice() else {
            refuse(Refusal::Invalid(Plain {}), out);
            return self;
        };
        let (secret, name) = (&register.secret, register.name.as_str());
        let signed = self.transcript.registration_signs(&secret.0, name, &register.root, &register.list);
        if !entry.key.verifies(&signed, &register.signature) {
            faults::BAD_REGISTRATION.raise(out);
            return self;
        }
        let (invite, device) = (secret.hash(), entry.device);
        let registration = Registration { invite, name: register.name, root: register.root, list: register.list };
        out.push(Output::Submit { token: 0, command: Box::new(Command::Register(registration)) });
        self.pending = Pending::Store(device);
        self
    }

    /// Whoever has the root key is told what stands of the account (rule `RCV-1`).
    pub(super) fn claim(mut self, claim: &Claim, out: &mut Out) -> Self {
        let account = AccountId::of(&claim.root);
        if self.is_busy() {
            faults::out_of_state("Claim").raise(out);
        } else if !claim.root.verifies(&self.transcript.claim_signs(&account), &claim.signature) {
            faults::BAD_CLAIM.raise(out);
        } else {
            let query = Query::Lookup(Lookup { who: Who::Account(account), from_version: claim.from_version });
            out.push(Output::Read { token: 0, device: NOBODY, query });
            self.pending = Pending::Claim;
        }
        self
    }

    /// A reader answered a claim.
    pub(super) fn claimed(&mut self, answer: Answer, out: &mut Out) {
        if !matches!(self.pending, Pending::Claim) {
            return;
        }
        match answer {
            Answer::Account(account) => {
                self.pending = Pending::Nothing;
                out.frame(&RelayFrame::Claimed(account));
            }
            Answer::Refused(refusal) => self.refused(refusal, out),
            _ => self.refused(Refusal::Invalid(Plain {}), out),
        }
    }

    /// Checks that the device asks for its own recovery, and hands it to the log, which checks the rest (rule `RCV-2`).
    pub(super) fn recover(mut self, recover: Recover, out: &mut Out) -> Self {
        if self.is_busy() {
            faults::out_of_state("Recover").raise(out);
            return self;
        }
        let Recover { account, device, list, signature } = recover;
        let opened = device_list::open(&list).ok();
        let Some(entry) = opened.as_ref().and_then(|(_, list)| list.device(&device)) else {
            refuse(Refusal::Invalid(Plain {}), out);
            return self;
        };
        if !entry.key.verifies(&self.transcript.recovery_signs(&list), &signature) {
            faults::BAD_RECOVERY.raise(out);
            return self;
        }
        let command = Command::Recover(Recovery { account, device, list });
        out.push(Output::Submit { token: 0, command: Box::new(command) });
        self.pending = Pending::Store(device);
        self
    }

    /// Passes something on to the host of a meeting.
    pub(super) fn meet(self, meet: Meet, out: &mut Out) -> Self {
        out.push(Output::Meeting(Talk::Meet { meeting: meet.meeting, body: meet.body }));
        self
    }

    /// It was passed on, and the connection is a guest of the meeting; or it was not.
    pub(super) fn met(&mut self, met: Result<(), Refusal>, now: Now, out: &mut Out) {
        match met {
            Ok(()) => _ = self.guest.get_or_insert(now.steady),
            Err(refusal) => refuse(refusal, out),
        }
    }

    /// The meeting is over. Says whether it was in one.
    pub(super) fn leave(&mut self) -> bool {
        self.guest.take().is_some()
    }

    /// Since when it is a guest.
    pub(super) fn guest_since(&self) -> Option<u64> {
        self.guest
    }

    /// The log answered a registration or recovery.
    pub(super) fn stored(&mut self, answer: Answer, out: &mut Out) {
        let Pending::Store(device) = self.pending else {
            return;
        };
        match answer {
            Answer::Done(_) => {
                out.push(Output::FindDevice(device));
                self.pending = Pending::Stored(device);
            }
            Answer::Refused(refusal) => self.refused(refusal, out),
            _ => self.refused(Refusal::Invalid(Plain {}), out),
        }
    }

    /// The device was looked up: it is logged in if it is known, present, and signed.
    pub(super) fn device(
        mut self,
        (setup, nodes): (&Setup, &Nodes),
        found: Result<Option<Box<Found>>, Unreadable>,
        now: Now,
        out: &mut Out,
    ) -> State {
        let Ok(found) = found else {
            self.refused(Refusal::Unavailable(RetryAfter { retry_after_ms: UNREADABLE_MS }), out);
            return State::Login(self);
        };
        let (device, proven) = match (&self.pending, &found) {
            (Pending::Stored(device), Some(_)) => (*device, true),
            (Pending::Login(login), Some(found)) => {
                let signed = self.transcript.device_signs(&login.device);
                (login.device, found.info.key.verifies(&signed, &login.signature))
            }
            _ => (DeviceId([0; 16]), false),
        };
        match found {
            Some(found) if proven && found.info.revoked => {
                self.refused(Refusal::Revoked(Plain {}), out);
                State::Login(self)
            }
            Some(found) if proven => {
                if self.leave() {
                    out.push(Output::Meeting(Talk::Leave));
                }
                enter((setup, nodes), device, *found, now, out)
            }
            _ => {
                faults::NOT_LOGGED_IN.raise(out);
                State::Closed
            }
        }
    }

    fn refused(&mut self, refusal: Refusal, out: &mut Out) {
        self.pending = Pending::Nothing;
        refuse(refusal, out);
    }
}

fn refuse(refusal: Refusal, out: &mut Out) {
    out.frame(&RelayFrame::LoginRefused(refusal));
}

/// Connects the device at the hub first, so that nothing stored from here on is missed.
fn enter((setup, nodes): (&Setup, &Nodes), device: DeviceId, found: Found, now: Now, out: &mut Out) -> State {
    let Found { info, positions } = found;
    out.push(Output::Subscribe(device));
    let by = By { device, account: info.account };
    out.frame(&RelayFrame::LoginOk(LoginOk {
        account: info.account,
        name: info.name,
        log: setup.log,
        positions: positions.clone(),
        key_packages: info.key_packages,
        time: now.wall,
        addresses: nodes.for_account(&info.account),
    }));
    State::Live(Box::new(Live::new(by, positions, setup.window)))
}
