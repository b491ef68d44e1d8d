//! The host's side of linking (rules `LNK-*`): a device of the account that lets a new one in.

use super::places::Places;
use super::{Handle, SystemRandom};
use aside_crypto::linking::MetGuest;
use aside_engine::{Engine, EngineError, ListState, MeetingState, NotAdded, chats_lacking, fresh};
use aside_protocol::linking::{HostIs, HostWord, LinkCode, LinkMessage, LinkSecret, Linked, NewDevice, NotLinked};
use aside_protocol::{Body, MeetingId, Millis, Refusal, decode};
use tokio::time::Instant;
use zeroize::Zeroizing;

/// Why no device was linked.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The relay cannot do it.
    #[error("{}", refused(.0))]
    Relay(Refusal),
    /// Nobody came, or the relay did not answer.
    #[error("no device came in time; the code is over. Run aside device add again when the other machine is at hand")]
    NobodyCame,
    /// The account cannot have it.
    #[error(transparent)]
    NotAdded(#[from] NotAdded),
    /// The relay will not have the new list.
    #[error("the relay did not take the new device ({}); on the new machine, use a new profile", .0.rule())]
    List(Refusal),
    /// The list is on its way, and goes out with the next connection.
    #[error("the relay has not answered; the device is added as soon as this one is connected again")]
    Waiting,
    /// The environment.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Unsupported(_) => "this relay cannot link devices; ask its host to update it".into(),
        other => format!("the relay does not let devices meet now ({}); try again in a while", other.rule()),
    }
}

/// A meeting in which a new device is awaited.
#[derive(Debug)]
pub struct Hosting {
    handle: Handle,
    code: LinkCode,
    host: HostIs,
    guest: Option<MetGuest>,
}

/// A device that came, proved that it knows the code, and wants in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it says of itself.
    pub device: NewDevice,
    /// Whether the account's list names it already: an earlier attempt got that far.
    pub known: bool,
}

impl Hosting {
    /// Opens a meeting, at the node where this device is connected, under a fresh code; `machine` is what the guest is told about this device.
    pub async fn open(handle: Handle, machine: String) -> Result<Self, HostError> {
        let profile = handle.read(|tx| Ok(tx.profile()?)).await?.ok_or(EngineError::NotRegistered)?;
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(fresh(&mut SystemRandom));
        let code = LinkCode {
            addresses: profile.relay.addresses,
            pin: profile.relay.pin,
            mode: profile.relay.mode,
            account: profile.account,
            meeting: MeetingId(fresh(&mut SystemRandom)),
            secret: LinkSecret(*secret),
        };
        let meeting = code.meeting;
        let open = handle.step(move |step| {
            step.open_meeting(meeting);
            Ok(())
        });
        open.await?;
        Ok(Self { handle, code, host: HostIs { name: profile.name, machine }, guest: None })
    }

    /// The code that the new device needs.
    pub fn code(&self) -> &LinkCode {
        &self.code
    }

    /// Waits until the relay has opened the meeting: a code that is shown before would lead nowhere. From now on the code
    /// names the node first where it was opened.
    pub async fn opened(&mut self, deadline: Instant) -> Result<(), HostError> {
        let state = self.handle.wait(deadline, |engine| {
            let state = engine.meeting().cloned();
            Ok(state.filter(|state| matches!(state, MeetingState::Open | MeetingState::Refused(_))))
        });
        match state.await? {
            Some(MeetingState::Refused(refusal)) => Err(HostError::Relay(refusal)),
            Some(_) => {
                let here = self.handle.at.borrow().clone();
                let places = self.handle.read(Places::read).await?;
                self.code.addresses = places.for_code(here);
                Ok(())
            }
            None => Err(HostError::NobodyCame),
        }
    }

    /// Waits for a guest that knows the code and proves its key. What comes from anybody else is dropped.
    pub async fn guest(&mut self, deadline: Instant) -> Result<Wanted, HostError> {
        loop {
            let Some(said) = self.hear(deadline).await? else { return Err(HostError::NobodyCame) };
            if let Some(device) = self.take(&said).await? {
                let listed = device.clone();
                let own = self.handle.step(move |step| step.own_devices()).await?;
                let known = own.iter().any(|own| listed.is(&own.entry) && !own.leaving);
                return Ok(Wanted { device, known });
            }
        }
    }

    async fn hear(&self, deadline: Instant) -> Result<Option<Body>, HostError> {
        let heard = self.handle.wait(deadline, |engine| {
            if let Some(MeetingState::Refused(refusal)) = engine.meeting() {
                return Ok(Some(Err(refusal.clone())));
            }
            Ok(engine.heard().map(Ok))
        });
        heard.await?.transpose().map_err(HostError::Relay)
    }

