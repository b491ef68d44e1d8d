//! Leave to upload, as a token that proves itself: nothing is kept for it. Good for a day, at every node of a cluster.

use aside_protocol::request::BlobRef;
use aside_protocol::{AccountId, Body, Hash, Millis};
use aws_lc_rs::hmac;

/// How long a token is good, in milliseconds; shorter than the reservation it came with.
const GOOD_FOR_MS: u64 = 24 * 3_600_000;
/// Account, size and end, before the tag.
const CLAIM: usize = 32 + 8 + 8;

/// Who may upload what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave {
    /// Whose quota pays.
    pub account: AccountId,
    /// What.
    pub blob: BlobRef,
}

/// Grants and checks, under a key that all nodes have.
pub(super) struct Leaves {
    key: hmac::Key,
}

impl Leaves {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// A token, from `now` on.
    pub(super) fn grant(&self, account: &AccountId, blob: &BlobRef, now: Millis) -> Body {
        let until = now.0.saturating_add(GOOD_FOR_MS);
        let mut token = [&account.0[..], &blob.size.to_be_bytes(), &until.to_be_bytes()].concat();
        let tag = self.tag(&token, &blob.id);
        token.extend_from_slice(tag.as_ref());
        Body::from(token)
    }

    pub(super) fn check(&self, token: &[u8], id: &Hash, now: Millis) -> Option<Leave> {
        let (claim, tag) = token.split_at_checked(CLAIM)?;
        hmac::verify(&self.key, &signed(claim, id), tag).ok()?;
        let account = AccountId(claim.get(..32)?.try_into().ok()?);
        let number = |from: usize| Some(u64::from_be_bytes(claim.get(from..from + 8)?.try_into().ok()?));
        let (size, until) = (number(32)?, number(40)?);
        (now.0 < until).then_some(Leave { account, blob: BlobRef { id: *id, size } })
    }

    fn tag(&self, claim: &[u8], id: &Hash) -> hmac::Tag {
        hmac::sign(&self.key, &signed(claim, id))
    }
}

fn signed(claim: &[u8], id: &Hash) -> Vec<u8> {
    [claim, &id.0[..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOB: BlobRef = BlobRef { id: Hash([7; 32]), size: 1_000 };
    const NOW: Millis = Millis(5);
    const ALICE: AccountId = AccountId([1; 32]);

    #[test]
    fn a_token_is_good_for_its_blob_and_its_time() {
        let leaves = Leaves::new(&[3; 32]);
        let token = leaves.grant(&ALICE, &BLOB, NOW);
        assert_eq!(leaves.check(&token, &BLOB.id, NOW), Some(Leave { account: ALICE, blob: BLOB }));
        assert_eq!(leaves.check(&token, &BLOB.id, Millis(NOW.0 + GOOD_FOR_MS)), None);
        assert_eq!(leaves.check(&token, &Hash([8; 32]), NOW), None);
        assert_eq!(Leaves::new(&[4; 32]).check(&token, &BLOB.id, NOW), None, "of another relay");
    }

    #[test]
    fn a_token_that_was_touched_is_worth_nothing() {
        let leaves = Leaves::new(&[3; 32]);
        let token = leaves.grant(&ALICE, &BLOB, NOW).to_vec();
        for at in 0..token.len() {
            let mut touched = token.clone();
            touched[at] ^= 1;
            assert_eq!(leaves.check(&touched, &BLOB.id, NOW), None);
            assert_eq!(leaves.check(&token[..at], &BLOB.id, NOW), None);
        }
    }
}
