//! A thread that others rely on must not end silently.

/// Ends the process if the thread that holds it panics: a relay that restarts loses nothing, one that hangs serves nobody.
pub(crate) struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}
