//! Nothing here waits: what must not be waited for takes an hour, so a race that waits for it hangs.
#![allow(clippy::unwrap_used)]

use super::*;
use std::future::{pending, ready};
use std::sync::Arc;

const HOUR: Duration = Duration::from_secs(3600);

type Ended = Result<&'static str, &'static str>;

/// With this head start, and without end after the other failed.
fn pace(head_start: Duration) -> Pace {
    Pace { head_start, first_alone: None, second_alone: None }
}

/// When both fail, both reasons in the order in which they came.
async fn run(
    first: impl Future<Output = Ended>,
    second: impl Future<Output = Ended>,
    pace: Pace,
) -> Result<String, String> {
    let first = async { first.await.map(str::to_owned).map_err(str::to_owned) };
    let second = async { second.await.map(str::to_owned).map_err(str::to_owned) };
    race(first, second, pace, |one, other| format!("{one}, {other}")).await
}

fn won(by: &str) -> Result<String, String> {
    Ok(by.to_owned())
}

#[tokio::test]
async fn a_quick_first_lane_wins_before_the_second_begins() {
    let never = async { panic!("it began") };
    assert_eq!(run(ready(Ok("first")), never, pace(HOUR)).await, won("first"));
}

#[tokio::test]
async fn the_second_joins_after_the_head_start_and_may_win() {
    assert_eq!(run(pending(), ready(Ok("second")), pace(Duration::ZERO)).await, won("second"));
}

#[tokio::test]
async fn the_first_may_still_win_when_the_second_has_joined() {
    let (joined, waits) = tokio::sync::oneshot::channel::<()>();
    let first = async {
        waits.await.unwrap();
        Ok("first")
    };
    let second = async {
        joined.send(()).unwrap();
        pending().await
    };
    assert_eq!(run(first, second, pace(Duration::ZERO)).await, won("first"));
}

#[tokio::test]
async fn the_second_begins_at_once_when_the_first_fails() {
    assert_eq!(run(ready(Err("first")), ready(Ok("second")), pace(HOUR)).await, won("second"));
}

#[tokio::test]
async fn when_both_fail_both_reasons_count() {
    let failed = |why: &str| Err(why.to_owned());
    assert_eq!(run(ready(Err("one")), ready(Err("two")), pace(HOUR)).await, failed("one, two"));
    let (ended, waits) = tokio::sync::oneshot::channel::<()>();
    let late = async {
        let _ = waits.await;
        Err("one")
    };
    let second = async {
        let _ = ended.send(());
        Err("two")
    };
    assert_eq!(run(late, second, pace(Duration::ZERO)).await, failed("two, one"));
}

#[tokio::test]
async fn a_lane_is_waited_for_only_so_long_after_the_other_failed() {
    let short = Some(Duration::ZERO);
    let first = Pace { first_alone: short, ..pace(Duration::ZERO) };
    assert_eq!(run(pending(), ready(Err("second")), first).await, Err("second".into()));
    let second = Pace { second_alone: short, ..pace(HOUR) };
    assert_eq!(run(ready(Err("first")), pending(), second).await, Err("first".into()));
}

#[tokio::test]
async fn the_loser_is_dropped() {
    let alive = Arc::new(());
    let held = alive.clone();
    let loser = async move {
        let _held = held;
        pending().await
    };
    assert_eq!(run(loser, ready(Ok("winner")), pace(Duration::ZERO)).await, won("winner"));
    assert_eq!(Arc::strong_count(&alive), 1);
}
