//! Members who speak MLS well and break Aside's rules: made with the library itself, past our own code.

use crate::party::*;
use aside_crypto::{BadKeyPackage, Group, MlsError};
use aside_protocol::group::{CHAT_CONTEXT_EXTENSION, ChatKind, EVIDENCE_PROPOSAL, GROUP_STATE_EXTENSION};
use aside_protocol::request::Suite;
use aside_protocol::{Body, Millis, encode};
use openmls::prelude::*;
use openmls_basic_credential::SignatureKeyPair;

fn signer(party: &Party) -> SignatureKeyPair {
    let key = &party.me.key;
    SignatureKeyPair::from_raw(SignatureScheme::ED25519, key.seed().to_vec(), key.public().0.to_vec())
}

fn credential(party: &Party) -> CredentialWithKey {
    let Party { me, .. } = party;
    let identity = aside_protocol::group::Credential { root: me.root, device: me.device, not_after: LATER };
    CredentialWithKey {
        credential: BasicCredential::new(encode(&identity).to_vec()).into(),
        signature_key: me.key.public().0.as_slice().into(),
    }
}

fn capabilities() -> Capabilities {
    let unknown = |id| ExtensionType::Unknown(id);
    Capabilities::new(
        None,
        Some(&[
            Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
            Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
        ]),
        Some(&[unknown(CHAT_CONTEXT_EXTENSION), unknown(GROUP_STATE_EXTENSION), ExtensionType::LastResort]),
        Some(&[ProposalType::Custom(EVIDENCE_PROPOSAL)]),
        None,
    )
}

/// A key package of `party`, made by hand.
fn package(party: &Party, lifetime: Lifetime, capabilities: Capabilities) -> KeyPackage {
    let builder = KeyPackage::builder().key_package_lifetime(lifetime).leaf_node_capabilities(capabilities);
    let suite = Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519;
    let bundle = party.with(|scope| builder.build(suite, scope, &signer(party), credential(party))).unwrap();
    bundle.key_package().clone()
}

/// Commits proposals of any kind.
fn commit(party: &Party, group: &Group, proposals: Vec<Proposal>) -> Body {
    party.with(|scope| {
        let mut raw = MlsGroup::load(scope.storage(), &GroupId::from_slice(&group.id())).unwrap().unwrap();
        raw.set_aad(encode(&aad(3, 1)).to_vec());
        let builder = raw.commit_builder().force_self_update(true).add_proposals(proposals);
        let built = builder.load_psks(scope.storage()).unwrap();
        let built = built.build(scope.rand(), scope.crypto(), &signer(party), |_| true).unwrap();
        built.stage_commit(scope).unwrap().into_commit().to_bytes().unwrap().into()
    })
}

fn refused(party: &Party, group: &mut Group, body: &Body) {
    let error = party.open(group, body).unwrap_err();
    assert!(matches!(error, MlsError::BadCommit(_) | MlsError::Unreadable(_)), "{error:?}");
    assert_eq!(group.epoch(), 1);
}

#[test]
fn other_proposals_are_refused() {
    let (alice, a, bob, mut b) = pair();
    let custom = Proposal::Custom(Box::new(CustomProposal::new(EVIDENCE_PROPOSAL, vec![1])));
    let good = commit(&alice, &a, vec![custom]);
    assert!(bob.open(&mut b, &good).is_ok(), "the harness itself makes good commits");

    // What leaves must support is settled at the founding.
    let unknown = ExtensionType::Unknown;
    let required = RequiredCapabilitiesExtension::new(
        &[unknown(CHAT_CONTEXT_EXTENSION), unknown(GROUP_STATE_EXTENSION)],
        &[ProposalType::Custom(EVIDENCE_PROPOSAL)],
        &[CredentialType::Basic],
    );
    let other = vec![Extension::RequiredCapabilities(required), chat(ChatKind::Direct)];
    let extensions = Extensions::from_vec(other).unwrap();
    let (alice2, a2, bob2, mut b2) = pair();
    let body = alice2.with(|scope| {
        let mut raw = MlsGroup::load(scope.storage(), &GroupId::from_slice(&a2.id())).unwrap().unwrap();
        raw.set_aad(encode(&aad(3, 1)).to_vec());
        let builder = raw.commit_builder().propose_group_context_extensions(extensions).unwrap();
        let built = builder.load_psks(scope.storage()).unwrap();
        let built = built.build(scope.rand(), scope.crypto(), &signer(&alice2), |_| true).unwrap();
        Body::from(built.stage_commit(scope).unwrap().into_commit().to_bytes().unwrap())
    });
    refused(&bob2, &mut b2, &body);
}

#[test]
fn standalone_proposals_are_refused() {
    let (alice, a, bob, mut b) = pair();
    let body = alice.with(|scope| {
        let mut raw = MlsGroup::load(scope.storage(), &GroupId::from_slice(&a.id())).unwrap().unwrap();
        raw.set_aad(encode(&aad(3, 1)).to_vec());
        let (message, _) = raw.propose_remove_member(scope, &signer(&alice), LeafNodeIndex::new(1)).unwrap();
        Body::from(message.to_bytes().unwrap())
    });
    refused(&bob, &mut b, &body);
}

