#![allow(clippy::unwrap_used, clippy::panic)]
//! The hands on a real agent and an engine in memory, without a relay: everything that works offline, and what people
//! are told of the rest.

mod contacts;
mod pages;

use super::run;
use crate::agent::{Agent, Choice, Handle};
use aside_crypto::lists::first_list;
use aside_crypto::{DeviceKey, RootKey};
use aside_engine::{Config, Engine};
use aside_protocol::device_list::verify_next;
use aside_protocol::login::Mode;
use aside_protocol::{AccountId, DeviceId, Hash, MessageId, Millis, Name, Seq};
use aside_store::accounts::{Account, Trust};
use aside_store::messages::Arrival;
use aside_store::profile::{Profile, RelayPlace};
use aside_store::{Store, StoreError, Tx};
use aside_tui::cmd::Span;
use aside_tui::data::{Chat, Key, Link, Page, Progress, Unsent, What};
use aside_tui::{Cmd, Msg};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeroize::Zeroizing;

const NOW: Millis = Millis(1_795_000_000_000);

/// An account, known by a number; those above 100 have the names of those 100 below.
fn account(number: u8) -> Account {
    let root = RootKey::from_entropy(&[number; 32]);
    let key = DeviceKey::from_seed(&[number; 32]).public();
    let list = verify_next(&root.public(), None, &first_list(&root, DeviceId([number; 16]), key, NOW)).unwrap();
    let name = Name::new(format!("peer{}", number % 100)).unwrap();
    let trust = if number < 100 { Trust::InUse } else { Trust::Pending };
    Account { account: root.account(), name, root: root.public(), list, trust }
}

fn id(number: u8) -> AccountId {
    account(number).account
}

/// A registered profile of account 1. Its relay can never be reached: `Stopped` is how its connection ends.
fn engine(fill: impl FnOnce(&Tx)) -> Engine {
    let own = account(1);
    let root = RootKey::from_entropy(&[1; 32]);
    let list = first_list(&root, DeviceId([1; 16]), DeviceKey::from_seed(&[1; 32]).public(), NOW);
    let profile = Profile {
        account: own.account,
        name: own.name.clone(),
        root: own.root,
        device: DeviceId([1; 16]),
        seed: Zeroizing::new([1; 32]),
        list,
        list_version: 1,
        list_hash: own.list.hash,
        relay: RelayPlace { addresses: vec!["localhost:1".into()], pin: Hash([0; 32]), mode: Mode::Proxied },
        registering: None,
        log: None,
        last_resort: Millis(0),
        created: NOW,
    };
    let mut store = Store::in_memory().unwrap();
    let filled = store.transact::<_, StoreError>(|tx| {
        tx.begin_profile(&profile)?;
        tx.confirm_profile()?;
        tx.save_account(&own, NOW)?;
        fill(tx);
        Ok(())
    });
    filled.unwrap();
    Engine::new(store, Config::default()).unwrap()
}

/// Makes an account known.
fn know(tx: &Tx, number: u8) {
    tx.save_account(&account(number), Millis(NOW.0 + u64::from(number))).unwrap();
}

/// Messages `from..=to` of an account, with their numbers as texts.
fn say(tx: &Tx, author: u8, from: u64, to: u64) {
    let mut chat = tx.direct_chat(&id(1), &id(author), NOW).unwrap();
    for n in from..=to {
        let text = n.to_string();
        let mut message = [author; 16];
        message[..8].copy_from_slice(&n.to_be_bytes());
        let arrival = Arrival {
            author: id(author),
            device: DeviceId([author; 16]),
            id: MessageId(message),
            own: false,
            seq: Seq(n),
            place: n,
            text: &text,
            sent_at: NOW,
            relay_time: Millis(NOW.0 + n),
        };
        assert!(tx.insert_arrival(chat.row, &arrival).unwrap());
    }
    chat.seq = Seq(to);
    tx.save_chat(&chat).unwrap();
}

/// The hands at work.
struct Desk {
    agent: Agent,
    cmds: UnboundedSender<Cmd>,
    msgs: UnboundedReceiver<Msg>,
    hands: JoinHandle<()>,
}

