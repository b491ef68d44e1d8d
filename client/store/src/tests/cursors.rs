//! How far the queue of each partition is stored, and read marks that are ahead of it.

use super::*;
use crate::reads_ahead::ReadAhead;
use aside_protocol::{ChatId, PartitionId, Pos};

fn cursors(tx: &Tx) -> [Option<Pos>; 3] {
    [0, 1, u16::MAX].map(|partition| tx.cursor(PartitionId(partition)).unwrap())
}

#[test]
fn a_partition_read_up_to_0_is_not_one_that_was_never_met() {
    let mut store = Store::in_memory().unwrap();
    store
        .transact::<_, StoreError>(|tx| {
            assert_eq!(cursors(tx), [None, None, None]);
            tx.set_cursor(PartitionId(1), Pos(0))?;
            tx.set_cursor(PartitionId(u16::MAX), Pos(5))?;
            tx.set_cursor(PartitionId(u16::MAX), Pos(i64::MAX as u64))?;
            assert_eq!(cursors(tx), [None, Some(Pos(0)), Some(Pos(i64::MAX as u64))]);
            tx.clear_cursors()?;
            assert_eq!(cursors(tx), [None, None, None]);
            Ok(())
        })
        .unwrap();
}

#[test]
fn cursors_move_with_their_transaction_or_not_at_all() {
    let mut store = Store::in_memory().unwrap();
    store.transact::<_, StoreError>(|tx| tx.set_cursor(PartitionId(0), Pos(7))).unwrap();
    let failed = store.transact::<(), _>(|tx| {
        tx.set_cursor(PartitionId(0), Pos(8))?;
        tx.set_cursor(PartitionId(1), Pos(8))?;
        Err(StoreError::Row("the power went"))
    });
    assert!(failed.is_err());
    assert_eq!(store.read::<_, StoreError>(|tx| Ok(cursors(tx))).unwrap(), [Some(Pos(7)), None, None]);
}

#[test]
fn of_a_chats_read_marks_the_highest_waits() {
    let mut store = Store::in_memory().unwrap();
    let mark = |chat, seq, since| ReadAhead { chat: ChatId([chat; 32]), seq: Seq(seq), since: Millis(since) };
    store
        .transact::<_, StoreError>(|tx| {
            for kept in [mark(2, 5, 10), mark(2, 3, 20), mark(1, 9, 30)] {
                tx.keep_read_ahead(&kept)?;
            }
            assert_eq!(tx.reads_ahead()?, [mark(1, 9, 30), mark(2, 5, 20)]);
            tx.drop_read_ahead(&ChatId([1; 32]))?;
            assert_eq!(tx.reads_ahead()?, [mark(2, 5, 20)]);
            tx.drop_reads_ahead()?;
            assert_eq!(tx.reads_ahead()?, []);
            Ok(())
        })
        .unwrap();
}
