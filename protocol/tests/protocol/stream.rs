//! Frames come out of a stream as they went in, however it is cut.

use aside_protocol::limits::MAX_FRAME;
use aside_protocol::stream::{Cutter, FrameTooLong, HEAD, head, put};
use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

fn stream(frames: &[Vec<u8>]) -> Bytes {
    let mut bytes = BytesMut::new();
    frames.iter().for_each(|frame| put(frame, &mut bytes));
    bytes.freeze()
}

fn cut(chunks: impl IntoIterator<Item = Bytes>) -> Vec<Vec<u8>> {
    let (mut cutter, mut frames) = (Cutter::default(), Vec::new());
    for chunk in chunks {
        cutter.push(chunk);
        while let Some(frame) = cutter.frame().unwrap() {
            frames.push(frame.to_vec());
        }
    }
    frames
}

proptest! {
    #[test]
    fn any_cutting_gives_the_same_frames(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
        sizes in prop::collection::vec(0_usize..60, 1..20),
    ) {
        let mut rest = stream(&frames);
        let mut chunks = Vec::new();
        for size in sizes.iter().cycle().take(2_000) {
            chunks.push(rest.split_to(rest.len().min(*size)));
        }
        chunks.push(rest);
        prop_assert_eq!(cut(chunks), frames);
    }
}

#[test]
fn a_frame_within_a_chunk_is_not_copied() {
    let bytes = stream(&[vec![7; 100]]);
    let mut cutter = Cutter::default();
    cutter.push(bytes.clone());
    let frame = cutter.frame().unwrap().unwrap();
    assert_eq!(frame.as_ptr(), bytes[HEAD..].as_ptr());
}

#[test]
fn the_longest_frame_passes_and_a_longer_one_is_refused_by_its_length_alone() {
    let longest = vec![1; MAX_FRAME];
    assert_eq!(cut([stream(std::slice::from_ref(&longest))]), [longest]);
    for len in [MAX_FRAME + 1, u32::MAX as usize] {
        for size in [1, HEAD] {
            let mut cutter = Cutter::default();
            let head = head(len);
            let answers: Vec<_> = head
                .chunks(size)
                .map(|part| {
                    cutter.push(Bytes::copy_from_slice(part));
                    cutter.frame()
                })
                .collect();
            assert_eq!(answers.last(), Some(&Err(FrameTooLong(len))));
            assert_eq!(cutter.frame(), Err(FrameTooLong(len)), "it stays so");
        }
    }
}
