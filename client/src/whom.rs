//! What a typed name means: a person, or a group or channel that this device knows.

use aside_engine::EngineError;
use aside_protocol::{AccountId, Name};
use aside_store::Tx;
use aside_store::chats::{Chat, ChatState};

/// The fewest digits of a chat's id that name it.
pub(crate) const FEWEST_DIGITS: usize = 8;

/// Digits of a chat's id that are shown where one is needed to tell chats apart.
const SHOWN_DIGITS: usize = 12;

/// Whom or what a text names.
#[derive(Debug, Clone)]
pub(crate) enum Meant {
    /// A person, known or not.
    Person(Name),
    /// A group or channel.
    Group(Box<Chat>),
}

/// Why a text names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// No such title or id.
    #[error("there is no group or channel {0} here; aside chats lists those there are")]
    NoGroup(String),
    /// Several of one title.
    #[error("there are several called {0}; name one by its id: {1}")]
    Several(String, String),
    /// No name of anybody.
    #[error("{0}")]
    Name(String),
}

/// Reads `#title`, `#id`, an id of at least [`FEWEST_DIGITS`] digits, or a person's name. A person known by a name that
/// looks like an id comes first.
pub(crate) fn read(tx: &Tx, text: &str) -> Result<Result<Meant, Unclear>, EngineError> {
    let text = text.trim();
    if let Some(title) = text.strip_prefix('#') {
        let mut found = standing(tx.chats_titled(title.trim())?);
        if found.is_empty() && is_id(title) {
            found = tx.chats_beginning(title)?;
        }
        return Ok(one(text, found));
    }
    let name = Name::new(text);
    if is_id(text) {
        let known = name.as_ref().is_ok_and(|name| tx.accounts_named(name).is_ok_and(|known| !known.is_empty()));
        let found = if known { Vec::new() } else { tx.chats_beginning(text)? };
        if !found.is_empty() || name.is_err() {
            return Ok(one(text, found));
        }
    }
    Ok(name.map(Meant::Person).map_err(|error| Unclear::Name(error.to_string())))
}

/// The same where only a group or channel makes sense; its title may stand without the mark.
pub(crate) fn read_group(tx: &Tx, text: &str) -> Result<Result<Chat, Unclear>, EngineError> {
    let marked = if text.starts_with('#') { text.to_owned() } else { format!("#{text}") };
    Ok(read(tx, &marked)?.and_then(|meant| match meant {
        Meant::Group(chat) => Ok(*chat),
        Meant::Person(_) => Err(Unclear::NoGroup(marked)),
    }))
}

fn is_id(text: &str) -> bool {
    (FEWEST_DIGITS..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Those that the user is in, if there are any.
fn standing(found: Vec<Chat>) -> Vec<Chat> {
    let (left, inside): (Vec<_>, Vec<_>) = found.into_iter().partition(|chat| chat.state == ChatState::Left);
    if inside.is_empty() { left } else { inside }
}

fn one(text: &str, mut found: Vec<Chat>) -> Result<Meant, Unclear> {
    match found.len() {
        0 => Err(Unclear::NoGroup(text.to_owned())),
        1 => Ok(Meant::Group(Box::new(found.remove(0)))),
        _ => {
            let ids: Vec<String> = found.iter().map(|chat| chat.chat.to_hex()[..SHOWN_DIGITS].to_owned()).collect();
            Err(Unclear::Several(text.to_owned(), ids.join(", ")))
        }
    }
}

/// What an account is called here; a placeholder while that is not known.
pub(crate) fn called(tx: &Tx, account: &AccountId) -> Result<String, EngineError> {
    Ok(tx.account(account)?.map_or_else(|| Name::placeholder(account), |known| known.name).to_string())
}

#[cfg(test)]
mod tests;
