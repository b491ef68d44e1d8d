#![allow(clippy::unwrap_used)]

use super::*;
use crate::Store;

fn blob(number: u8) -> BlobRef {
    BlobRef { id: Hash([number; 32]), size: 100 }
}

fn with<T>(work: impl FnOnce(&Tx) -> Result<T>) -> T {
    Store::in_memory().unwrap().transact(work).unwrap()
}

#[test]
fn what_is_wanted_comes_in_the_order_of_wanting_and_once() {
    with(|tx| {
        tx.want_download(&blob(2), Purpose::History, Millis(5))?;
        tx.want_upload(&blob(1), Purpose::Handshake, Source::Bytes(b"here"), Millis(6))?;
        tx.want_download(&blob(2), Purpose::History, Millis(9))?;
        let wanted = tx.wanted_transfers(9)?;
        let which: Vec<_> = wanted.iter().map(|one| (one.blob, one.direction, one.since)).collect();
        assert_eq!(which, [(blob(2), Direction::Down, Millis(5)), (blob(1), Direction::Up, Millis(6))]);
        assert_eq!(wanted[0].file, Some(blob(2).id.to_hex()));
        assert_eq!(tx.transfer_bytes(&blob(1).id, Direction::Up)?.as_deref(), Some(&b"here"[..]));
        assert_eq!(tx.wanted_transfers(1)?.len(), 1);
        Ok(())
    });
}

#[test]
fn a_handshake_arrives_in_the_database() {
    with(|tx| {
        tx.want_download(&blob(1), Purpose::Handshake, Millis(5))?;
        assert!(tx.complete_transfer(&blob(1).id, Direction::Down, Some(b"bytes"))?);
        assert!(!tx.complete_transfer(&blob(1).id, Direction::Down, Some(b"again"))?, "once");
        let done = tx.transfer(&blob(1).id, Direction::Down)?.unwrap();
        assert_eq!((done.state, done.file), (TransferState::Complete, None));
        assert_eq!(tx.transfer_bytes(&blob(1).id, Direction::Down)?.as_deref(), Some(&b"bytes"[..]));
        tx.forget_transfer(&blob(1).id, Direction::Down)?;
        assert!(tx.transfer(&blob(1).id, Direction::Down)?.is_none());
        Ok(())
    });
}

#[test]
fn what_failed_is_tried_again_only_when_it_is_wanted_again() {
    with(|tx| {
        tx.want_decrypted(&blob(1), Purpose::Attachment, &[7; 32], Millis(5))?;
        tx.trouble_transfer(&blob(1).id, Direction::Down, "the network")?;
        assert_eq!(tx.wanted_transfers(9)?[0].error.as_deref(), Some("the network"));
        assert!(tx.fail_transfer(&blob(1).id, Direction::Down, "it is gone")?);
        assert!(tx.wanted_transfers(9)?.is_empty());
        tx.want_decrypted(&blob(1), Purpose::Attachment, &[7; 32], Millis(8))?;
        let again = tx.wanted_transfers(9)?.remove(0);
        assert_eq!((again.error, again.secret.as_deref()), (None, Some(&[7; 32])));
        Ok(())
    });
}
