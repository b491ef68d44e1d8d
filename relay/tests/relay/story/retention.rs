//! Retention: what all have acknowledged goes, and what is too old. It runs when a relay starts, and now and then.

use super::{Chapter, Met, Pair, VIA, acknowledge, caught_up};
use crate::client::{Client, Unauthenticated};
use crate::people::{Person, Running, body, chat_of, founding, message};
use aside_protocol::invite::{Invite, InviteSecret};
use aside_protocol::limits::RETENTION_MS;
use aside_protocol::refusal::Plain;
use aside_protocol::request::Send;
use aside_protocol::{ChatId, Hash, LogId, Millis, N, PartitionId, Pos, Refusal, Seq};
use aside_relay::clock;
use aside_relay::data::DataDir;
use aside_relay_core::command::Registration;
use aside_relay_core::{By, Command, Core, Location, Stamped};
use std::path::Path;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);
const HOUR: u64 = 3_600_000;

/// Waits until the oldest number that the relay holds of a chat is this one; what it holds then for this device.
async fn held_from(met: &mut Met, client: &mut Client, chat: ChatId, wanted: u64) -> Vec<u64> {
    let reached = async {
        loop {
            match met.held(client, chat).await {
                (held, first) if first == wanted => return held,
                _ => sleep(Duration::from_millis(20)).await,
            }
        }
    };
    timeout(PATIENCE, reached).await.expect("retention comes to it")
}

pub const ACKNOWLEDGED: Chapter = Chapter { requests: &["Send", "Range"], refusals: &[] };

#[tokio::test]
async fn what_all_have_acknowledged_goes_and_what_one_has_not_stays() {
    let (mut met, mut pair) = (Met::default(), Pair::new().await);
    let say = |n: u64| message(pair.chat, n, pair.base, &format!("m{n}"));
    for n in 2..=11 {
        met.sent(&mut pair.a, say(n)).await;
    }
    let mut got = Vec::new();
    while got.len() < 11 {
        got.push(pair.b.envelope().await.pos);
    }
    let (last, middle) = (got[10], got[5]);
    while pair.a.envelope().await.pos < last {}
    acknowledge(&mut pair.a, pair.chat, last).await;
    acknowledge(&mut pair.b, pair.chat, middle).await;
    let mut pair = pair.restart((last, Pos(0))).await;
    assert_eq!(held_from(&mut met, &mut pair.b, pair.chat, 7).await, (7..=11).collect::<Vec<_>>());
    let rest: Vec<_> = caught_up(&mut pair.b).await.iter().map(|envelope| envelope.seq.unwrap().0).collect();
    assert_eq!(rest, (7..=11).collect::<Vec<_>>(), "what it has not acknowledged is still delivered");
    let again = message(pair.chat, 4, pair.base, "m4");
    assert_eq!(met.sent(&mut pair.a, again).await.seq, Seq(4), "what is gone is not taken a second time");

    acknowledge(&mut pair.b, pair.chat, last).await;
    let mut pair = pair.restart((last, last)).await;
    assert!(held_from(&mut met, &mut pair.b, pair.chat, 12).await.is_empty());
    assert_eq!(met.sent(&mut pair.a, message(pair.chat, 12, pair.base, "on")).await.seq, Seq(12));
    met.tells(&ACKNOWLEDGED);
}

/// The folder of a relay that ran until so many milliseconds ago.
struct Past {
    core: Core,
    time: u64,
    _data: DataDir,
}

impl Past {
    fn new(folder: &Path) -> Self {
        let data = DataDir::lock(folder).unwrap();
        data.prepare_database(PartitionId(0)).unwrap();
        let core = Core::open(&Location::File(data.database())).unwrap();
        let mut past = Self { core, time: clock::wall().0 - 2 * RETENTION_MS, _data: data };
        past.apply(Command::Init { log: LogId([5; 16]) });
        past
    }

    /// From here on what is done was done so long ago.
    fn ago(&mut self, ago: u64) {
        self.time = clock::wall().0 - ago;
    }

    fn apply(&mut self, command: Command) {
        let outcomes = self.core.apply(&[Stamped { time: Millis(self.time), command }], true).unwrap();
        assert!(!matches!(outcomes[0].answer, aside_protocol::request::Answer::Refused(_)), "{:?}", outcomes[0].answer);
    }

    fn invite(&mut self, secret: InviteSecret, valid: u64) {
        self.apply(Command::CreateInvite { secret: secret.hash(), uses: 9, valid });
    }

    fn register(&mut self, person: &Person, secret: InviteSecret) {
        let (invite, name, root, list) = (secret.hash(), person.name.clone(), person.root(), person.list());
        self.apply(Command::Register(Registration { invite, name, root, list }));
    }

    fn found(&mut self, founder: &Person, other: &Person) {
        self.apply(Command::Found(by(founder), Hash::of(b"founding"), founding(founder, other)));
    }

    fn say(&mut self, sender: &Person, chat: ChatId, n: u64) {
        let text = body(format!("m{n}").as_bytes());
        let send = Send { chat, n: N(n), base: Seq(1), body: text };
        self.apply(Command::Send(by(sender), Hash::of(&send.body), send));
    }
}

fn by(person: &Person) -> By {
    By { device: person.device, account: person.account() }
}

pub const AGE: Chapter = Chapter { requests: &["Send", "Range"], refusals: &["InviteExpired", "InviteUnknown"] };

#[tokio::test]
async fn what_is_older_than_thirty_days_goes_whoever_has_not_had_it() {
    let (mut met, folder) = (Met::default(), tempfile::tempdir().unwrap());
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let chat = chat_of(&alice, &bob);
    let [forgotten, expired] = [InviteSecret([1; 16]), InviteSecret([2; 16])];
    let mut past = Past::new(&folder.path().join("data"));
    past.invite(forgotten, HOUR);
    past.register(&alice, forgotten);
    past.register(&bob, forgotten);
    past.ago(RETENTION_MS + HOUR);
    past.found(&alice, &bob);
    (2..=6).for_each(|n| past.say(&alice, chat, n));
    past.ago(RETENTION_MS - HOUR);
    past.invite(expired, HOUR);
    (7..=9).for_each(|n| past.say(&alice, chat, n));
    past.core.checkpoint().unwrap();
    drop(past);

    let relay = Running::on(folder, VIA, |_| {}).await;
    let mut a = relay.login(&alice, 0).await;
    assert_eq!(a.log(), LogId([5; 16]));
    assert_eq!(held_from(&mut met, &mut a, chat, 7).await, [7, 8, 9]);
    let got: Vec<_> = caught_up(&mut relay.login(&bob, 0).await).await.iter().map(|envelope| envelope.seq).collect();
    assert_eq!(got, [7, 8, 9].map(|seq| Some(Seq(seq))), "nor is the welcome of then there");
    assert_eq!(met.sent(&mut a, message(chat, 5, Seq(1), "m5")).await.seq, Seq(5), "what is gone counts all the same");
    assert_eq!(met.sent(&mut a, message(chat, 10, Seq(1), "m10")).await.seq, Seq(10));

    let invite = relay.invite().await;
    let told = [(expired, Refusal::InviteExpired(Plain {})), (forgotten, Refusal::InviteUnknown(Plain {}))];
    for (secret, wanted) in told {
        let invite = Invite { secret, ..invite.clone() };
        let refused = Unauthenticated::connect(&invite, VIA).await.try_register(&Person::new("carol"), secret).await;
        assert_eq!(refused.err().as_ref(), Some(&wanted));
        met.note(&wanted);
    }
    met.tells(&AGE);
}
