//! Two ways at once: the first begins, the second joins a little later, and the first one there wins (rule `QUI-6`).

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;
use tokio::time::timeout;

/// How the lanes are timed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// What the first lane is ahead of the second.
    pub head_start: Duration,
    /// How long the first lane may go on once the second has failed.
    pub first_alone: Option<Duration>,
    /// How long the second lane may go on once the first has failed.
    pub second_alone: Option<Duration>,
}

/// Runs both until one succeeds; dropping the other ends it. When both fail, or one does and the other has had its
/// time, `worse` picks the reason: of the first, then of the second if it has one.
pub(crate) async fn race<T, E>(
    first: impl Future<Output = Result<T, E>>,
    second: impl Future<Output = Result<T, E>>,
    pace: Pace,
    worse: impl FnOnce(E, E) -> E,
) -> Result<T, E> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let failed = match timeout(pace.head_start, &mut first).await {
        Ok(Ok(won)) => return Ok(won),
        Ok(Err(error)) => Some(error),
        Err(_) => None,
    };
    let (error, rest) = match failed {
        Some(error) => (error, alone(second, pace.second_alone).await),
        None => tokio::select! {
            ended = &mut first => match ended {
                Ok(won) => return Ok(won),
                Err(error) => (error, alone(second, pace.second_alone).await),
            },
            ended = &mut second => match ended {
                Ok(won) => return Ok(won),
                Err(error) => (error, alone(first, pace.first_alone).await),
            },
        },
    };
    match rest {
        Some(Ok(won)) => Ok(won),
        Some(Err(other)) => Err(worse(error, other)),
        None => Err(error),
    }
}

/// The rest of a lane, for as long as it is worth waiting for.
async fn alone<F: Future>(lane: Pin<&mut F>, patience: Option<Duration>) -> Option<F::Output> {
    match patience {
        Some(patience) => timeout(patience, lane).await.ok(),
        None => Some(lane.await),
    }
}

#[cfg(test)]
mod tests;
