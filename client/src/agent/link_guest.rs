//! The new device's side of linking (rules `LNK-*`): meets the host, proves itself, and becomes a device of the account.

use super::enter::{self, EnterError, Entered, LoggedIn};
use super::{SystemRandom, drawn};
use aside_crypto::DeviceKey;
use aside_crypto::linking::{Guest, LinkError, MetHost};
use aside_engine::{ADOPTING, EngineError, LINKED, fresh};
use aside_protocol::frame::{ClientFrame, Meet, RelayFrame};
use aside_protocol::limits::MEETING_MS;
use aside_protocol::linking::{HostIs, HostWord, LinkCode, Linked};
use aside_protocol::{Body, PublicKey, Refusal};
use aside_store::ProfileFolder;
use aside_store::devices::Entering;
use aside_store::profile::{Profile, RelayPlace};
use aside_transport::{Backoff, Choice, Link, LinkEvent, TransportError};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

/// What linking needs.
#[derive(Debug)]
pub struct Linking {
    /// Where the profile goes.
    pub folder: ProfileFolder,
    /// The code of the other device.
    pub code: LinkCode,
    /// What this machine is called.
    pub machine: String,
    /// Which transports may be used.
    pub choice: Choice,
}

/// What to tell the user while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Met {
    /// The host has answered; its user is asked now, and sees this device's key.
    Host(HostIs, PublicKey),
    /// The host's user has agreed.
    Agreed,
}

/// How a meeting ended.
enum Ended {
    /// The host's user agreed.
    In(Linked),
    /// The connection broke, or the host's did; worth another try.
    Broken(TransportError),
}

/// Links this device; `tell` hears how it goes.
///
/// Its keys are durable before the host hears of them: after a lost answer, a kill or a power cut at any point the same
/// command goes on. If the host had agreed by then, it is not needed any more.
pub async fn link(linking: &Linking, mut tell: impl FnMut(Met)) -> Result<(Profile, Option<Linked>), EnterError> {
    let code = &linking.code;
    let relay = RelayPlace { addresses: code.addresses.clone(), pin: code.pin, mode: code.mode };
    let (mut store, mut entering, again) = enter::prepare(&linking.folder, code.account, relay)?;
    let mut before = None;
    if again {
        match enter::log_in(&entering, linking.choice).await? {
            LoggedIn::Yes(entered) => before = Some(entered),
            LoggedIn::NotYet => {}
            LoggedIn::Revoked => enter::renew(&mut store, &mut entering)?,
        }
    }
    let (mut entered, linked) = match before {
        Some(entered) => (entered, None),
        None => {
            let patience = Duration::from_millis(MEETING_MS);
            let met = timeout(patience, get_in(linking, &entering, &mut tell));
            met.await.map_err(|_| EnterError::TimedOut)??
        }
    };
    let (record, list, verified) = enter::own_account(&mut entered.link, code.account).await?;
    if let Some(linked) = &linked {
        let stands = verified.list.version > linked.list_version
            || (verified.list.version == linked.list_version && verified.hash == linked.list_hash);
        if !stands || linked.root != record.root {
            return Err(EnterError::BadAccount);
        }
    }
    store.transact::<_, EngineError>(|tx| Ok(tx.set_setting(ADOPTING, LINKED)?))?;
    let profile =
        enter::settle(&mut store, &entering, (&record, list, verified), &entered, (&linking.machine, linking.choice))?;
    entered.link.close().await;
    Ok((profile, linked))
}

