//! How a profile begins: opens it, or finds that it needs the first run, at whatever point that was interrupted. The
//! first run registers an account, or makes this machine a device of one.
//!
//! The recovery words lie in a file of the profile's folder, for its owner only, from before the relay hears of the
//! account until the user has confirmed them. As long as the file is there they are shown again.

use super::closed::{closed, file, sentence};
use crate::agent::{EnterError, Linking, Met, RegisterError, Registration, SystemRandom, fingerprint, own_machine};
use crate::cli::Settings;
use aside_crypto::RecoveryPhrase;
use aside_engine::{Engine, EngineError, fresh};
use aside_protocol::invite::Invite;
use aside_protocol::linking::LinkCode;
use aside_protocol::{Name, PublicKey, Refusal};
use aside_store::profile::Profile;
use aside_store::{Store, StoreError};
use aside_transport::TransportError;
use aside_tui::closed::Closed;
use aside_tui::setup::{At, Begun, Heard};
use std::future::Future;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// How many words there are.
const WORDS: u8 = 24;

/// Stack of the thread that registers: several times what an unoptimised build was seen to need (a little over 2 MiB).
const STACK: usize = 8 << 20;

/// What the start of the program found.
#[derive(Debug)]
pub enum Start {
    /// An open profile, for [`crate::agent::Agent::start`].
    Ready(Box<Engine>),
    /// The first run, or the rest of it: [`aside_tui::setup::Setup::begin`] takes this.
    Setup(Heard),
    /// A profile that cannot be used.
    Closed(Closed),
}

/// Looks at the profile. Waits for the disk; the lock is held only by what is [`Start::Ready`].
pub fn start(settings: &Settings) -> Start {
    match Store::open(&settings.folder) {
        Ok(store) => opened(settings, store).unwrap_or_else(|error| Start::Closed(closed(&error))),
        Err(StoreError::Missing(_)) if !settings.folder.database().exists() => missing(settings.folder.path()),
        Err(error) => Start::Closed(closed(&error.into())),
    }
}

fn opened(settings: &Settings, mut store: Store) -> Result<Start, EngineError> {
    let Some(profile) = store.read::<_, EngineError>(|tx| Ok(tx.profile()?))? else {
        return Ok(Start::Setup(Heard::Needed(None)));
    };
    if let Some(begun) = begun(&profile) {
        return Ok(Start::Setup(Heard::Needed(Some(begun))));
    }
    if let Some(words) = words(&words_file(settings), &profile.root) {
        return Ok(Start::Setup(Heard::Registered { words, asked: asked() }));
    }
    Ok(Start::Ready(Box::new(Engine::new(store, settings.engine.clone())?)))
}

/// There is no profile: the first run, unless its folder cannot even be looked for.
fn missing(folder: &Path) -> Start {
    // What is no folder on the way to it shows only at that place.
    let found = folder.ancestors().find_map(|place| match std::fs::metadata(place) {
        Err(why) if why.kind() == ErrorKind::NotFound => None,
        Err(why) => Some(Err((place, why))),
        Ok(data) if data.is_dir() => Some(Ok(())),
        Ok(_) => Some(Err((place, ErrorKind::NotADirectory.into()))),
    });
    match found {
        Some(Err((place, why))) => Start::Closed(file(place, why.kind(), &why)),
        Some(Ok(())) | None => Start::Setup(Heard::Needed(None)),
    }
}

/// The registration that was begun and not confirmed, as the profile remembers it.
fn begun(profile: &Profile) -> Option<Begun> {
    let relay = &profile.relay;
    let secret = profile.registering?;
    let invite = Invite { addresses: relay.addresses.clone(), pin: relay.pin, mode: relay.mode, secret };
    Some(Begun { invite, name: profile.name.clone() })
}

/// Does [`aside_tui::setup::Ask::Register`]: registers, or completes an interrupted registration.
pub async fn register(settings: &Settings, invite: Invite, name: Name) -> Heard {
    let registration = Registration {
        folder: settings.folder.clone(),
        invite,
        name,
        recovery_file: words_file(settings),
        choice: settings.transport,
    };
    match apart(move || async move { attempt(&registration).await }).await {
        Ok(profile) => registered(settings, &profile),
        Err(RegisterError::AlreadyRegistered(name)) => again(settings, &name),
        Err(error) => Heard::Failed { at: blame(&error), why: sentence(&error.to_string()) },
    }
}

/// On a thread of its own: it waits for the disk, and its handshakes need more stack than a runtime's thread may have.
async fn apart<T, E, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
    T: Send + 'static,
    E: From<EngineError> + Send + 'static,
{
    let (tell, told) = tokio::sync::oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    let work = move || drop(tell.send(runtime.block_on(work())));
    let failed = |why: String| Err(EngineError::Bug(why).into());
    match std::thread::Builder::new().name("register".to_owned()).stack_size(STACK).spawn(work) {
        Ok(_) => told.await.unwrap_or_else(|_| failed("the registration ended without a word".to_owned())),
        Err(why) => failed(format!("no thread could be started ({why})")),
    }
}

