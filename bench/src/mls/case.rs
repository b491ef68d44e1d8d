//! One group of a size: founded, joined, talked in, changed; each step in a transaction on a real database.

use super::party::{Party, Somebody, Took, mls_error, new_mls};
use crate::error::BenchError;
use crate::figures::{Figures, median};
use crate::person::random;
use aside_crypto::{CheckedKeyPackage, Group, Opened, Proposed, Terms, Wanted, What};
use aside_protocol::content::{Aad, Content, ContentBody, Text};
use aside_protocol::group::{ChatContext, ChatKind, Evidence, GroupState, Pack, Role, Roster};
use aside_protocol::request::{Origin, Suite};
use aside_protocol::{Body, ChatId, GroupNonce, Hash, MessageId, Millis, N, Seq, codec};
use aside_store::Store;
use std::path::Path;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The suite decides the kind: groups have one, channels the other.
    pub suite: Suite,
    /// Leaves.
    pub leaves: usize,
}

impl Size {
    fn kind(self) -> ChatKind {
        if self.suite == Suite::XWing { ChatKind::Group } else { ChatKind::Channel }
    }

    /// As figures are called.
    pub fn name(self) -> String {
        let suite = if self.suite == Suite::XWing { "xwing" } else { "classical" };
        format!("{suite}_{}", self.leaves)
    }
}

/// Everybody of a group, and what its members know.
pub struct Cast {
    /// Who founds it.
    pub founder: Party,
    size: Size,
    others: Vec<Somebody>,
    chat: ChatId,
    state: GroupState,
    roster: Roster,
    n: u64,
}

impl Cast {
    /// A founder with a profile in a folder, and others who have keys only.
    pub fn new(size: Size, folder: &Path, others: usize) -> Result<Self, BenchError> {
        let founder = Party::create(folder)?;
        let others = (0..others).map(|_| Somebody::new()).collect::<Result<Vec<_>, _>>()?;
        let owner = founder.who.roster(Role::Owner);
        let origin = Origin { account: owner.account, nonce: GroupNonce(random()?) };
        let mut roster = Roster::default();
        roster.put(owner);
        let state = GroupState { title: "a group".into(), roster: roster.hash(), origin, join: None };
        let chat = ChatId::group(&origin.account, &origin.nonce);
        Ok(Self { founder, size, others, chat, state, roster, n: 0 })
    }

    /// Makes everybody's key package, which the founder then checks.
    pub fn packages(&mut self, last: Option<(&Somebody, Body)>) -> Result<(Vec<CheckedKeyPackage>, Took), BenchError> {
        let end = self.others.len();
        self.packages_among(last.into_iter().map(|last| (end, last)).collect())
    }

    /// The same with those of others at some places in the tree, the first place first.
    pub fn packages_among(
        &mut self,
        extra: Vec<(usize, (&Somebody, Body))>,
    ) -> Result<(Vec<CheckedKeyPackage>, Took), BenchError> {
        let (mls, mut nowhere) = (new_mls()?, Store::in_memory()?);
        let package = |who| Ok((who, Somebody::package(who, &mls, &mut nowhere, self.size.suite)?));
        let mut made = self.others.iter().map(package).collect::<Result<Vec<_>, BenchError>>()?;
        for (place, one) in extra {
            made.insert(place.min(made.len()), one);
        }
        for (who, _) in &made {
            self.roster.put(who.roster(Role::Member));
        }
        self.founder.check(&made, self.size.suite)
    }

    /// Founds a group with all of them.
    pub fn found(
        &mut self,
        members: &[CheckedKeyPackage],
        extra: &[&Somebody],
    ) -> Result<(Group, Proposed, Took), BenchError> {
        let (terms, pack, aad, id) = (self.terms(), self.pack(extra), self.aad(0), random()?);
        let ((group, proposed), took) =
            self.founder.step(|scope| scope.found(&terms, Some(pack), members, &aad, id).map_err(mls_error))?;
        Ok((group, proposed, took))
    }

    fn terms(&mut self) -> Terms {
        self.state.roster = self.roster.hash();
        let context = ChatContext { chat: self.chat, kind: self.size.kind(), incarnation: 1, accounts: Vec::new() };
        Terms { context, state: Some(self.state.clone()) }
    }

    fn pack(&self, extra: &[&Somebody]) -> Pack {
        let all = self.others.iter().chain([&self.founder.who]).chain(extra.iter().copied());
        let mut accounts: Vec<_> = all.map(Somebody::lists).collect();
        accounts.retain(|lists| self.roster.get(&aside_protocol::AccountId::of(&lists.root)).is_some());
        Pack { roster: self.roster.clone(), accounts }
    }

    /// What a frame says of itself.
    pub fn aad(&mut self, base: u64) -> Aad {
        self.n += 1;
        Aad { chat: self.chat, n: N(self.n), base: Seq(base) }
    }
}

