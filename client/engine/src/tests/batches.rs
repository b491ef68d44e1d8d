//! Envelopes taken together, with a real group: ratchets are written once, and a bug in one envelope harms no other.

use super::*;
use aside_crypto::{Group, Me, Mls, Scope, Terms};
use aside_protocol::content::{Aad, Content, ContentBody, Text};
use aside_protocol::group::{AccountState, ChatContext, ChatKind};
use aside_protocol::request::Suite;
use aside_store::MlsStorage;
use aside_store::history::{Entry, PageCursor};

/// The other side: peer 2, with its own storage and nothing of the engine.
pub(super) struct Writer {
    store: Store,
    mls: Mls,
    me: Me,
    group: Option<Group>,
    said: u64,
}

impl Writer {
    /// Founds the chat with `engine` and returns founding and welcome, as the relay would deliver them.
    pub(super) fn founding(engine: &mut Engine) -> (Self, Vec<RelayFrame>) {
        let (root, account, _) = identity(2);
        engine.step(NOW, &mut Counting(0), |step| Ok(step.tx.save_account(&account, NOW)?)).unwrap();
        let uploads = requests(engine.logged_in(&login(0, 0), NOW, &mut Counting(0)).unwrap());
        let package = uploads.into_iter().find_map(|(_, request)| match request {
            Request::PutKeyPackages(put) => put.packages.into_iter().find(|package| !package.last_resort),
            _ => None,
        });
        let package = package.unwrap().body;
        let me = Me { root: root.public(), device: DeviceId([2; 16]), key: DeviceKey::from_seed(&[2; 32]) };
        let mut writer =
            Self { store: Store::in_memory().unwrap(), mls: Mls::new().unwrap(), me, group: None, said: 1 };
        let own = identity(1).1;
        let made = writer.with(|scope, group| {
            let entry = &own.list.list.devices[0];
            let member = scope.check_key_package(&package, &own.root, entry, Suite::XWing, NOW).unwrap();
            let (mut founded, made) =
                scope.found(&Terms { context: context(), state: None }, None, &[member], &aad(1, 0), [9; 16]).unwrap();
            founded.merge_own(scope).unwrap();
            *group = Some(founded);
            made
        });
        let founding = Envelope {
            base: Some(Seq(0)),
            incarnation: Some(1),
            body: Some(made.commit),
            ..envelope(1, 1, EnvelopeKind::Founding)
        };
        let welcome = Envelope {
            seq: None,
            n: None,
            base: Some(Seq(1)),
            incarnation: Some(1),
            body: made.welcome,
            ..envelope(2, 1, EnvelopeKind::Welcome)
        };
        (writer, vec![RelayFrame::Deliver(founding), RelayFrame::Deliver(welcome)])
    }

    fn with<T>(&mut self, work: impl FnOnce(&Scope<'_, MlsStorage<'_>>, &mut Option<Group>) -> T) -> T {
        let Self { store, mls, me, group, .. } = self;
        store.transact::<_, StoreError>(|tx| Ok(work(&Scope::new(mls, &tx.mls(), me), group))).unwrap()
    }

    /// The next message, under the `seq` that its number has when nothing else is in between.
    fn say(&mut self, text: &str) -> Envelope {
        self.said += 1;
        let n = self.said;
        let content = Content {
            id: MessageId([n as u8; 16]),
            time: NOW,
            list_version: 1,
            list_hash: identity(2).1.list.hash,
            body: ContentBody::Text(Text { text: text.into() }),
            again: None,
        };
        let body = self.with(|scope, group| group.as_mut().unwrap().encrypt(scope, &aad(n, 1), &content).unwrap());
        Envelope { base: Some(Seq(1)), body: Some(body), ..envelope(n + 1, n, EnvelopeKind::Message) }
    }
}

fn aad(n: u64, base: u64) -> Aad {
    Aad { chat: chat(), n: N(n), base: Seq(base) }
}

fn context() -> ChatContext {
    let state = |account: &Account| AccountState { account: account.account, version: 1, hash: account.list.hash };
    let accounts = [1, 2].map(|number| state(&identity(number).1)).to_vec();
    ChatContext { chat: chat(), kind: ChatKind::Direct, incarnation: 1, accounts }
}