/// Does [`aside_tui::setup::Ask::Link`]: meets the other device, and opens the profile once its user has agreed.
pub async fn link(settings: &Settings, code: LinkCode, tell: impl Fn(Heard) + Send + 'static) -> Start {
    let linking = Linking { folder: settings.folder.clone(), code, machine: own_machine(), choice: settings.transport };
    let linked = apart(move || async move { crate::agent::link(&linking, |met| tell(heard(met))).await });
    match linked.await {
        // Key packages go up, and the history comes, with the first connection.
        Ok(_) => start(settings),
        Err(error) => Start::Setup(Heard::Failed { at: at(&error), why: sentence(&error.to_string()) }),
    }
}

fn heard(met: Met) -> Heard {
    match met {
        Met::Host(host, key) => {
            Heard::Met { name: host.name.to_string(), machine: host.machine, fingerprint: fingerprint(&key) }
        }
        Met::Agreed => Heard::Agreed,
    }
}

/// A code that leads nowhere is to be replaced; all else may work with it.
fn at(error: &EnterError) -> At {
    match error {
        EnterError::NobodyWaits | EnterError::TimedOut | EnterError::NotLinked(_) | EnterError::Meeting(_) => {
            At::Invite
        }
        _ => At::Again,
    }
}

async fn attempt(registration: &Registration) -> Result<Profile, RegisterError> {
    match crate::agent::register(registration).await {
        // Words without a profile: of an account whose database was taken away, or of one the relay never heard of.
        // Nobody can tell which, so they are kept.
        Err(RegisterError::FileExists(file)) => {
            set_aside(&file)?;
            crate::agent::register(registration).await
        }
        result => result,
    }
}

fn registered(settings: &Settings, profile: &Profile) -> Heard {
    let file = words_file(settings);
    match words(&file, &profile.root) {
        Some(words) => Heard::Registered { words, asked: asked() },
        None => Heard::Failed {
            why: format!("Registered, but the recovery words in {} cannot be read.", file.display()),
            at: At::Again,
        },
    }
}

/// Registered by another program meanwhile, or by an attempt that failed only afterwards.
fn again(settings: &Settings, name: &Name) -> Heard {
    match start(settings) {
        Start::Setup(heard @ Heard::Registered { .. }) => heard,
        _ => Heard::Failed {
            why: format!("This profile is registered already, as {name}. Leave, and start aside again."),
            at: At::Again,
        },
    }
}

/// Does [`aside_tui::setup::Ask::Begin`]: the words were confirmed or skipped, so their file goes and the profile opens.
pub fn begin(settings: &Settings) -> Start {
    match words_seen(settings) {
        Ok(()) => start(settings),
        Err(heard) => Start::Setup(heard),
    }
}

/// Removes the words, which now only the user has.
pub fn words_seen(settings: &Settings) -> Result<(), Heard> {
    let file = words_file(settings);
    match std::fs::remove_file(&file) {
        Ok(()) => Ok(()),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(()),
        Err(why) => Err(Heard::Failed {
            why: format!("Cannot remove {}: {why}. Check its permissions and try again.", file.display()),
            at: At::Again,
        }),
    }
}

/// Where the words lie until they were seen; the same place as `aside register` uses.
fn words_file(settings: &Settings) -> PathBuf {
    settings.folder.path().join("recovery-words.txt")
}

/// The words in a file, if they are those of this account.
fn words(file: &Path, root: &PublicKey) -> Option<Zeroizing<String>> {
    let text = Zeroizing::new(std::fs::read_to_string(file).ok()?);
    let phrase = RecoveryPhrase::parse(&text).ok()?;
    (phrase.root_key().public() == *root).then(|| Zeroizing::new(phrase.words().to_owned()))
}

/// Moves a file to a name beside it that is free.
fn set_aside(file: &Path) -> Result<(), StoreError> {
    let free = (1u32..).map(|n| file.with_extension(format!("{n}.txt"))).find(|place| !place.exists());
    let Some(place) = free else { return Ok(()) };
    std::fs::rename(file, &place).map_err(|why| StoreError::File { path: place, why })
}

/// Three different places among the words, rising.
fn asked() -> [usize; 3] {
    loop {
        let mut drawn = fresh::<3>(&mut SystemRandom).map(|byte| usize::from(byte % WORDS));
        drawn.sort_unstable();
        if let [a, b, c] = drawn
            && a < b
            && b < c
        {
            return drawn;
        }
    }
}

/// Which step an error leads back to.
fn blame(error: &RegisterError) -> At {
    use TransportError::{BadProof, ModeNotSupported, Refused, WrongPin};
    match error {
        RegisterError::Transport(Refused(Refusal::NameTaken(_))) => At::Name,
        RegisterError::Transport(
            Refused(Refusal::InviteUnknown(_) | Refusal::InviteExpired(_) | Refusal::InviteUsed(_))
            | WrongPin { .. }
            | BadProof
            | ModeNotSupported,
        ) => At::Invite,
        _ => At::Again,
    }
}

#[cfg(test)]
mod tests;
