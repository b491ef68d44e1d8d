#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::{AccountId, Body, Hash, Millis, N, PartitionId, Seq};
use std::collections::VecDeque;

const CHAT: ChatId = ChatId([1; 32]);
const PARTITION: PartitionId = PartitionId(2);

fn device(number: usize) -> DeviceId {
    DeviceId((number as u128).to_be_bytes())
}

fn list(devices: impl Iterator<Item = usize>) -> Routes {
    Arc::new(devices.map(|number| (number as i64, device(number))).collect())
}

fn push(hub: &Hub, pos: u64, to: &Routes, sender: usize) {
    let envelope = Envelope {
        partition: PARTITION,
        pos: Pos(pos),
        kind: EnvelopeKind::Message,
        chat: CHAT,
        from: device(sender),
        account: AccountId([2; 32]),
        time: Millis(1),
        seq: Some(Seq(pos)),
        n: Some(N(pos)),
        base: Some(Seq(1)),
        incarnation: None,
        hash: Some(Hash([3; 32])),
        body: Some(Body::from(vec![1, 2, 3])),
        blob: None,
        routing: None,
    };
    let delivery = Delivery { envelope, to: Recipients::but(to, sender as i64), echo: Some(device(sender)) };
    hub.push(delivery, &mut Wakes::default());
}

/// Positions and weights of what came.
fn got(mailbox: &Mailbox) -> Vec<(u64, usize)> {
    let mut mail = VecDeque::new();
    mailbox.take(&mut mail);
    let short = |mail| match mail {
        Mail::Input(Input::Push(push)) => {
            assert_eq!(push.partition, PARTITION);
            (push.pos.0, push.weight)
        }
        other => panic!("{other:?}"),
    };
    mail.into_iter().map(short).collect()
}

/// In chats of few and of many devices alike.
#[test]
fn whoever_is_connected_and_routed_gets_it_and_the_sender_an_echo() {
    for many in [3, MANY * 3] {
        let hub = Hub::new();
        let mailboxes: Vec<Arc<Mailbox>> = (0..3).map(|_| Mailbox::new(8)).collect();
        let mut present: Vec<Subscription> =
            [0, 2].map(|number| hub.subscribe(device(number), mailboxes[number].clone())).into();
        let all = list(0..many);
        push(&hub, 1, &all, 0);
        push(&hub, 2, &all, 2);
        assert_eq!(got(&mailboxes[0]), [(1, 0), (2, 3)]);
        assert_eq!(got(&mailboxes[2]), [(1, 3), (2, 0)]);
        present.push(hub.subscribe(device(1), mailboxes[1].clone()));
        push(&hub, 3, &all, 0);
        assert_eq!(got(&mailboxes[1]), [(3, 3)], "who came later");
        present.remove(1);
        let fewer = list((0..many).filter(|number| *number != 1));
        push(&hub, 4, &fewer, 0);
        assert_eq!((got(&mailboxes[1]), got(&mailboxes[2])), (vec![], vec![(3, 3)]), "who was removed, who went");
        push(&hub, 5, &all, 0);
        assert_eq!(got(&mailboxes[1]), [(5, 3)]);
        assert_eq!(got(&mailboxes[0]), [(3, 0), (4, 0), (5, 0)]);
    }
}
