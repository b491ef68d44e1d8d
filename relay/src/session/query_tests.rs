use super::*;
use aside_protocol::request::ChatOf;
use aside_protocol::{ChatId, Seq};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn chat(number: u32) -> ChatId {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&number.to_be_bytes());
    ChatId(id)
}

/// As a partition answers that has these chats.
fn page(chats: &BTreeSet<ChatId>, after: Option<ChatId>) -> ChatsOf {
    let named = |chat: &ChatId| ChatOf { chat: *chat, incarnation: 1, base: Seq(1), last: Seq(1), routed: true };
    let mut left = chats.iter().filter(|chat| after.is_none_or(|after| **chat > after)).map(named);
    let chats = left.by_ref().take(CHATS_PAGE).collect();
    ChatsOf { chats, more: left.next().is_some() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// However the chats are spread, whoever asks for page after page is told each of them once, in order.
    #[test]
    fn pages_of_all_partitions_name_every_chat_once(
        spread in prop::collection::vec(0..4usize, 0..4 * CHATS_PAGE), few in any::<bool>(),
    ) {
        let mut partitions = vec![BTreeSet::new(); 4];
        for (number, partition) in (0..).zip(&spread) {
            partitions[if few { partition / 3 } else { *partition }].insert(chat(number));
        }
        let (mut told, mut pages) = (Vec::new(), 0);
        loop {
            let after = told.last().copied();
            let merged = merge(partitions.iter().map(|chats| page(chats, after)).collect());
            told.extend(merged.chats.iter().map(|found| found.chat));
            pages += 1;
            if !merged.more {
                break;
            }
            prop_assert_eq!(merged.chats.len(), CHATS_PAGE, "a page that has more behind it is full");
        }
        prop_assert_eq!(told, (0..).take(spread.len()).map(chat).collect::<Vec<_>>());
        prop_assert_eq!(pages, spread.len().div_ceil(CHATS_PAGE).max(1), "and no page is empty for nothing");
    }
}