impl Desk {
    fn open(fill: impl FnOnce(&Tx)) -> Self {
        let agent = Agent::start(engine(fill), Choice::Auto);
        let (cmds, asked) = unbounded_channel();
        let (tell, msgs) = unbounded_channel();
        let hands = tokio::spawn(run(agent.handle(), asked, move |msg| drop(tell.send(msg))));
        Self { agent, cmds, msgs, hands }
    }

    fn handle(&self) -> Handle {
        self.agent.handle()
    }

    fn ask(&self, cmd: Cmd) {
        self.cmds.send(cmd).unwrap();
    }

    /// The next message of a kind; others are passed over.
    async fn until<T>(&mut self, mut wanted: impl FnMut(&Msg) -> Option<T>) -> T {
        let found = async {
            loop {
                let msg = self.msgs.recv().await.unwrap();
                if let Some(found) = wanted(&msg) {
                    return found;
                }
            }
        };
        timeout(Duration::from_secs(60), found).await.unwrap()
    }

    async fn chats(&mut self) -> Vec<Chat> {
        self.ask(Cmd::LoadChats);
        self.until(|msg| if let Msg::Chats(chats) = msg { Some(chats.clone()) } else { None }).await
    }

    async fn load(&mut self, number: u8, span: Span, reach: u32) -> (Page, String) {
        static TURN: AtomicU64 = AtomicU64::new(0);
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        self.ask(Cmd::Load { peer: id(number), turn, span, reach });
        self.until(|msg| match msg {
            Msg::Loaded { peer, turn: of, page, draft } if *peer == id(number) && *of == turn => {
                Some((page.clone(), draft.clone()))
            }
            _ => None,
        })
        .await
    }

    async fn unsent(&mut self, number: u8) -> Vec<Unsent> {
        self.ask(Cmd::LoadUnsent(id(number)));
        self.until(|msg| match msg {
            Msg::Unsent(peer, unsent, None) if *peer == id(number) => Some(unsent.clone()),
            _ => None,
        })
        .await
    }

    async fn refused(&mut self) -> (String, String) {
        self.until(|msg| match msg {
            Msg::Refused { text, why, .. } => Some((text.clone(), why.clone())),
            _ => None,
        })
        .await
    }

    fn send(&self, number: u8, text: &str) {
        self.ask(Cmd::Send { peer: id(number), text: text.into() });
    }
}

/// The texts of a page, oldest first; what is no text in angle brackets.
fn texts(page: &Page) -> Vec<String> {
    assert!(page.entries.windows(2).all(|pair| pair[0].key < pair[1].key), "{page:?}");
    let text = |what: &What| match what {
        What::Own { text, .. } | What::Peer { text, .. } | What::Notice { text } => text.clone(),
        What::Gap { count, .. } => format!("<{count} missing>"),
        What::KeyChanged => "<key>".into(),
    };
    page.entries.iter().map(|entry| text(&entry.what)).collect()
}

