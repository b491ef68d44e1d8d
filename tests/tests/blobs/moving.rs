//! What is uploaded arrives, in files, decrypted, or as a commit that is too long for a frame.

use aside_crypto::attachments::{FileKey, PREFIX, seal};
use aside_protocol::Hash;
use aside_protocol::request::BlobRef;
use aside_store::transfers::{Direction, Purpose, Source, TransferState};
use aside_tests::files::{Person, completed, content, ended, fetch, of, run, upload};
use aside_tests::{Relay, RelayOptions};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

#[test]
fn a_file_goes_from_one_to_the_other() {
    run(async {
        let relay = Relay::start(RelayOptions::default());
        let (alice, bob) = (Person::new(&relay.invite(1), "alice"), Person::new(&relay.invite(1), "bob"));
        let bytes = content(3_000_000);
        alice.put("file", &bytes);
        let (from, to) = (alice.agent(), bob.agent());
        upload(&from.handle(), of(&bytes), "file").await;
        completed(&from.handle(), of(&bytes), Direction::Up).await;
        fetch(&to.handle(), of(&bytes)).await;
        completed(&to.handle(), of(&bytes), Direction::Down).await;
        let path = bob.blobs().join(of(&bytes).id.to_hex());
        assert!(fs::read(&path).unwrap() == bytes);
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&bob.blobs())), (0o600, 0o700));
        assert_eq!(fs::read_dir(bob.blobs()).unwrap().count(), 1, "no part of it is left");
        from.close(Duration::from_secs(5)).await;
        to.close(Duration::from_secs(5)).await;
        relay.finish();
    });
}

#[test]
fn an_encrypted_file_arrives_decrypted_and_one_that_was_touched_does_not() {
    run(async {
        let relay = Relay::start(RelayOptions::default());
        let alice = Person::new(&relay.invite(1), "alice");
        let plain = content(500_000);
        let key = FileKey::new([5; 32]);
        let sealed = seal(&key, [6; PREFIX], &plain).unwrap();
        let mut touched = sealed.clone();
        touched[300_000] ^= 1;
        let agent = alice.agent();
        let handle = agent.handle();
        for (name, bytes) in [("whole", &sealed), ("touched", &touched)] {
            alice.put(name, bytes);
            let blob = of(bytes);
            upload(&handle, blob, name).await;
            completed(&handle, blob, Direction::Up).await;
            handle.step(move |step| step.fetch_file(&blob, Purpose::Attachment, &[5; 32])).await.unwrap();
        }
        completed(&handle, of(&sealed), Direction::Down).await;
        assert!(fs::read(alice.blobs().join(of(&sealed).id.to_hex())).unwrap() == plain);
        let failed = ended(&handle, of(&touched), Direction::Down).await;
        assert_eq!(failed.state, TransferState::Failed);
        assert!(failed.error.unwrap().contains("ATT-2"));
        assert!(!alice.blobs().join(of(&touched).id.to_hex()).exists());
        agent.close(Duration::from_secs(5)).await;
        relay.finish();
    });
}

#[test]
fn a_handshake_goes_from_database_to_database() {
    run(async {
        let relay = Relay::start(RelayOptions::default());
        let alice = Person::new(&relay.invite(1), "alice");
        let bytes = content(1_000_000);
        let (blob, sent) = (of(&bytes), bytes.clone());
        let agent = alice.agent();
        let handle = agent.handle();
        handle.step(move |step| step.upload_blob(&blob, Purpose::Handshake, Source::Bytes(&sent))).await.unwrap();
        completed(&handle, blob, Direction::Up).await;
        handle.step(move |step| step.fetch_blob(&blob, Purpose::Handshake)).await.unwrap();
        completed(&handle, blob, Direction::Down).await;
        let got = handle.read(move |tx| Ok(tx.transfer_bytes(&blob.id, Direction::Down)?)).await.unwrap();
        assert!(got.unwrap() == bytes);
        agent.close(Duration::from_secs(5)).await;
        assert_eq!(fs::read_dir(alice.blobs()).unwrap().count(), 0);
        relay.finish();
    });
}

#[test]
fn what_cannot_be_had_fails_with_a_reason() {
    run(async {
        let relay = Relay::start(RelayOptions::default().arg("--blob-quota").arg("1M"));
        let alice = Person::new(&relay.invite(1), "alice");
        let bytes = content(1_100_000);
        alice.put("long", &bytes);
        let agent = alice.agent();
        let handle = agent.handle();
        upload(&handle, of(&bytes), "long").await;
        let refused = ended(&handle, of(&bytes), Direction::Up).await;
        assert!(refused.error.unwrap().contains("1048576 bytes"));
        let nowhere = BlobRef { id: Hash([3; 32]), size: 10 };
        fetch(&handle, nowhere).await;
        let missing = ended(&handle, nowhere, Direction::Down).await;
        assert!(missing.error.unwrap().contains("does not have it"));
        agent.close(Duration::from_secs(5)).await;
        relay.finish();
    });
}
