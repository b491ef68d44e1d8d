//! A device with its own database, and shortcuts for what the engine would do.

use aside_crypto::{
    CheckedKeyPackage, DeviceKey, Group, Me, Mls, MlsError, Opened, Proposed, RootKey, Scope, Terms, Wanted, What,
};
use aside_protocol::content::{Aad, Content, ContentBody, Text};
use aside_protocol::device_list::DeviceEntry;
use aside_protocol::group::{AccountState, ChatContext, ChatKind};
use aside_protocol::request::Suite;
use aside_protocol::{Body, ChatId, DeviceId, Hash, MessageId, Millis, N, Seq};
use openmls_sqlite_storage::{Codec, SqliteStorageProvider};
use rusqlite::Connection;

#[derive(Default)]
pub struct Cbor;

#[derive(Debug)]
pub struct CborError(String);

impl std::fmt::Display for CborError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CborError {}

impl Codec for Cbor {
    type Error = CborError;
    fn to_vec<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, CborError> {
        cbor4ii::serde::to_vec(Vec::new(), value).map_err(|e| CborError(e.to_string()))
    }
    fn from_slice<T: serde::de::DeserializeOwned>(slice: &[u8]) -> Result<T, CborError> {
        cbor4ii::serde::from_slice(slice).map_err(|e| CborError(e.to_string()))
    }
}

pub type Store<'a> = SqliteStorageProvider<Cbor, &'a Connection>;

/// Far in the future of every test.
pub const LATER: Millis = Millis(2_000);
pub const NOW: Millis = Millis(1_000);

pub struct Party {
    pub root: RootKey,
    pub me: Me,
    pub db: Connection,
    mls: Mls,
}

impl Party {
    /// Device `n` of account `n`.
    pub fn new(n: u8) -> Self {
        let root = RootKey::from_entropy(&[n; 32]);
        let me = Me { root: root.public(), device: DeviceId([n; 16]), key: DeviceKey::from_seed(&[n + 100; 32]) };
        let mut db = Connection::open_in_memory().unwrap();
        SqliteStorageProvider::<Cbor, &mut Connection>::new(&mut db).run_migrations().unwrap();
        Self { root, me, db, mls: Mls::new().unwrap() }
    }

    pub fn with<T>(&self, run: impl FnOnce(&Scope<'_, Store<'_>>) -> T) -> T {
        let store = Store::new(&self.db);
        run(&Scope::new(&self.mls, &store, &self.me))
    }

    pub fn entry(&self) -> DeviceEntry {
        DeviceEntry { device: self.me.device, key: self.me.key.public(), added: NOW }
    }

    pub fn key_package(&self) -> Body {
        self.with(|scope| scope.key_package(Suite::XWing, false, LATER)).unwrap()
    }

    /// `other`'s new key package, checked by this party.
    pub fn checked(&self, other: &Party) -> CheckedKeyPackage {
        self.check(&other.key_package(), other)
    }

    pub fn check(&self, package: &Body, other: &Party) -> CheckedKeyPackage {
        self.with(|scope| scope.check_key_package(package, &other.me.root, &other.entry(), Suite::XWing, NOW)).unwrap()
    }

    /// Founds a direct chat with `others` and merges at once.
    pub fn found(&self, others: &[&Party]) -> (Group, Proposed) {
        let packages: Vec<_> = others.iter().map(|other| self.checked(other)).collect();
        self.with(|scope| {
            let (mut group, proposed) = scope.found(&terms(), None, &packages, &aad(1, 0), [9; 16]).unwrap();
            group.merge_own(scope).unwrap();
            (group, proposed)
        })
    }

    pub fn join(&self, proposed: &Proposed) -> Group {
        self.try_join(proposed.welcome.as_ref().unwrap()).unwrap()
    }

    pub fn try_join(&self, welcome: &Body) -> Result<Group, MlsError> {
        self.with(|scope| scope.read_welcome(welcome)?.join(scope))
    }

    pub fn say(&self, group: &mut Group, text: &str) -> Body {
        self.with(|scope| group.encrypt(scope, &aad(2, 1), &content(text))).unwrap()
    }

    pub fn open(&self, group: &mut Group, body: &Body) -> Result<Opened, MlsError> {
        self.with(|scope| group.open(scope, body))
    }

    /// Opens what must be a text.
    pub fn hear(&self, group: &mut Group, body: &Body) -> String {
        match self.open(group, body).unwrap().what {
            What::Content(content) => match content.body {
                ContentBody::Text(text) => text.text,
                other => panic!("not a text: {other:?}"),
            },
            other => panic!("not content: {other:?}"),
        }
    }

    /// Opens what must be a commit, and merges it.
    pub fn follow(&self, group: &mut Group, commit: &Body) {
        match self.open(group, commit).unwrap().what {
            What::Commit(facts) => self.with(|scope| group.merge(scope, facts)).unwrap(),
            other => panic!("not a commit: {other:?}"),
        }
    }

    pub fn update(&self, group: &mut Group) -> Proposed {
        self.with(|scope| group.update_keys(scope, &aad(3, 1))).unwrap()
    }

    /// Proposes to remove `device` and add it again by a package, with evidence.
    pub fn readd(
        &self,
        group: &mut Group,
        aad: &Aad,
        device: DeviceId,
        package: &CheckedKeyPackage,
        evidence: &[Body],
    ) -> Result<Proposed, MlsError> {
        let (remove, add) = (vec![device], vec![package.clone()]);
        let wanted = Wanted { remove, add, evidence: evidence.to_vec(), ..Wanted::default() };
        self.with(|scope| group.propose(scope, aad, &wanted))
    }

    pub fn merge_own(&self, group: &mut Group) {
        self.with(|scope| group.merge_own(scope)).unwrap();
    }

    pub fn load(&self, id: &[u8]) -> Group {
        self.with(|scope| scope.load(id)).unwrap().unwrap()
    }
}

pub fn aad(n: u64, base: u64) -> Aad {
    Aad { chat: ChatId([7; 32]), n: N(n), base: Seq(base) }
}

pub fn context() -> ChatContext {
    let account = RootKey::from_entropy(&[1; 32]).account();
    let accounts = vec![AccountState { account, version: 1, hash: Hash([3; 32]) }];
    ChatContext { chat: ChatId([7; 32]), kind: ChatKind::Direct, incarnation: 1, accounts }
}

pub fn terms() -> Terms {
    Terms { context: context(), state: None }
}

pub fn content(text: &str) -> Content {
    Content {
        id: MessageId([5; 16]),
        time: NOW,
        list_version: 1,
        list_hash: Hash([3; 32]),
        body: ContentBody::Text(Text { text: text.into() }),
        again: None,
    }
}

/// Two who can talk.
pub fn pair() -> (Party, Group, Party, Group) {
    let (alice, bob) = (Party::new(1), Party::new(2));
    let (a, proposed) = alice.found(&[&bob]);
    let b = bob.join(&proposed);
    (alice, a, bob, b)
}

/// Whether each reads what the other says.
pub fn talk(one: &Party, a: &mut Group, other: &Party, b: &mut Group) {
    let there = one.say(a, "there");
    assert_eq!(other.hear(b, &there), "there");
    let back = other.say(b, "and back");
    assert_eq!(one.hear(a, &back), "and back");
}
