#![allow(clippy::unwrap_used, missing_docs)]
use aside_protocol::device_list::*;
use aside_protocol::refusal::Plain;
use aside_protocol::request::*;
use aside_protocol::*;
use aside_relay_core::command::Registration;
use aside_relay_core::*;
use ed25519_dalek::{Signer as _, SigningKey};
use std::time::Instant;

fn person(i: u64) -> (Registration, By) {
    let seed = |w: &str| Hash::labelled(w, &[&i.to_be_bytes()]).0;
    let root = SigningKey::from_bytes(&seed("root"));
    let key = SigningKey::from_bytes(&seed("key"));
    let device = DeviceId::from_slice(&seed("device")[..16]).unwrap();
    let rootp = PublicKey(root.verifying_key().to_bytes());
    let account = AccountId::of(&rootp);
    let list = DeviceList {
        account,
        version: 1,
        previous: Hash([0; 32]),
        devices: vec![DeviceEntry { device, key: PublicKey(key.verifying_key().to_bytes()), added: Millis(1) }],
    };
    let bytes = codec::encode(&list);
    let signature = Signature(root.sign(&signed_bytes(&bytes)).to_bytes());
    let list = Body(codec::encode(&SignedDeviceList { list: Body(bytes), signer: Signer::Root(Plain {}), signature }));
    (
        Registration { invite: Hash([1; 32]), name: Name::new(format!("person{i}")).unwrap(), root: rootp, list },
        By { device, account },
    )
}

fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let batches: u64 = std::env::args().nth(2).unwrap().parse().unwrap();
    let pairs: u64 = std::env::args().nth(3).unwrap().parse().unwrap();
    let per: usize = std::env::args().nth(4).unwrap().parse().unwrap();
    let path = std::path::Path::new(&dir).join("hot.db");
    let _ = std::fs::remove_file(&path);
    let mut core = Core::open(&Location::File(path)).unwrap();
    let st = |command| Stamped { time: Millis(1_700_000_000_000), command };
    core.apply(
        &[
            st(Command::Init { log: LogId([1; 16]) }),
            st(Command::CreateInvite { secret: Hash([1; 32]), uses: 1_000_000, valid: u64::MAX }),
        ],
        true,
    )
    .unwrap();
    let mut people = Vec::new();
    for i in 0..2 * pairs {
        let (r, by) = person(i);
        core.apply(&[st(Command::Register(r))], false).unwrap();
        people.push((by, 1u64));
    }
    for p in 0..pairs as usize {
        let (a, b) = (people[2 * p].0, people[2 * p + 1].0);
        let found = Found {
            chat: ChatId::direct(&a.account, &b.account),
            accounts: vec![a.account, b.account],
            incarnation: 1,
            devices: vec![a.device, b.device],
            body: Body::from(vec![1; 2000]),
            welcome: Some(Welcome { to: vec![b.device], body: Body::from(vec![2; 2000]) }),
        };
        let o = core.apply(&[st(Command::Found(a, Hash::of(&found.body), found))], false).unwrap();
        assert!(matches!(o[0].answer, Answer::Sent(_)));
        people[2 * p].1 = 2;
    }
    let began = Instant::now();
    let mut x = 1u64;
    for _ in 0..batches {
        let mut batch = Vec::new();
        for _ in 0..per {
            x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let i = ((x >> 33) % people.len() as u64) as usize;
            let other = people[i ^ 1].0;
            let (by, n) = &mut people[i];
            let body = Body::from(vec![7; 300]);
            batch.push(st(Command::Send(
                *by,
                Hash::of(&body),
                Send { chat: ChatId::direct(&by.account, &other.account), n: N(*n), base: Seq(1), body },
            )));
            *n += 1;
        }
        let out = core.apply(&batch, true).unwrap();
        assert!(out.iter().all(|o| matches!(o.answer, Answer::Sent(_))));
    }
    let t = began.elapsed().as_secs_f64();
    println!(
        "{:.2} us/command wall, {:.0}/s",
        t * 1e6 / (batches * per as u64) as f64,
        (batches * per as u64) as f64 / t
    );
}
