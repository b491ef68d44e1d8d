//! Commits: making our own, and the facts of a peer's that the caller judges before it is merged.

use super::config::{self, Terms};
use super::error::{MlsError, bug, build, staged};
use super::leaf::Leaf;
use super::packages::{self, CheckedKeyPackage};
use super::scope::{Scope, Storage};
use super::sha256;
use aside_protocol::content::Aad;
use aside_protocol::group::{EVIDENCE_PROPOSAL, Pack};
use aside_protocol::{Body, DeviceId, codec};
use openmls::group::{MlsGroup, QueuedProposal, StagedCommit};
use openmls::prelude::{AddProposal, CustomProposal, LeafNodeIndex, Proposal, ProposalOrRefType, Sender};
use openmls_traits::OpenMlsProvider;
use std::fmt;

/// An own commit, pending until the relay has accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// For the chat.
    pub commit: Body,
    /// For the devices it adds, if any; holds the whole ratchet tree.
    pub welcome: Option<Body>,
}

/// What an own commit changes, besides this device's own keys. Nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Devices whose leaves go. They may be among those added.
    pub remove: Vec<DeviceId>,
    /// Leaves that come.
    pub add: Vec<CheckedKeyPackage>,
    /// What the commit is judged by.
    pub evidence: Vec<Body>,
    /// The terms after it, where they change.
    pub terms: Option<Terms>,
    /// For those added, in groups and channels.
    pub pack: Option<Pack>,
}

/// Makes a commit, which stays pending. It always renews this device's keys, so that every commit heals.
pub(super) fn commit<S: Storage>(
    group: &mut MlsGroup,
    scope: &Scope<'_, S>,
    aad: &Aad,
    removed: Vec<LeafNodeIndex>,
    wanted: &Wanted,
) -> Result<Proposed, MlsError> {
    if !group.is_active() {
        return Err(MlsError::Left);
    }
    if group.pending_commit().is_some() {
        return Err(MlsError::Pending);
    }
    let evidence = |body: &Body| Proposal::Custom(Box::new(CustomProposal::new(EVIDENCE_PROPOSAL, body.to_vec())));
    let extensions = wanted.terms.as_ref().map(config::extensions).transpose()?;
    let pack = wanted.pack.as_ref().map(config::pack_extension);
    // Additional data outlives a failed build: it is set before every use, never relied upon.
    group.set_aad(codec::encode(aad).to_vec());
    let mut builder = group
        .commit_builder()
        .force_self_update(true)
        .propose_removals(removed)
        .propose_adds(wanted.add.iter().map(|package| package.package.clone()))
        .add_proposals(wanted.evidence.iter().map(evidence));
    if let Some(extensions) = extensions {
        builder = builder.propose_group_context_extensions(extensions).map_err(bug)?;
    }
    let mut builder = builder.load_psks(scope.storage()).map_err(build)?;
    builder = builder.create_group_info_with_extensions(pack).map_err(bug)?;
    builder = builder.create_group_info(!wanted.add.is_empty());
    let bundle = builder
        .build(scope.rand(), scope.crypto(), &scope.signer(), |_| true)
        .map_err(build)?
        .stage_commit(scope)
        .map_err(staged)?;
    sha256::forget();
    let (commit, welcome, _) = bundle.into_messages();
    let welcome = welcome.map(|message| message.to_bytes()).transpose().map_err(bug)?;
    Ok(Proposed { commit: commit.to_bytes().map_err(bug)?.into(), welcome: welcome.map(Body::from) })
}

/// A peer's commit, valid as MLS and not yet merged. Drop it to refuse it.
pub struct StagedCommitFacts {
    /// Leaves it adds. Check each against its account's device list.
    pub added: Vec<Leaf>,
    /// The key packages behind `added`, in the same order, as [`Scope::key_package`] would have made them.
    pub added_packages: Vec<Body>,
    /// Leaves it removes; they are gone before any is added.
    pub removed: Vec<Leaf>,
    /// Whether it renews the committer's own keys (its identity stays, always).
    pub updates_self: bool,
    /// The terms before it.
    pub terms_before: Terms,
    /// The terms after it, where they differ from those before.
    pub terms_after: Option<Terms>,
    /// Whether it removes this device. Merging it then ends the group here.
    pub self_removed: bool,
    /// What the committer adduces: signed lists and requests, not yet checked.
    pub evidence: Vec<Body>,
    /// The epoch it leads to.
    pub epoch: u64,
    pub(super) staged: StagedCommit,
}

