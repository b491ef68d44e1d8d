//! The second state: waiting for a login or a registration (rules `LOG-*`).

use super::live::Live;
use super::out::{Out, Output};
use super::{Setup, State, Unreadable, faults};
use crate::clock::Now;
use aside_protocol::device_list::{DeviceList, SignedDeviceList};
use aside_protocol::frame::{Login, LoginOk, Position, Register, RelayFrame};
use aside_protocol::login::Transcript;
use aside_protocol::refusal::{Plain, RetryAfter};
use aside_protocol::request::Answer;
use aside_protocol::{Body, DeviceId, PartitionId, Refusal, codec};
use aside_relay_core::command::Registration;
use aside_relay_core::read::DeviceInfo;
use aside_relay_core::{By, Command};

/// What a client waits when the database cannot be read, in milliseconds.
const UNREADABLE_MS: u64 = 2_000;

/// The relay has proved itself.
pub(super) struct AwaitLogin {
    transcript: Box<Transcript>,
    pending: Pending,
}

/// What is under way; meanwhile no frames are read.
enum Pending {
    Nothing,
    /// The device is being looked up.
    Login(Login),
    /// The registration of this device is being stored.
    Register(DeviceId),
    /// It is stored; the device is being looked up.
    Registered(DeviceId),
}

impl AwaitLogin {
    pub(super) fn new(transcript: Transcript) -> Self {
        Self { transcript: Box::new(transcript), pending: Pending::Nothing }
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
        let Some(list) = open_list(&register.list) else {
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
        self.pending = Pending::Register(device);
        self
    }

    /// The log answered a registration.
    pub(super) fn registered(&mut self, answer: Answer, out: &mut Out) {
        let Pending::Register(device) = self.pending else {
            return;
        };
        match answer {
            Answer::Done(_) => {
                out.push(Output::FindDevice(device));
                self.pending = Pending::Registered(device);
            }
            Answer::Refused(refusal) => self.refused(refusal, out),
            _ => self.refused(Refusal::Invalid(Plain {}), out),
        }
    }

    /// The device was looked up: it is logged in if it is known, present, and signed.
    pub(super) fn device(
        mut self,
        setup: &Setup,
        found: Result<Option<Box<DeviceInfo>>, Unreadable>,
        now: Now,
        out: &mut Out,
    ) -> State {
        let Ok(found) = found else {
            self.refused(Refusal::Unavailable(RetryAfter { retry_after_ms: UNREADABLE_MS }), out);
            return State::Login(self);
        };
        let (device, proven) = match (&self.pending, &found) {
            (Pending::Registered(device), Some(_)) => (*device, true),
            (Pending::Login(login), Some(info)) => {
                let signed = self.transcript.device_signs(&login.device);
                (login.device, info.key.verifies(&signed, &login.signature))
            }
            _ => (DeviceId([0; 16]), false),
        };
        match found {
            Some(info) if proven && info.revoked => {
                self.refused(Refusal::Revoked(Plain {}), out);
                State::Login(self)
            }
            Some(info) if proven => enter(setup, device, *info, now, out),
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

fn open_list(bytes: &Body) -> Option<DeviceList> {
    let signed: SignedDeviceList = codec::decode(&bytes.0).ok()?;
    codec::decode(&signed.list.0).ok()
}

/// Connects the device at the hub first, so that nothing stored from here on is missed.
fn enter(setup: &Setup, device: DeviceId, info: DeviceInfo, now: Now, out: &mut Out) -> State {
    out.push(Output::Subscribe(device));
    let by = By { device, account: info.account };
    out.frame(&RelayFrame::LoginOk(LoginOk {
        account: info.account,
        name: info.name,
        log: setup.log,
        positions: vec![Position { partition: PartitionId(0), acked: info.acked, head: info.head }],
        key_packages: info.key_packages,
        time: now.wall,
    }));
    State::Live(Box::new(Live::new(by, info.acked, info.head, setup.window)))
}