#[tokio::test]
async fn what_is_sent_is_in_the_page_and_in_the_list_and_waits() {
    let mut desk = Desk::open(|tx| know(tx, 2));
    desk.ask(Cmd::SaveDraft { peer: id(2), text: "hel".into() });
    desk.send(2, "hello");
    // Asked right behind it, and yet it sees it.
    let (page, draft) = desk.load(2, Span::Newest, 9).await;
    assert_eq!((texts(&page), draft.as_str()), (vec!["hello".to_owned()], ""));
    assert!(matches!(page.entries[0].what, What::Own { progress: Progress::Pending, .. }));
    let chats = desk.chats().await;
    assert_eq!((chats[0].name.as_str(), chats[0].last.as_deref()), ("peer2", Some("hello")));
    assert_eq!((chats[0].last_own, chats[0].pending, chats[0].draft), (true, 1, false));
    assert_eq!(desk.handle().read(|tx| Ok(tx.unsent_count()?)).await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_not_accepted_comes_back_with_its_text() {
    let mut desk = Desk::open(|tx| know(tx, 2));
    let long = "x".repeat(aside_protocol::limits::MAX_TEXT + 1);
    desk.send(2, &long);
    let (text, why) = desk.refused().await;
    assert!(text == long && why.contains("too long"), "{why}");
}

#[tokio::test]
async fn a_draft_outlives_the_hands() {
    let mut desk = Desk::open(|tx| know(tx, 2));
    let (_, draft) = desk.load(2, Span::Newest, 9).await;
    assert_eq!(draft, "");
    for text in ["w", "we", "well"] {
        desk.ask(Cmd::SaveDraft { peer: id(2), text: text.into() });
    }
    // No more commands: what was asked before is done when the hands are.
    drop(desk.cmds);
    desk.hands.await.unwrap();
    let (handle, peer) = (desk.agent.handle(), id(2));
    assert_eq!(handle.read(move |tx| Ok(tx.draft(&peer)?)).await.unwrap(), "well");
    let list = handle.read(|tx| Ok(tx.summaries(aside_store::summaries::Shown::WHOLE)?)).await.unwrap();
    assert!(list[0].draft.is_some());
    desk.agent.close(Duration::ZERO).await;
}

#[tokio::test]
async fn what_waits_can_be_taken_back_once() {
    let mut desk = Desk::open(|tx| know(tx, 2));
    desk.send(2, "one");
    desk.send(2, "two");
    let unsent = desk.unsent(2).await;
    let shown: Vec<_> = unsent.iter().map(|unsent| (unsent.text.as_str(), unsent.deletable)).collect();
    assert_eq!(shown, [("one", true), ("two", true)]);
    for expected in [true, false] {
        desk.ask(Cmd::Withdraw { peer: id(2), row: unsent[0].row });
        let result =
            desk.until(|msg| if let Msg::Withdrawn(_, result) = msg { Some(result.clone()) } else { None }).await;
        assert_eq!(result.is_ok(), expected, "{result:?}");
    }
    let (page, _) = desk.load(2, Span::Newest, 9).await;
    assert_eq!(texts(&page), ["two"]);
}

#[tokio::test]
async fn changes_are_told() {
    let mut desk = Desk::open(|tx| know(tx, 2));
    desk.chats().await;
    while desk.msgs.try_recv().is_ok() {}
    desk.send(2, "hello");
    desk.until(|msg| matches!(msg, Msg::Changed).then_some(())).await;
}

#[tokio::test]
async fn a_flood_of_changes_and_loads_is_answered_by_a_few() {
    let mut desk = Desk::open(|tx| know(tx, 2));
    for n in 0..300 {
        desk.send(2, &n.to_string());
        desk.ask(Cmd::LoadChats);
    }
    let (mut chats, mut changes) = (0, 0);
    desk.until(|msg| {
        changes += usize::from(matches!(msg, Msg::Changed));
        let Msg::Chats(list) = msg else { return None };
        chats += 1;
        // The last one sees everything.
        (list.first()?.pending == 300).then_some(())
    })
    .await;
    assert!(chats < 100 && changes < 100, "{chats} lists and {changes} notices for 300 changes");
}

#[tokio::test]
async fn a_person_who_asks_makes_even_a_stopped_connection_try_again() {
    let mut desk = Desk::open(|_| {});
    let stopped = |msg: &Msg| match msg {
        Msg::Link(Link::Stopped { why, wrong_relay }) => Some((why.clone(), *wrong_relay)),
        _ => None,
    };
    let (why, wrong_relay) = desk.until(stopped).await;
    assert!(why.contains("proxy") && !wrong_relay, "{why}");
    let mut connectivity = desk.handle().connectivity();
    connectivity.mark_unchanged();
    desk.ask(Cmd::Retry);
    // Without being asked, it would stay as it is for ever.
    timeout(Duration::from_secs(60), connectivity.changed()).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_fails_says_what_happened() {
    let mut desk = Desk::open(|_| {});
    desk.ask(Cmd::LoadInfo(id(9)));
    let why = desk.until(|msg| if let Msg::Failed(why) = msg { Some(why.clone()) } else { None }).await;
    assert!(why.contains("nothing is known"), "{why}");
}

/// A key that names no entry of a part's beginning.
fn first(part: u32) -> Key {
    Key { part, place: 0, row: 0 }
}
