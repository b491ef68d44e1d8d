//! Whom a name stands for: known here, or looked up at the relay. What every front end does before it writes.

use crate::agent::{Connectivity, Handle};
use aside_crypto::safety::safety_number;
use aside_engine::{Contact, EngineError, NameState};
use aside_protocol::{Name, Refusal};
use aside_store::accounts::Account;
use aside_transport::TransportError;
use tokio::time::Instant;

/// A name that leads to another key than before.
#[derive(Debug, Clone)]
pub(crate) struct NewKey {
    /// The account known first.
    pub before: Account,
    /// The one the name leads to now.
    pub now: Account,
    /// The safety number of the own root key and the new one.
    pub number: String,
}

/// Why nobody was found behind a name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotFound {
    /// The name leads nowhere.
    #[error("nobody is called {0} at your relay; ask them for their exact name")]
    Unknown(Name),
    /// The name leads to another key, and nobody has decided.
    #[error("{} has a new key", .0.now.name)]
    KeyChanged(Box<NewKey>),
    /// The relay did not answer, or its answer does not help.
    #[error("cannot look {name} up: {why}")]
    NoAnswer {
        /// The name.
        name: Name,
        /// Why not.
        why: String,
    },
    /// The connection needs a person before it can come back.
    #[error(transparent)]
    Stopped(TransportError),
    /// Files, database, profile.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// The account behind a name: known here, or looked up at the relay before the deadline. With `accept`, a new key is
/// accepted on the way.
pub(crate) async fn find(handle: &Handle, wanted: &Name, accept: bool, deadline: Instant) -> Result<Account, NotFound> {
    if let Some(account) = known(handle, wanted, accept).await? {
        return Ok(account);
    }
    let name = wanted.clone();
    let why = match look_up(handle, wanted, deadline).await? {
        Some(NameState::Known) => match known(handle, wanted, accept).await? {
            Some(account) => return Ok(account),
            None => "the relay's answer did not hold".to_owned(),
        },
        Some(NameState::Refused(Refusal::NotFound(_))) => return Err(NotFound::Unknown(name)),
        Some(NameState::Refused(refusal)) => format!("the relay refused ({})", refusal.rule()),
        _ => reason(&handle.connectivity().borrow()),
    };
    Err(NotFound::NoAnswer { name, why })
}

/// Names looked up at a time.
const AT_ONCE: usize = 64;

/// Looks up what is not known of many names, so that [`find`] has their answers at hand. What comes of each is seen there.
pub(crate) async fn look_up_all(handle: &Handle, names: &[Name], deadline: Instant) -> Result<(), NotFound> {
    for some in names.chunks(AT_ONCE) {
        let wanted = some.to_vec();
        let asked = handle.step(move |step| {
            let mut asked = Vec::new();
            for name in wanted {
                if matches!(step.contact(&name)?, Contact::Unknown) {
                    step.look_up(&name);
                    asked.push(name);
                }
            }
            Ok(asked)
        });
        let asked = asked.await?;
        let answers = handle.wait(deadline, move |engine| {
            let open = |name| matches!(engine.name_state(name), Some(NameState::Wanted | NameState::Asked));
            Ok((!asked.iter().any(open)).then_some(()))
        });
        tokio::select! {
            answered = answers => drop(answered?),
            error = stops(handle) => return Err(NotFound::Stopped(error)),
        }
    }
    Ok(())
}

/// What the relay says of a name, unless the deadline passes or the connection stops for good.
async fn look_up(handle: &Handle, wanted: &Name, deadline: Instant) -> Result<Option<NameState>, NotFound> {
    let asked = wanted.clone();
    let ask = handle.step(move |step| {
        step.look_up(&asked);
        Ok(())
    });
    ask.await?;
    let asked = wanted.clone();
    let answer = handle.wait(deadline, move |engine| {
        let state = engine.name_state(&asked);
        Ok(state.filter(|state| !matches!(state, NameState::Wanted | NameState::Asked)).cloned())
    });
    tokio::select! {
        state = answer => Ok(state?),
        error = stops(handle) => Err(NotFound::Stopped(error)),
    }
}

async fn known(handle: &Handle, wanted: &Name, accept: bool) -> Result<Option<Account>, NotFound> {
    let wanted = wanted.clone();
    let contact = handle.step(move |step| {
        let contact = step.contact(&wanted)?;
        if let (Contact::KeyChanged(change), true) = (&contact, accept) {
            step.accept_key(change)?;
            return Ok(Contact::Account(Box::new(change.now.clone())));
        }
        Ok(contact)
    });
    match contact.await? {
        Contact::Account(account) => Ok(Some(*account)),
        Contact::Unknown => Ok(None),
        Contact::KeyChanged(change) => {
            let number = number_with(handle, &change.now).await?;
            Err(NotFound::KeyChanged(Box::new(NewKey { before: change.before, now: change.now, number })))
        }
    }
}

/// The safety number with an account.
pub(crate) async fn number_with(handle: &Handle, account: &Account) -> Result<String, EngineError> {
    let own = handle.with(|engine| Ok(engine.me().root)).await?;
    Ok(safety_number(&own, &account.root))
}

/// Ends when the connection needs a person before it can come back.
pub(crate) async fn stops(handle: &Handle) -> TransportError {
    let mut connectivity = handle.connectivity();
    let stopped = connectivity.wait_for(|state| matches!(state, Connectivity::Stopped(_))).await;
    let stopped = stopped.map(|state| match &*state {
        Connectivity::Stopped(error) => Some(error.clone()),
        _ => None,
    });
    match stopped {
        Ok(Some(error)) => error,
        _ => std::future::pending().await,
    }
}

/// Why there is no connection, for the end of a sentence.
pub(crate) fn reason(state: &Connectivity) -> String {
    match state {
        Connectivity::Connecting => "the relay has not answered yet".into(),
        Connectivity::Online(_) => "the relay is connected".into(),
        Connectivity::Offline(error) | Connectivity::Stopped(error) => error.to_string(),
        Connectivity::Failed(why) => why.clone(),
    }
}

/// Why the relay does not take a message, for people.
pub(crate) fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Unavailable(_) => "the relay cannot store anything now, perhaps its disk is full".into(),
        Refusal::Busy(_) | Refusal::RateLimited(_) => "the relay is busy".into(),
        Refusal::NoKeyPackage(_) => "the other account has not been online since it registered".into(),
        other => format!("the relay refused for now, {}", other.rule()),
    }
}
