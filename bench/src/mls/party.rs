//! Somebody in a group: keys, and for those who work with it the client's encrypted database in a folder.

use crate::error::BenchError;
use crate::person::random;
use crate::processes::own_cpu_ms;
use aside_crypto::lists::first_list;
use aside_crypto::{CheckedKeyPackage, DeviceKey, Group, Me, Mls, RootKey, Scope};
use aside_protocol::device_list::{DeviceEntry, verify_next};
use aside_protocol::group::{AccountLists, Role, RosterEntry};
use aside_protocol::request::Suite;
use aside_protocol::{AccountId, Body, DeviceId, Millis};
use aside_store::{MlsStorage, ProfileFolder, Store};
use std::path::Path;
use std::time::Instant;

/// An account with one device.
pub struct Somebody {
    /// Who they are.
    pub me: Me,
    entry: DeviceEntry,
    list: Body,
    roster: RosterEntry,
}

impl Somebody {
    /// With fresh keys.
    pub fn new() -> Result<Self, BenchError> {
        let (root, key) = (RootKey::from_entropy(&random::<32>()?), DeviceKey::from_seed(&random::<32>()?));
        let device = DeviceId(random()?);
        let list = first_list(&root, device, key.public(), Millis(1));
        let verified =
            verify_next(&root.public(), None, &list).map_err(|error| BenchError::Failed(error.to_string()))?;
        let (version, hash, role) = (verified.list.version, verified.hash, Role::Member);
        let roster = RosterEntry { account: AccountId::of(&root.public()), role, version, hash, since: 1 };
        let entry = DeviceEntry { device, key: key.public(), added: Millis(1) };
        Ok(Self { me: Me { root: root.public(), device, key }, entry, list, roster })
    }

    /// What a group knows of them.
    pub fn roster(&self, role: Role) -> RosterEntry {
        RosterEntry { role, ..self.roster }
    }

    /// Their device list, as evidence.
    pub fn lists(&self) -> AccountLists {
        AccountLists { root: self.me.root, lists: vec![self.list.clone()] }
    }

    /// A key package whose private half is kept nowhere: for those who only fill a tree.
    pub fn package(&self, mls: &Mls, nowhere: &mut Store, suite: Suite) -> Result<Body, BenchError> {
        // What is read is undone.
        nowhere
            .read(|tx| Scope::new(mls, &tx.mls(), &self.me).key_package(suite, false, Millis::MAX).map_err(mls_error))
    }
}

/// Somebody who works with groups.
pub struct Party {
    /// Who.
    pub who: Somebody,
    mls: Mls,
    store: Store,
    folder: ProfileFolder,
}

/// How long a step took: until its transaction was committed, and without that.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// What the library and the statements took.
    pub work_ms: f64,
    /// With the commit.
    pub stored_ms: f64,
    /// Processor time of all threads, commit included.
    pub cpu_ms: f64,
}

impl Party {
    /// With a new profile in a folder.
    pub fn create(folder: &Path) -> Result<Self, BenchError> {
        let folder = ProfileFolder::new(folder);
        let store = Store::create(&folder, random()?)?;
        Ok(Self { who: Somebody::new()?, mls: new_mls()?, store, folder })
    }

    /// The same device in its existing profile: its keys matter to nobody here.
    pub fn open(folder: &Path) -> Result<Self, BenchError> {
        let folder = ProfileFolder::new(folder);
        let store = Store::open(&folder)?;
        Ok(Self { who: Somebody::new()?, mls: new_mls()?, store, folder })
    }

    /// Works in one transaction, as the engine does for each input.
    pub fn step<T>(
        &mut self,
        work: impl FnOnce(&Scope<'_, MlsStorage<'_>>) -> Result<T, BenchError>,
    ) -> Result<(T, Took), BenchError> {
        let (cpu, began, mut work_ms) = (own_cpu_ms()?, Instant::now(), 0.0);
        let value = self.store.transact(|tx| {
            let storage = tx.mls();
            let value = work(&Scope::new(&self.mls, &storage, &self.who.me));
            work_ms = ms(began);
            value
        })?;
        let stored_ms = ms(began);
        Ok((value, Took { work_ms, stored_ms, cpu_ms: own_cpu_ms()? - cpu }))
    }

    /// A key package of its own.
    pub fn package(&mut self, suite: Suite) -> Result<Body, BenchError> {
        Ok(self.step(|scope| scope.key_package(suite, false, Millis::MAX).map_err(mls_error))?.0)
    }

    /// Checks others' key packages, as whoever adds them does.
    pub fn check(
        &mut self,
        of: &[(&Somebody, Body)],
        suite: Suite,
    ) -> Result<(Vec<CheckedKeyPackage>, Took), BenchError> {
        self.step(|scope| {
            let check = |(who, package): &(&Somebody, Body)| {
                scope.check_key_package(package, &who.me.root, &who.entry, suite, Millis(1)).map_err(mls_error)
            };
            of.iter().map(check).collect()
        })
    }

    /// A group as the storage has it.
    pub fn load(&mut self, id: &[u8]) -> Result<(Group, Took), BenchError> {
        self.step(|scope| {
            scope.load(id).map_err(mls_error)?.ok_or_else(|| BenchError::Failed("a group is lost".into()))
        })
    }

    /// Bytes of the database, with nothing left in the log beside it.
    pub fn database_bytes(&mut self) -> Result<u64, BenchError> {
        self.store.checkpoint()?;
        Ok(std::fs::metadata(self.folder.database())?.len())
    }
}

/// Primitives and randomness.
pub fn new_mls() -> Result<Mls, BenchError> {
    Mls::new().map_err(mls_error)
}

pub fn mls_error(error: aside_crypto::MlsError) -> BenchError {
    BenchError::Client(error.into())
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