fn deliver(envelopes: &[Envelope]) -> Vec<RelayFrame> {
    envelopes.iter().cloned().map(RelayFrame::Deliver).collect()
}

/// Texts of the chat, oldest first; notices are left out.
pub(super) fn texts(engine: &mut Engine) -> Vec<String> {
    let page = engine.read(|tx| Ok(tx.page(tx.chat(&chat())?.unwrap().row, PageCursor::NEWEST, 100)?)).unwrap();
    let text = |entry| match entry {
        Entry::Message(message) if !message.notice => Some(message.text),
        _ => None,
    };
    page.entries.into_iter().filter_map(text).collect()
}

/// What a new process finds.
fn restarted(engine: Engine) -> Engine {
    let mut engine = Engine::new(engine.store, Config::default()).unwrap();
    engine.logged_in(&login(0, 100), NOW, &mut Counting(0)).unwrap();
    engine
}

#[test]
fn ratchets_moved_in_a_batch_are_stored_with_it() {
    let mut engine = engine();
    let (mut writer, mut frames) = Writer::founding(&mut engine);
    let said = ["one", "two", "three"].map(|text| writer.say(text));
    frames.extend(deliver(&said));
    take(&mut engine, frames);
    assert_eq!(texts(&mut engine), ["one", "two", "three"]);
    assert_eq!(engine.read(|tx| Ok(tx.cursor(PartitionId(0))?)).unwrap(), Some(said[2].pos));

    let mut engine = restarted(engine);
    // The same ciphertext as of a new message: its key is gone, so it cannot be read a second time.
    let copy = Envelope { pos: Pos(9), seq: Some(Seq(5)), ..said[1].clone() };
    take(&mut engine, deliver(&[copy]));
    assert_eq!(gaps(&mut engine), [Gap { first: 5, last: 5, why: Why::Unreadable }]);
}

#[test]
fn a_message_that_cannot_be_read_costs_its_neighbours_nothing() {
    let mut engine = engine();
    let (mut writer, mut frames) = Writer::founding(&mut engine);
    let mut said = ["one", "two", "three"].map(|text| writer.say(text));
    said[1].body = Some(Body::from(vec![7; 300]));
    frames.extend(deliver(&said));
    take(&mut engine, frames);
    let mut engine = restarted(engine);
    take(&mut engine, deliver(&[writer.say("four")]));
    assert_eq!(texts(&mut engine), ["one", "three", "four"]);
    assert_eq!(gaps(&mut engine), [Gap { first: 3, last: 3, why: Why::Unreadable }]);
}

#[test]
fn a_bug_in_a_batch_undoes_one_envelope_alone() {
    let mut engine = engine();
    let (mut writer, mut frames) = Writer::founding(&mut engine);
    let one = writer.say("one");
    // No database row can hold its number: that is not foreseen anywhere, as a bug would not be.
    let poison = Envelope { n: Some(N(u64::MAX)), ..envelope(4, 3, EnvelopeKind::Commit) };
    let mut two = writer.say("two");
    (two.pos, two.seq) = (Pos(5), Some(Seq(4)));
    frames.extend(deliver(&[one, poison, two]));
    take(&mut engine, frames);
    assert_eq!(texts(&mut engine), ["one", "two"]);
    assert_eq!(gaps(&mut engine), [Gap { first: 3, last: 3, why: Why::Unreadable }]);
    assert_eq!(engine.read(|tx| Ok(tx.cursor(PartitionId(0))?)).unwrap(), Some(Pos(5)));
    let state = engine.read(|tx| Ok(tx.chat(&chat())?.unwrap().state)).unwrap();
    assert_eq!(state, ChatState::Broken);
    let mut engine = restarted(engine);
    let mut three = writer.say("three");
    (three.pos, three.seq) = (Pos(6), Some(Seq(5)));
    take(&mut engine, deliver(&[three]));
    assert_eq!(texts(&mut engine), ["one", "two", "three"]);
}