    /// One thing said: a first key is answered, an introduction is what was waited for, all else is nothing.
    async fn take(&mut self, said: &Body) -> Result<Option<NewDevice>, HostError> {
        match decode::<LinkMessage>(&said.0) {
            Ok(LinkMessage::Begin(_)) => {
                let seed: Zeroizing<[u8; 32]> = Zeroizing::new(fresh(&mut SystemRandom));
                if let Ok((guest, answer)) = MetGuest::answer(&self.code, &seed, said, self.host.clone()) {
                    self.guest = Some(guest);
                    self.say(answer).await?;
                }
                Ok(None)
            }
            _ => Ok(self.guest.as_mut().and_then(|guest| guest.introduced(said).ok())),
        }
    }

    async fn say(&self, body: Body) -> Result<(), HostError> {
        let tell = self.handle.step(move |step| {
            step.tell_guest(body);
            Ok(())
        });
        Ok(tell.await?)
    }

    async fn word(&mut self, word: &HostWord) -> Result<(), HostError> {
        match self.guest.as_mut().map(|guest| guest.tell(word)) {
            Some(body) => self.say(body).await,
            None => Ok(()),
        }
    }

    /// The user agreed: the device is put into the account's list, and told so once the relay has it. The guest may have
    /// gone; then it finds out by logging in. It gets the messages from `history` on, or none.
    pub async fn accept(
        &mut self,
        wanted: &Wanted,
        history: Option<Millis>,
        deadline: Instant,
    ) -> Result<Linked, HostError> {
        let NewDevice { device, key, machine, .. } = wanted.device.clone();
        // In one transaction: a host that is killed after this hands the history over all the same.
        let added = self.handle.step(move |step| {
            if let Err(why) = step.add_own_device(device, key, &machine)? {
                return Ok(Err(why));
            }
            match history {
                Some(since) => Ok(Ok(Some(step.offer_history(device, since)?))),
                None => step.withdraw_history(&device).map(|()| Ok(None)),
            }
        });
        let history = match added.await? {
            Ok(history) => history,
            Err(why) => {
                self.refuse(if why == NotAdded::TooMany { NotLinked::TooMany } else { NotLinked::Used }).await?;
                return Err(why.into());
            }
        };
        match self.listed(wanted, deadline).await? {
            ListState::Done => {}
            ListState::Waiting => return Err(HostError::Waiting),
            ListState::Refused(refusal) => {
                self.refuse(NotLinked::Used).await?;
                return Err(HostError::List(refusal));
            }
        }
        let own = self.handle.step(|step| step.own_account()).await?;
        let linked = Linked {
            name: self.host.name.clone(),
            root: own.root,
            list_version: own.list.list.version,
            list_hash: own.list.hash,
            history,
        };
        self.word(&HostWord::Linked(linked.clone())).await?;
        Ok(linked)
    }

    /// Waits for the relay's word about the new list.
    async fn listed(&self, wanted: &Wanted, deadline: Instant) -> Result<ListState, HostError> {
        let mut changes = self.handle.changes();
        let device = wanted.device.device;
        loop {
            changes.mark_unchanged();
            match self.handle.step(move |step| step.list_state(&device)).await? {
                ListState::Waiting => {}
                settled => return Ok(settled),
            }
            match tokio::time::timeout_at(deadline, changes.changed()).await {
                Ok(Ok(())) => {}
                _ => return Ok(ListState::Waiting),
            }
        }
    }

    /// Waits until every chat of this device has the new one, so that it misses nothing: its key packages come first, then
    /// a commit in each chat. Returns how many chats still lack it at the deadline; they follow whenever this device, or
    /// another one, is online.
    pub async fn settled(&self, deadline: Instant) -> Result<usize, HostError> {
        let lacking = |engine: &mut Engine| {
            let own = engine.account();
            engine.read(|tx| chats_lacking(tx, &own))
        };
        let all = self.handle.wait(deadline, move |engine| Ok((lacking(engine)? == 0).then_some(())));
        match all.await? {
            Some(()) => Ok(0),
            None => Ok(self.handle.with(lacking).await?),
        }
    }

    /// The user said no, or it cannot be.
    pub async fn refuse(&mut self, why: NotLinked) -> Result<(), HostError> {
        self.word(&HostWord::NotLinked(why)).await
    }

    /// Ends the meeting; the code is worth nothing any more.
    pub async fn end(self) -> Result<(), HostError> {
        let close = self.handle.step(|step| {
            step.close_meeting();
            Ok(())
        });
        Ok(close.await?)
    }
}