/// Meets the host, as often as connections break, until this device can log in.
async fn get_in(
    linking: &Linking,
    entering: &Entering,
    tell: &mut impl FnMut(Met),
) -> Result<(Box<Entered>, Option<Linked>), EnterError> {
    let (mut backoff, mut met_before, mut linked) = (Backoff::new(), false, None);
    loop {
        // A host that agreed and could not say so any more is not needed: the relay knows (LNK-5).
        if met_before && let Ok(LoggedIn::Yes(entered)) = enter::log_in(entering, linking.choice).await {
            return Ok((entered, linked));
        }
        let error = match meet(linking, entering, &mut met_before, tell).await {
            Ok(Ended::In(word)) => {
                tell(Met::Agreed);
                linked = Some(word);
                continue;
            }
            Ok(Ended::Broken(error)) => error,
            Err(EnterError::Transport(error)) => error,
            // The host may be connecting anew.
            Err(EnterError::NobodyWaits) if met_before => TransportError::Closed,
            Err(error) => return Err(error),
        };
        if error.is_fatal() {
            return Err(error.into());
        }
        sleep(backoff.next(drawn()) + error.retry_after().unwrap_or_default()).await;
    }
}

/// One meeting, from the first key to the host's last word. It is left in order: the relay lets one guest in at a time.
async fn meet(
    linking: &Linking,
    entering: &Entering,
    met_before: &mut bool,
    tell: &mut impl FnMut(Met),
) -> Result<Ended, EnterError> {
    let greeted = enter::reach(&entering.relay, linking.choice).await?;
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(fresh(&mut SystemRandom));
    let (guest, begun) = Guest::begin(linking.code.clone(), &seed);
    let mut link = greeted.meet(Meet { meeting: linking.code.meeting, body: begun }).await?;
    let ended = converse(&mut link, &guest, linking, entering, |host, key| {
        *met_before = true;
        tell(Met::Host(host, key));
    });
    let ended = ended.await;
    link.close().await;
    ended
}

async fn converse(
    link: &mut Link,
    guest: &Guest,
    linking: &Linking,
    entering: &Entering,
    mut met: impl FnMut(HostIs, PublicKey),
) -> Result<Ended, EnterError> {
    let mut host: Option<MetHost> = None;
    loop {
        let said = match heard(link).await? {
            Ok(said) => said,
            Err(error) => return Ok(Ended::Broken(error)),
        };
        let Some(channel) = &mut host else {
            let (mut channel, is) = match guest.answered(&said) {
                Err(LinkError::OutOfPlace) => continue,
                answered => answered?,
            };
            let key = DeviceKey::from_seed(&entering.seed);
            let body = channel.introduce(entering.device, &key, &linking.machine);
            let said = ClientFrame::Meet(Meet { meeting: linking.code.meeting, body });
            if link.frames.send(said).await.is_err() {
                return Ok(Ended::Broken(TransportError::Closed));
            }
            met(is, key.public());
            host = Some(channel);
            continue;
        };
        match channel.hear(&said) {
            Ok(HostWord::Linked(linked)) => return Ok(Ended::In(linked)),
            Ok(HostWord::NotLinked(why)) => return Err(EnterError::NotLinked(why)),
            // Something to come, or noise of the relay's.
            Ok(_) | Err(_) => {}
        }
    }
}

/// The next thing the host says. The inner error is the connection's: the meeting may be tried again.
async fn heard(link: &mut Link) -> Result<Result<Body, TransportError>, EnterError> {
    loop {
        match link.events.recv().await {
            // Nothing at all means that the host is gone; it may come back.
            Some(LinkEvent::Frame(RelayFrame::Met(said))) if said.body.is_empty() => {
                return Ok(Err(TransportError::Closed));
            }
            Some(LinkEvent::Frame(RelayFrame::Met(said))) => return Ok(Ok(said.body)),
            Some(LinkEvent::Frame(RelayFrame::LoginRefused(Refusal::NotFound(_)))) => {
                return Err(EnterError::NobodyWaits);
            }
            Some(LinkEvent::Frame(RelayFrame::LoginRefused(refusal))) => {
                return Ok(Err(TransportError::Refused(refusal)));
            }
            Some(LinkEvent::Frame(_)) => {}
            Some(LinkEvent::Closed(error)) => return Ok(Err(error)),
            None => return Ok(Err(TransportError::Closed)),
        }
    }
}