impl fmt::Debug for StagedCommitFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StagedCommitFacts")
            .field("added", &self.added)
            .field("removed", &self.removed)
            .field("updates_self", &self.updates_self)
            .field("terms_after", &self.terms_after)
            .field("self_removed", &self.self_removed)
            .field("evidence", &self.evidence)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

impl StagedCommitFacts {
    /// Reads the facts, and refuses whatever Aside's commits never do (rule `MLS-6`).
    pub(super) fn read(group: &MlsGroup, committer: LeafNodeIndex, staged: StagedCommit) -> Result<Self, MlsError> {
        Self::gather(group, committer, staged).map_err(MlsError::BadCommit)
    }

    fn gather(group: &MlsGroup, committer: LeafNodeIndex, staged: StagedCommit) -> Result<Self, String> {
        same_identity(group, committer, &staged)?;
        let before = config::read_terms(group.extensions())?;
        let extensions = staged.group_context().extensions();
        if extensions.required_capabilities() != group.extensions().required_capabilities() {
            return Err("it changes what leaves must support".into());
        }
        let after = config::read_terms(extensions)?;
        let mut proposals = Proposals::default();
        for queued in staged.queued_proposals() {
            proposals.take(group, committer, queued)?;
        }
        Ok(Self {
            added: proposals.added,
            added_packages: proposals.packages,
            removed: proposals.removed,
            evidence: proposals.evidence,
            updates_self: staged.update_path_leaf_node().is_some(),
            terms_after: (after != before).then_some(after),
            terms_before: before,
            self_removed: staged.self_removed(),
            epoch: staged.epoch().as_u64(),
            staged,
        })
    }
}

/// A committer renews its encryption keys only: another credential or signature key would be another device.
fn same_identity(group: &MlsGroup, committer: LeafNodeIndex, staged: &StagedCommit) -> Result<(), String> {
    let Some(after) = staged.update_path_leaf_node() else {
        return Ok(());
    };
    let before = group.member_at(committer).ok_or("the committer has no leaf")?;
    let same = *after.credential() == before.credential
        && after.signature_key().as_slice() == before.signature_key
        && config::are_enough(after.capabilities());
    if same { Ok(()) } else { Err("it changes the committer's identity".into()) }
}

#[derive(Default)]
struct Proposals {
    added: Vec<Leaf>,
    packages: Vec<Body>,
    removed: Vec<Leaf>,
    evidence: Vec<Body>,
}

impl Proposals {
    fn take(&mut self, group: &MlsGroup, committer: LeafNodeIndex, queued: &QueuedProposal) -> Result<(), String> {
        let own = matches!(queued.sender(), Sender::Member(index) if *index == committer);
        if !own || queued.proposal_or_ref_type() != ProposalOrRefType::Proposal {
            return Err("it commits somebody else's proposal".into());
        }
        match queued.proposal() {
            Proposal::Add(add) => self.add(add)?,
            Proposal::Remove(remove) => self.removed.push(Leaf::at(group, remove.removed())?),
            // What it leads to is read from the group context after it.
            Proposal::GroupContextExtensions(_) => {}
            Proposal::Custom(custom) if custom.proposal_type() == EVIDENCE_PROPOSAL => {
                self.evidence.push(Body::from(custom.payload().to_vec()));
            }
            other => return Err(format!("it carries a proposal of type {:?}", other.proposal_type())),
        }
        Ok(())
    }

    fn add(&mut self, add: &AddProposal) -> Result<(), String> {
        let (leaf, _) = packages::usable(add.key_package()).map_err(|e| e.to_string())?;
        self.added.push(leaf);
        self.packages.push(packages::encoded(add.key_package().clone()).map_err(|e| e.to_string())?);
        Ok(())
    }
}
