//! What carries one connection's frames: the little that a session's task needs of a WebSocket or a QUIC stream.
//!
//! Implementations stand in `listen`. The task is compiled for each of them, so that nothing is boxed for a frame.

use super::Input;
use bytes::Bytes;

/// The connection is over, orderly or not. Why is nobody's business any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over;

/// A connection that carries whole frames in order.
pub trait Carrier: Send {
    /// Waits for what arrives next; `None` is a mere sign of life. Cancelling loses nothing.
    fn hear(&mut self) -> impl Future<Output = Result<Option<Input>, Over>> + Send;

    /// Hands over a frame. It may stay in a buffer until [`Carrier::flush`].
    fn feed(&mut self, frame: Bytes) -> impl Future<Output = Result<(), Over>> + Send;

    /// Hands everything fed to the network, and waits while the peer takes nothing.
    fn flush(&mut self) -> impl Future<Output = Result<(), Over>> + Send;

    /// Sends what is left and says that nothing more comes.
    fn finish(&mut self) -> impl Future<Output = Result<(), Over>> + Send;

    /// Waits until the peer has ended its side too, dropping what it sends meanwhile.
    fn drain(&mut self) -> impl Future<Output = ()> + Send;
}
