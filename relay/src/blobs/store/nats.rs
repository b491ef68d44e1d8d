//! Blobs in the cluster's NATS servers, in pieces of one size: a range touches only its own.

use super::{BlobStream, next_part};
use crate::cluster::{PIECE, Pieces};
use aside_protocol::Hash;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

/// The pieces.
pub(in crate::blobs) struct InNats {
    pub(super) pieces: Arc<Pieces>,
}

impl InNats {
    pub(super) async fn write(&self, id: &Hash, mut file: File) -> io::Result<()> {
        let mut number = 0;
        while let Some((rest, part)) = next_part(file).await? {
            file = rest;
            self.pieces.put(id, number, part.into()).await.map_err(io::Error::other)?;
            number += 1;
        }
        Ok(())
    }

    pub(super) fn read(&self, id: &Hash, from: u64, to: u64) -> BlobStream {
        let (pieces, id) = (self.pieces.clone(), *id);
        stream::try_unfold(from, move |at| {
            let pieces = pieces.clone();
            async move {
                if at >= to {
                    return Ok(None);
                }
                let part = part(&pieces, &id, at, to).await?;
                let next = at + part.len() as u64;
                Ok(Some((part, next)))
            }
        })
        .boxed()
    }

    pub(super) async fn since(&self, id: &Hash) -> io::Result<Option<SystemTime>> {
        let first = self.pieces.get(id, 0).await.map_err(io::Error::other)?;
        Ok(first.map(|(_, since)| since))
    }

    pub(super) async fn delete(&self, id: &Hash) -> io::Result<()> {
        self.pieces.delete(id).await.map_err(io::Error::other)
    }
}

/// What one piece has of the bytes from `at` on; never nothing.
async fn part(pieces: &Pieces, id: &Hash, at: u64, to: u64) -> io::Result<Bytes> {
    let number = at / PIECE;
    let missing = || io::Error::new(io::ErrorKind::NotFound, "a piece of a blob is not in NATS");
    let (piece, _) = pieces.get(id, number).await.map_err(io::Error::other)?.ok_or_else(missing)?;
    let range = within(at, to, piece.len() as u64).ok_or_else(missing)?;
    Ok(piece.slice(range))
}

/// Where in its piece of that length the bytes from `at` to `to` lie.
fn within(at: u64, to: u64, length: u64) -> Option<std::ops::Range<usize>> {
    let start = at / PIECE * PIECE;
    let (from, until) = (at - start, (to - start).min(length));
    (from < until).then(|| Some(usize::try_from(from).ok()?..usize::try_from(until).ok()?)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_takes_what_it_wants_of_each_piece() {
        assert_eq!(within(0, PIECE * 3, PIECE), Some(0..PIECE as usize));
        assert_eq!(within(PIECE + 5, PIECE + 9, PIECE), Some(5..9));
        assert_eq!(within(2 * PIECE + 5, 3 * PIECE, 7), Some(5..7));
        assert_eq!(within(2 * PIECE + 7, 3 * PIECE, 7), None, "it is shorter than it should be");
    }
}
