//! Frames to sockets: WebSocket over TLS with a pinned relay key. No store.
