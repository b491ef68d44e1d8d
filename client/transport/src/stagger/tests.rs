//! Nothing here waits: what must not be waited for takes an hour.

use super::*;
use std::future::{pending, ready};
use std::pin::Pin;
use std::time::Duration;
use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(3600);
const GONE: &str = "gone";

type Ended = Result<&'static str, &'static str>;
type Try = Pin<Box<dyn Future<Output = Ended>>>;

fn silent() -> Try {
    Box::pin(pending())
}

fn says(ended: Ended) -> Try {
    Box::pin(ready(ended))
}

fn must_not_begin() -> Try {
    Box::pin(async { panic!("it began") })
}

async fn run<const N: usize>(attempts: [Try; N], lead: Duration) -> Ended {
    stagger(attempts, || sleep(lead), |error| *error == GONE, |_, last| last)
        .await
        .map_err(|error| error.unwrap_or("none"))
}

#[tokio::test]
async fn the_first_that_answers_at_once_is_the_only_one_tried() {
    assert_eq!(run([says(Ok("one")), must_not_begin()], HOUR).await, Ok("one"));
}

#[tokio::test]
async fn a_silent_one_holds_nobody_up() {
    assert_eq!(run([silent(), silent(), says(Ok("three"))], Duration::ZERO).await, Ok("three"));
}

#[tokio::test]
async fn a_slow_one_is_not_given_up() {
    let (begun, waits) = tokio::sync::oneshot::channel::<()>();
    let slow = async {
        waits.await.map_err(|_| GONE)?;
        Ok("slow")
    };
    let second = async {
        let _ = begun.send(());
        pending().await
    };
    assert_eq!(run([Box::pin(slow), Box::pin(second)], Duration::ZERO).await, Ok("slow"));
}

#[tokio::test]
async fn after_a_failure_the_next_begins_at_once() {
    assert_eq!(run([says(Err(GONE)), says(Ok("two"))], HOUR).await, Ok("two"));
    assert_eq!(run([silent(), says(Err(GONE)), says(Ok("three"))], Duration::ZERO).await, Ok("three"));
}

#[tokio::test]
async fn where_somebody_was_no_further_one_is_tried() {
    assert_eq!(run([says(Err(GONE)), says(Err("wrong")), must_not_begin()], HOUR).await, Err("wrong"));
}

#[tokio::test]
async fn a_wrong_one_does_not_end_what_is_under_way() {
    let (begun, waits) = tokio::sync::oneshot::channel::<()>();
    let slow = async {
        let _ = waits.await;
        tokio::task::yield_now().await;
        Ok("slow")
    };
    let wrong = async {
        let _ = begun.send(());
        Err("wrong")
    };
    assert_eq!(run([Box::pin(slow), Box::pin(wrong)], Duration::ZERO).await, Ok("slow"));
}

#[tokio::test]
async fn the_reason_may_be_chosen() {
    let attempts = [says(Err("first")), says(Err("second")), says(Err("third"))];
    let ended = stagger(attempts, || sleep(HOUR), |_| true, |before, _| before).await;
    assert_eq!(ended, Err(Some("first")));
}

#[tokio::test]
async fn without_success_the_last_reason_counts() {
    assert_eq!(run([says(Err(GONE)), says(Err(GONE))], HOUR).await, Err(GONE));
    assert_eq!(run([], HOUR).await, Err("none"));
}