/// Measures all of it, with as many messages.
pub fn measure(size: Size, messages: usize, folder: &Path) -> Result<Figures, BenchError> {
    let mut cast = Cast::new(size, &folder.join("founder"), size.leaves.saturating_sub(2))?;
    let mut peer = Party::create(&folder.join("peer"))?;
    let empty = (cast.founder.database_bytes()?, peer.database_bytes()?);
    let package = peer.package(size.suite)?;
    let (members, checked) = cast.packages(Some((&peer.who, package)))?;
    let (mut group, founded, took) = cast.found(&members, &[&peer.who])?;
    let ((), merged) = cast.founder.step(|scope| group.merge_own(scope).map_err(mls_error))?;
    let welcome = founded.welcome.unwrap_or_default();
    let (mut theirs, joined) = join(&mut peer, &welcome)?;
    let figures = Told(Figures::default(), size)
        .took("check_packages", checked)
        .took("found", took)
        .took("found_merge", merged)
        .took("join", joined)
        .count("found_commit_bytes", founded.commit.len())
        .count("found_welcome_bytes", welcome.len())
        .count("founder_disk_bytes", (cast.founder.database_bytes()? - empty.0) as usize)
        .count("joiner_disk_bytes", (peer.database_bytes()? - empty.1) as usize);
    let figures = talk(figures, &mut cast, &mut group, (&mut peer, &mut theirs), messages)?;
    let figures = change(figures, &mut cast, &mut group, (&mut peer, &mut theirs))?;
    let (_, loaded) = peer.load(&theirs.id())?;
    Ok(figures.took("load", loaded).0)
}

/// Joins by a welcome.
pub fn join(peer: &mut Party, welcome: &Body) -> Result<(Group, Took), BenchError> {
    peer.step(|scope| {
        let staged = scope.read_welcome(welcome).map_err(mls_error)?;
        let mut group = staged.join(scope).map_err(mls_error)?;
        // As the engine does in each new epoch.
        group.receipt_secret(scope).map_err(mls_error)?;
        Ok(group)
    })
}

