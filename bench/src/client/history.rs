//! Fills a registered profile's real database with a history, through the store, in big transactions.

use super::texts::{below, text};
use crate::error::BenchError;
use aside_crypto::lists::first_list;
use aside_crypto::{DeviceKey, RootKey};
use aside_protocol::device_list::verify_next;
use aside_protocol::{AccountId, DeviceId, MessageId, Millis, Name, Seq};
use aside_store::accounts::{Account, Trust};
use aside_store::chats::Chat;
use aside_store::messages::{Arrival, MessageRow};
use aside_store::{ProfileFolder, Store, StoreError, Tx};

/// When the history begins: 2025-01-01, UTC.
const BEGIN: u64 = 1_735_689_600_000;
/// A message of the history about every this many milliseconds.
const PACE: u64 = 300_000;
/// Messages stored in one transaction.
const AT_ONCE: u64 = 20_000;

/// How much history.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Messages altogether.
    pub messages: u64,
    /// Chats altogether.
    pub chats: u64,
}

/// What a profile was filled with.
#[derive(Debug)]
pub(crate) struct Filled {
    /// Chats there are now.
    pub chats: u64,
}

/// One chat while it is filled.
struct Filling {
    chat: Chat,
    device: DeviceId,
}

/// Fills the profile. A quarter of the messages goes to the first chat, the rest is spread unevenly; every third message
/// is an own one; one chat in eight has something unread.
pub(crate) fn fill(folder: &ProfileFolder, shape: Shape) -> Result<Filled, BenchError> {
    let mut store = Store::open(folder)?;
    let mut chats: Vec<Filling> =
        store.transact::<_, BenchError>(|tx| (0..shape.chats).map(|number| begin(tx, number)).collect())?;
    let mut dice = 7;
    let mut stored = 0;
    while stored < shape.messages && !chats.is_empty() {
        let until = shape.messages.min(stored + AT_ONCE);
        store.transact::<_, BenchError>(|tx| {
            for number in stored..until {
                let which = pick(&mut dice, chats.len() as u64);
                if let Some(filling) = chats.get_mut(which as usize) {
                    write(tx, filling, number)?;
                }
            }
            // Somebody has seen them: `recv` is not to print them all.
            let rows: Vec<MessageRow> = tx.unprinted(0, AT_ONCE as u32)?.iter().map(|message| message.row).collect();
            Ok(tx.mark_printed(&rows)?)
        })?;
        stored = until;
    }
    store.transact::<_, BenchError>(|tx| chats.iter_mut().enumerate().try_for_each(|(i, c)| end(tx, i as u64, c)))?;
    store.checkpoint()?;
    Ok(Filled { chats: shape.chats })
}

/// One in four goes to the first; of two throws the lower, so that low numbers get more.
fn pick(dice: &mut u64, chats: u64) -> u64 {
    if below(dice, 4) == 0 { 0 } else { below(dice, chats).min(below(dice, chats)) }
}

fn begin(tx: &Tx, number: u64) -> Result<Filling, BenchError> {
    let own = tx.profile()?.ok_or_else(|| BenchError::Failed("the profile is not registered".into()))?;
    let account = contact(number)?;
    let device = account.list.list.devices.first().map_or(DeviceId([0; 16]), |entry| entry.device);
    tx.save_account(&account, Millis(BEGIN))?;
    let chat = tx.direct_chat(&own.account, &account.account, Millis(BEGIN))?;
    Ok(Filling { chat, device })
}

fn contact(number: u64) -> Result<Account, BenchError> {
    let bug = |why: String| BenchError::Failed(format!("cannot make a contact: {why}"));
    let mut entropy = [9; 32];
    entropy[..8].copy_from_slice(&number.to_be_bytes());
    let root = RootKey::from_entropy(&entropy);
    let mut device = [3; 16];
    device[..8].copy_from_slice(&number.to_be_bytes());
    let key = DeviceKey::from_seed(&entropy).public();
    let list = first_list(&root, DeviceId(device), key, Millis(BEGIN));
    Ok(Account {
        account: root.account(),
        name: Name::new(format!("friend-{number}")).map_err(|e| bug(e.to_string()))?,
        root: root.public(),
        list: verify_next(&root.public(), None, &list).map_err(|e| bug(e.to_string()))?,
        trust: Trust::InUse,
    })
}

fn write(tx: &Tx, filling: &mut Filling, number: u64) -> Result<(), StoreError> {
    let chat = &mut filling.chat;
    chat.seq = chat.seq.next();
    let own = number.is_multiple_of(3);
    if !own {
        chat.arrived = chat.seq;
    }
    let author: AccountId = chat.peer;
    let mut id = [5; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let time = Millis(BEGIN + number * PACE);
    let text = text("history", number);
    let arrival = Arrival {
        author,
        device: filling.device,
        id: MessageId(id),
        own,
        seq: chat.seq,
        place: chat.place(chat.seq),
        text: &text,
        sent_at: time,
        relay_time: time,
    };
    tx.insert_arrival(chat.row, &arrival).map(drop)
}

/// Everything was told and delivered; nothing is left to do in these chats but to be shown.
fn end(tx: &Tx, number: u64, filling: &mut Filling) -> Result<(), BenchError> {
    let chat = &mut filling.chat;
    let unread = if number % 8 == 1 { 5.min(chat.seq.0) } else { 0 };
    chat.read_place = chat.place(Seq(chat.seq.0 - unread));
    (chat.told_delivered, chat.told_read) = (chat.arrived, Seq(chat.read_place));
    tx.save_chat(chat)?;
    tx.raise_marks(chat.row, &filling.device, &chat.peer, chat.seq.0, chat.seq.0)?;
    Ok(())
}
