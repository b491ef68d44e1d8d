//! Prints what things cost; asserts nothing about time. Run with `--run-ignored only --no-capture`.

use crate::party::*;
use std::time::Instant;

fn time<T>(what: &str, times: u32, mut run: impl FnMut() -> T) -> Vec<T> {
    let start = Instant::now();
    let results = (0..times).map(|_| run()).collect();
    println!("{what}: {:.2} ms", start.elapsed().as_secs_f64() * 1_000.0 / f64::from(times));
    results
}

#[test]
#[ignore = "prints costs"]
fn costs() {
    let (alice, bob) = (Party::new(1), Party::new(2));
    time("key package", 20, || bob.key_package());
    let mut foundings = time("key package + check + found + merge", 10, || {
        let package = alice.checked(&bob);
        alice.with(|scope| {
            let id = package_id();
            let (mut group, proposed) = scope.found(&terms(), None, &[package], &aad(1, 0), id).unwrap();
            group.merge_own(scope).unwrap();
            (group, proposed)
        })
    });
    println!("commit {} bytes", foundings[0].1.commit.len());
    println!("welcome {} bytes", foundings[0].1.welcome.as_ref().unwrap().len());
    let mut welcomes = foundings.iter().map(|(_, proposed)| proposed.clone()).collect::<Vec<_>>().into_iter();
    let mut joined = time("join", 10, || bob.join(&welcomes.next().unwrap()));
    let (a, b) = (&mut foundings[0].0, &mut joined[0]);
    let mut bodies = time("encrypt", 100, || alice.say(a, "hello")).into_iter();
    time("open", 100, || bob.hear(b, &bodies.next().unwrap()));
    time("update keys + merge + peer's merge", 10, || {
        let commit = alice.update(a).commit;
        alice.merge_own(a);
        bob.follow(b, &commit);
    });
    time("receipt secret", 1, || alice.with(|scope| a.receipt_secret(scope)).unwrap());
    time("load", 20, || bob.load(&b.id()));
}

fn package_id() -> [u8; 16] {
    use std::sync::atomic::{AtomicU8, Ordering};
    static NEXT: AtomicU8 = AtomicU8::new(0);
    [NEXT.fetch_add(1, Ordering::Relaxed); 16]
}