/// The founder writes, and the peer reads: each message in a transaction of its own, and then many in one.
fn talk(
    figures: Told,
    cast: &mut Cast,
    group: &mut Group,
    (peer, theirs): (&mut Party, &mut Group),
    messages: usize,
) -> Result<Told, BenchError> {
    let (mut encrypted, mut opened, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..messages {
        let (body, took) = say(cast, group)?;
        bytes = body.len();
        encrypted.push(took);
        let (came, took) = peer.step(|scope| theirs.open(scope, &body).map_err(mls_error))?;
        is_text(&came)?;
        opened.push(took);
    }
    let batch = (0..messages).map(|_| Ok(say(cast, group)?.0)).collect::<Result<Vec<_>, BenchError>>()?;
    let ((), together) = peer.step(|scope| {
        for body in &batch {
            is_text(&theirs.open_ahead(scope, body).map_err(mls_error)?)?;
        }
        theirs.save(scope).map_err(mls_error)
    })?;
    let each = together.stored_ms / messages.max(1) as f64;
    Ok(figures
        .took("encrypt", middle(&encrypted))
        .took("decrypt", middle(&opened))
        .number("decrypt_in_batch_ms", each)
        .count("message_bytes", bytes))
}

fn say(cast: &mut Cast, group: &mut Group) -> Result<(Body, Took), BenchError> {
    let aad = cast.aad(1);
    let content = Content {
        id: MessageId(random()?),
        time: Millis(1_000),
        list_version: 1,
        list_hash: Hash([3; 32]),
        body: ContentBody::Text(Text { text: "A text of about the length that people write in a chat.".into() }),
        again: None,
    };
    cast.founder.step(|scope| group.encrypt(scope, &aad, &content).map_err(mls_error))
}

fn is_text(opened: &Opened) -> Result<(), BenchError> {
    match &opened.what {
        What::Content(_) => Ok(()),
        What::Commit(_) => Err(BenchError::Delivery("a commit came instead of a message".into())),
    }
}

/// Somebody is added, the peer renews its keys, somebody is removed; each commit is processed by the other.
fn change(
    figures: Told,
    cast: &mut Cast,
    group: &mut Group,
    (peer, theirs): (&mut Party, &mut Group),
) -> Result<Told, BenchError> {
    let (add, added) = add(cast, group, &[&peer.who])?;
    let followed = follow(peer, theirs, &add.commit)?;
    let merged = merge_own(&mut cast.founder, group)?;
    let aad = cast.aad(2);
    let (update, updated) = peer.step(|scope| theirs.update_keys(scope, &aad).map_err(mls_error))?;
    let update_followed = follow(&mut cast.founder, group, &update.commit)?;
    merge_own(peer, theirs)?;
    let (second, again) = {
        let aad = cast.aad(3);
        peer.step(|scope| theirs.update_keys(scope, &aad).map_err(mls_error))?
    };
    follow(&mut cast.founder, group, &second.commit)?;
    merge_own(peer, theirs)?;
    let figures = figures
        .took("add", added)
        .took("add_followed", followed)
        .took("add_merge_own", merged)
        .count("add_commit_bytes", add.commit.len())
        .count("add_welcome_bytes", add.welcome.map_or(0, |welcome| welcome.len()))
        .took("update", updated)
        .took("update_again", again)
        .took("update_followed", update_followed)
        .count("update_commit_bytes", update.commit.len());
    remove(figures, cast, group, (peer, theirs))
}

/// The founder adds somebody new to a group in which `others` are too.
pub fn add(cast: &mut Cast, group: &mut Group, others: &[&Somebody]) -> Result<(Proposed, Took), BenchError> {
    let (newcomer, mls, mut nowhere) = (Somebody::new()?, new_mls()?, Store::in_memory()?);
    let package = newcomer.package(&mls, &mut nowhere, cast.size.suite)?;
    let (add, _) = cast.founder.check(&[(&newcomer, package)], cast.size.suite)?;
    cast.roster.put(newcomer.roster(Role::Member));
    let wanted = Wanted {
        add,
        evidence: vec![Body(codec::encode(&Evidence::Lists(newcomer.lists())))],
        terms: Some(cast.terms()),
        pack: Some(cast.pack(&others.iter().copied().chain([&newcomer]).collect::<Vec<_>>())),
        ..Wanted::default()
    };
    let aad = cast.aad(1);
    cast.founder.step(|scope| group.propose(scope, &aad, &wanted).map_err(mls_error))
}

fn remove(
    figures: Told,
    cast: &mut Cast,
    group: &mut Group,
    (peer, theirs): (&mut Party, &mut Group),
) -> Result<Told, BenchError> {
    let Some(gone) = cast.others.get(cast.others.len() / 2) else { return Ok(figures) };
    cast.roster.remove(&aside_protocol::AccountId::of(&gone.me.root));
    let remove = vec![gone.me.device];
    let (wanted, aad) = (Wanted { remove, terms: Some(cast.terms()), ..Wanted::default() }, cast.aad(4));
    let (removal, removed) = cast.founder.step(|scope| group.propose(scope, &aad, &wanted).map_err(mls_error))?;
    let followed = follow(peer, theirs, &removal.commit)?;
    merge_own(&mut cast.founder, group)?;
    Ok(figures
        .took("remove", removed)
        .took("remove_followed", followed)
        .count("remove_commit_bytes", removal.commit.len()))
}

/// Takes another's commit.
pub fn follow(who: &mut Party, group: &mut Group, commit: &Body) -> Result<Took, BenchError> {
    let ((), took) = who.step(|scope| match group.open(scope, commit).map_err(mls_error)?.what {
        What::Commit(facts) => {
            group.merge(scope, facts).map_err(mls_error)?;
            group.receipt_secret(scope).map_err(mls_error).map(drop)
        }
        What::Content(_) => Err(BenchError::Delivery("a message came instead of a commit".into())),
    })?;
    Ok(took)
}

/// Takes its own.
pub fn merge_own(who: &mut Party, group: &mut Group) -> Result<Took, BenchError> {
    let merge = who.step(|scope| {
        group.merge_own(scope).map_err(mls_error)?;
        group.receipt_secret(scope).map_err(mls_error).map(drop)
    });
    Ok(merge?.1)
}

fn middle(took: &[Took]) -> Took {
    let of = |value: fn(&Took) -> f64| median(took.iter().map(value));
    Took { work_ms: of(|took| took.work_ms), stored_ms: of(|took| took.stored_ms), cpu_ms: of(|took| took.cpu_ms) }
}

/// Figures that bear the name of a size.
pub struct Told(pub Figures, pub Size);

impl Told {
    /// `…_ms` without the commit of its transaction, `…_stored_ms` with it, `…_cpu_ms` what processors worked for it.
    pub fn took(self, what: &str, took: Took) -> Self {
        self.number(&format!("{what}_ms"), took.work_ms)
            .number(&format!("{what}_stored_ms"), took.stored_ms)
            .number(&format!("{what}_cpu_ms"), took.cpu_ms)
    }

    fn number(self, what: &str, value: f64) -> Self {
        let name = format!("{}_{what}", self.1.name());
        Self(self.0.number(&name, value, 2), self.1)
    }

    pub fn count(self, what: &str, value: usize) -> Self {
        let name = format!("{}_{what}", self.1.name());
        Self(self.0.count(&name, value as u64), self.1)
    }
}
