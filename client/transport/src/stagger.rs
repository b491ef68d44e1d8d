//! Several addresses, one after the other, without waiting for the end of those that are silent.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::future::Future;

/// Begins the next attempt when one has failed, or when `lead` is over for the newest; the others go on. The
/// first success ends all.
///
/// No further attempt begins after a failure that is not `passable`: somebody was there. Those under way may still
/// succeed; else that failure is the reason. If all were passable, `worse` picks it, of the one before and the next; there
/// is none without attempts.
pub(crate) async fn stagger<F, T, E, L>(
    attempts: impl IntoIterator<Item = F>,
    lead: impl Fn() -> L,
    passable: impl Fn(&E) -> bool,
    worse: impl Fn(E, E) -> E,
) -> Result<T, Option<E>>
where
    F: Future<Output = Result<T, E>>,
    L: Future<Output = ()>,
{
    let mut attempts = attempts.into_iter();
    let (mut trying, mut failure) = (FuturesUnordered::new(), None);
    loop {
        let next = attempts.next();
        let last = next.is_none();
        trying.extend(next);
        let ended = tokio::select! {
            biased;
            ended = trying.next() => Ok(ended),
            () = lead(), if !last => Err(()),
        };
        match ended {
            Ok(Some(Ok(won))) => return Ok(won),
            Ok(Some(Err(error))) if passable(&error) => {
                failure = Some(match failure.take() {
                    Some(before) => worse(before, error),
                    None => error,
                });
            }
            Ok(Some(Err(error))) => return under_way(trying, error).await.map_err(Some),
            Ok(None) => return Err(failure),
            Err(()) => {}
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
