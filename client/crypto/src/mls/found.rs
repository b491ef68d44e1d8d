//! Founding a group: created and committed, but not merged before the relay has accepted it (rule `CHT-2`).

use super::commit::{Proposed, Wanted, commit};
use super::config::{self, Terms};
use super::error::{BadKeyPackage, MlsError, bug, create};
use super::group::Group;
use super::packages::CheckedKeyPackage;
use super::scope::{Scope, Storage};
use aside_protocol::Millis;
use aside_protocol::content::Aad;
use aside_protocol::group::Pack;
use openmls::group::{GroupId, MlsGroup};

impl<S: Storage> Scope<'_, S> {
    /// A new group with this device in it, and one pending commit that adds `members`. In groups and channels they find
    /// `pack` in their welcome.
    ///
    /// The kind of chat decides the suite. `group_id` must be fresh and random. Merge with [`Group::merge_own`] when
    /// the founding comes back as the chat's; if another founding won, forget this one with [`Scope::delete`].
    pub fn found(
        &self,
        terms: &Terms,
        pack: Option<Pack>,
        members: &[CheckedKeyPackage],
        aad: &Aad,
        group_id: [u8; 16],
    ) -> Result<(Group, Proposed), MlsError> {
        let suite = config::suite_of(terms.context.kind).ok_or_else(|| bug("unknown kind of chat"))?;
        if members.iter().any(|member| member.suite != suite) {
            return Err(MlsError::BadKeyPackage(BadKeyPackage::Suite));
        }
        let join = config::join_config();
        let mut group = MlsGroup::builder()
            .with_group_id(GroupId::from_slice(&group_id))
            .ciphersuite(config::ciphersuite(suite)?)
            .with_wire_format_policy(join.wire_format_policy())
            .padding_size(join.padding_size())
            .max_past_epochs(config::PAST_EPOCHS)
            .use_ratchet_tree_extension(true)
            .sender_ratchet_configuration(*join.sender_ratchet_configuration())
            .lifetime(config::lifetime())
            .with_capabilities(config::capabilities())
            .with_group_context_extensions(config::extensions(terms)?)
            .build(self, &self.signer(), self.credential(Millis::MAX))
            .map_err(create)?;
        let wanted = Wanted { add: members.to_vec(), pack, ..Wanted::default() };
        let proposed = commit(&mut group, self, aad, Vec::new(), &wanted)?;
        Ok((Group::new(group), proposed))
    }
}
