//! Waiting for a condition, never for a time. May read the monotonic clock.

use std::time::{Duration, Instant};

/// Between two looks: short beside a process start, long beside the look itself.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `condition` holds; panics with `what` when it does not within `timeout`.
#[track_caller]
pub fn wait_for(what: &str, timeout: Duration, mut condition: impl FnMut() -> bool) {
    wait_some(what, timeout, || condition().then_some(()));
}

/// Waits until `look` finds something, and returns it; panics with `what` when it does not within `timeout`.
#[track_caller]
pub fn wait_some<T>(what: &str, timeout: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < timeout, "waited {timeout:?} in vain for: {what}");
        std::thread::sleep(PAUSE);
    }
}
