//! The user's devices: listed, removed, another one let in.

use super::Tell;
use crate::agent::{Handle, HostError, Hosting, Wanted, fingerprint, own_machine};
use crate::qr;
use aside_engine::{EngineError, own_devices};
use aside_protocol::linking::NotLinked;
use aside_protocol::{DeviceId, Millis};
use aside_tui::Msg;
use aside_tui::data::devices::{Admission, Code, Decision, Device, History};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// How long a code is good for.
const GOOD: Duration = Duration::from_secs(10 * 60);

/// How long the relay, and then each chat, may take to have the new device.
const SETTLE: Duration = Duration::from_secs(30);

/// Reads them.
pub(super) fn list(handle: &Handle) -> impl Future<Output = Result<Msg, EngineError>> + Send + use<> {
    handle.read(|tx| {
        let shown = own_devices(tx)?.into_iter().map(|own| Device {
            id: own.entry.device,
            machine: own.machine,
            added: own.entry.added,
            fingerprint: fingerprint(&own.entry.key),
            this: own.this,
            leaving: own.leaving,
        });
        Ok(Msg::Devices(shown.collect()))
    })
}

/// Removes one; it is gone once the relay has the new list.
pub(super) fn revoke<M: Tell>(handle: &Handle, msgs: M, device: DeviceId) -> impl Future<Output = ()> + Send + use<M> {
    let revoked = handle.step(move |step| step.revoke_own_device(device));
    async move {
        match revoked.await {
            Ok(Ok(())) => msgs(Msg::Changed),
            Ok(Err(why)) => msgs(Msg::Denied(why.to_string())),
            Err(error) => msgs(Msg::Failed(error.to_string())),
        }
    }
}

/// A secret in both its forms.
pub(super) fn code(link: String) -> Code {
    let link = Zeroizing::new(link);
    let drawn = Zeroizing::new(qr::draw(&link).unwrap_or_default());
    Code { link, drawn }
}

/// Lets one in, or none: no more `decisions` means that nobody is to be let in any more.
///
/// The engine has one meeting at a time, so each attempt waits for the one before it.
pub(super) async fn admit(
    (handle, turn): (Handle, Arc<Mutex<()>>),
    msgs: impl Tell,
    mut decisions: UnboundedReceiver<Decision>,
) {
    let _turn = turn.lock().await;
    let sentence = match attempt(handle, msgs.clone(), &mut decisions).await {
        Ok(None) => return,
        Ok(Some(sentence)) => sentence,
        Err(error) => error.to_string(),
    };
    msgs(Msg::Admission(Admission::Over(sentence)));
}

async fn attempt(
    handle: Handle,
    msgs: impl Tell,
    decisions: &mut UnboundedReceiver<Decision>,
) -> Result<Option<String>, HostError> {
    let deadline = Instant::now() + GOOD;
    let mut hosting = Hosting::open(handle, own_machine()).await?;
    let result = host(&mut hosting, msgs, decisions, deadline).await;
    hosting.end().await?;
    result
}

async fn host(
    hosting: &mut Hosting,
    msgs: impl Tell,
    decisions: &mut UnboundedReceiver<Decision>,
    deadline: Instant,
) -> Result<Option<String>, HostError> {
    let wanted = tokio::select! {
        wanted = awaited(hosting, msgs.clone(), deadline) => wanted?,
        _ = decisions.recv() => return Ok(None),
    };
    let machine = wanted.device.machine.clone();
    msgs(Msg::Admission(Admission::Asks { machine, fingerprint: fingerprint(&wanted.device.key) }));
    match decisions.recv().await {
        Some(Decision::Admit(history)) => accept(hosting, &wanted, history).await.map(Some),
        Some(Decision::Refuse) | None => {
            hosting.refuse(NotLinked::Refused).await?;
            Ok(Some("The device was not let in; its code is over.".into()))
        }
    }
}

/// Shows the code, and waits for a device that knows it.
async fn awaited(hosting: &mut Hosting, msgs: impl Tell, deadline: Instant) -> Result<Wanted, HostError> {
    hosting.opened(deadline).await?;
    msgs(Msg::Admission(Admission::Code(code(hosting.code().to_link()))));
    hosting.guest(deadline).await
}

async fn accept(hosting: &mut Hosting, wanted: &Wanted, history: History) -> Result<String, HostError> {
    let since = match history {
        History::All => Some(Millis(0)),
        History::Since(since) => Some(since),
        History::None => None,
    };
    hosting.accept(wanted, since, Instant::now() + SETTLE).await?;
    let machine = &wanted.device.machine;
    let chats = match hosting.settled(Instant::now() + 2 * SETTLE).await? {
        0 => "It is in all of your chats.".to_owned(),
        some => format!("It is not in {some} of your chats yet; that follows while one of your devices is online."),
    };
    Ok(format!("{machine} is a device of yours now. {chats}"))
}
