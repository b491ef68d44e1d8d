//! The aside relay: sockets, sessions, batches, admin socket.
