//! Several addresses of one host, one after the other, without waiting for the end of those that are silent.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::future::Future;
use std::time::Duration;
use tokio::time::timeout;

/// Begins the next attempt when one has failed, or when the newest has had `lead` to itself; the others go on. The
/// first success ends all.
///
/// No further attempt begins after a failure that is not `passable`: somebody was there. Those under way may still
/// succeed; else that failure is the reason, or the last one if all were passable, or `none` without attempts.
pub(crate) async fn stagger<F, T, E>(
    attempts: impl IntoIterator<Item = F>,
    lead: Duration,
    passable: impl Fn(&E) -> bool,
    none: E,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut attempts = attempts.into_iter();
    let (mut trying, mut failure) = (FuturesUnordered::new(), none);
    loop {
        let next = attempts.next();
        let last = next.is_none();
        trying.extend(next);
        let ended = if last { Ok(trying.next().await) } else { timeout(lead, trying.next()).await };
        match ended {
            Ok(Some(Ok(won))) => return Ok(won),
            Ok(Some(Err(error))) if passable(&error) => failure = error,
            Ok(Some(Err(error))) => return under_way(trying, error).await,
            Ok(None) => return Err(failure),
            Err(_) => {}
        }
    }
}

/// What is under way may still succeed.
async fn under_way<F, T, E>(mut trying: FuturesUnordered<F>, failure: E) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    while let Some(ended) = trying.next().await {
        if let Ok(won) = ended {
            return Ok(won);
        }
    }
    Err(failure)
}

#[cfg(test)]
mod tests;
