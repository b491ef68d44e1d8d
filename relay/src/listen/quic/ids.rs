//! Connection ids: pseudo-random, so that nobody can link those of one connection, and drawn without failing.

use aws_lc_rs::hmac;
use quinn::{ConnectionId, ConnectionIdGenerator};

/// Bytes of an id: RFC 9000 asks a server's for enough that they do not repeat.
const LEN: usize = 8;

/// Ids made of a key that only this process has, and a counter.
pub(super) struct Ids {
    key: hmac::Key,
    count: u64,
}

impl Ids {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), count: 0 }
    }
}

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        self.count += 1;
        let tag = hmac::sign(&self.key, &self.count.to_be_bytes());
        ConnectionId::new(tag.as_ref().first_chunk::<LEN>().unwrap_or(&[0; LEN]))
    }

    fn cid_len(&self) -> usize {
        LEN
    }

    fn cid_lifetime(&self) -> Option<std::time::Duration> {
        None
    }
}