#[test]
fn nobody_becomes_another_device() {
    let (alice, a, bob, mut b) = pair();
    let carol = Party::new(3);
    let body = alice.with(|scope| {
        let mut raw = MlsGroup::load(scope.storage(), &GroupId::from_slice(&a.id())).unwrap().unwrap();
        raw.set_aad(encode(&aad(3, 1)).to_vec());
        // Alice's key under Carol's name.
        let stolen = CredentialWithKey { signature_key: credential(&alice).signature_key, ..credential(&carol) };
        let leaf = LeafNodeParameters::builder().with_credential_with_key(stolen).build();
        let bundle = raw.self_update(scope, &signer(&alice), leaf).unwrap();
        Body::from(bundle.into_commit().to_bytes().unwrap())
    });
    refused(&bob, &mut b, &body);
}

#[test]
fn additions_that_clocks_or_old_clients_could_dispute_are_refused() {
    let whole = Lifetime::init(0, u64::MAX);
    let few = Capabilities::new(
        None,
        Some(&[Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519]),
        Some(&[ExtensionType::Unknown(CHAT_CONTEXT_EXTENSION)]),
        Some(&[ProposalType::Custom(EVIDENCE_PROPOSAL)]),
        None,
    );
    for (lifetime, capabilities, reason) in [
        (Lifetime::init(0, u64::MAX - 1), capabilities(), BadKeyPackage::Lifetime),
        (whole, few, BadKeyPackage::Capabilities),
    ] {
        let (alice, a, bob, mut b) = pair();
        let carol = Party::new(3);
        let made = package(&carol, lifetime, capabilities);
        let bytes = Body::from(MlsMessageOut::from(made.clone()).to_bytes().unwrap());
        let checked =
            bob.with(|scope| scope.check_key_package(&bytes, &carol.me.root, &carol.entry(), Suite::XWing, NOW));
        assert_eq!(checked.unwrap_err(), MlsError::BadKeyPackage(reason));
        let body = alice.with(|scope| {
            let mut raw = MlsGroup::load(scope.storage(), &GroupId::from_slice(&a.id())).unwrap().unwrap();
            raw.set_aad(encode(&aad(3, 1)).to_vec());
            let (message, ..) = raw.add_members(scope, &signer(&alice), &[made]).unwrap();
            Body::from(message.to_bytes().unwrap())
        });
        refused(&bob, &mut b, &body);
    }
}

#[test]
fn additional_data_must_be_ours() {
    let (alice, a, bob, mut b) = pair();
    let body = alice.with(|scope| {
        let mut raw = MlsGroup::load(scope.storage(), &GroupId::from_slice(&a.id())).unwrap().unwrap();
        raw.create_message(scope, &signer(&alice), b"no additional data, no padding").unwrap().to_bytes().unwrap()
    });
    assert!(matches!(bob.open(&mut b, &Body::from(body)), Err(MlsError::Unreadable(_))));
}

/// Founds a group by hand and invites `bob` with a key package of the group's suite.
fn invitation(alice: &Party, bob: &Party, suite: Suite, extensions: Vec<Extension>) -> Body {
    let mls_suite = match suite {
        Suite::Classical => Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
        _ => Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
    };
    let bytes = bob.with(|scope| scope.key_package(suite, false, Millis::MAX)).unwrap();
    let MlsMessageBodyIn::KeyPackage(package) = MlsMessageIn::tls_deserialize_exact_bytes(&bytes).unwrap().extract()
    else {
        panic!("not a key package");
    };
    alice.with(|scope| {
        let package = package.validate(scope.crypto(), ProtocolVersion::Mls10).unwrap();
        let mut raw = MlsGroup::builder()
            .ciphersuite(mls_suite)
            .use_ratchet_tree_extension(true)
            .with_capabilities(capabilities())
            .with_group_context_extensions(Extensions::from_vec(extensions).unwrap())
            .build(scope, &signer(alice), credential(alice))
            .unwrap();
        let (_, welcome, _) = raw.add_members(scope, &signer(alice), &[package]).unwrap();
        welcome.to_bytes().unwrap().into()
    })
}

fn chat(kind: ChatKind) -> Extension {
    let context = aside_protocol::group::ChatContext { kind, ..context() };
    Extension::Unknown(CHAT_CONTEXT_EXTENSION, UnknownExtension(encode(&context).to_vec()))
}

#[test]
fn groups_that_are_no_chats_of_ours_are_not_joined() {
    let (alice, bob) = (Party::new(1), Party::new(2));
    let joined = |suite, extensions| bob.try_join(&invitation(&alice, &bob, suite, extensions)).map(|_| ());
    let bad = |result| assert!(matches!(result, Err(MlsError::BadWelcome(_))), "{result:?}");
    assert_eq!(joined(Suite::XWing, vec![chat(ChatKind::Direct)]), Ok(()), "the harness itself invites well");
    // A channel without a state and a pack is none.
    bad(joined(Suite::Classical, vec![chat(ChatKind::Channel)]));
    bad(joined(Suite::XWing, vec![]));
    bad(joined(Suite::Classical, vec![chat(ChatKind::Direct)]));
    bad(joined(Suite::XWing, vec![chat(ChatKind::Other(9))]));
    let stranger = ExternalSender::new(credential(&alice).signature_key, credential(&alice).credential);
    bad(joined(Suite::XWing, vec![chat(ChatKind::Direct), Extension::ExternalSenders(vec![stranger])]));
}
