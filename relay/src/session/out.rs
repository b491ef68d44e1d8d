//! What a session wants done, in order. May touch only types.

use super::Query;
use crate::meetings::Talk;
use aside_protocol::frame::{Answered, Fault, Goodbye, GoodbyeReason, RelayFrame};
use aside_protocol::request::Answer;
use aside_protocol::{DeviceId, PartitionId, Pos, codec};
use aside_relay_core::Command;
use bytes::Bytes;

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send an encoded frame.
    Send(Bytes),
    /// Give a command to the log; its answer comes back with the token.
    Submit {
        /// To come back with the answer.
        token: u64,
        /// The command.
        command: Box<Command>,
    },
    /// Note an acknowledgement.
    Ack(DeviceId, PartitionId, Pos),
    /// Read an answer from the databases.
    Read {
        /// To come back with the answer.
        token: u64,
        /// Who asks.
        device: DeviceId,
        /// What is asked.
        query: Query,
    },
    /// Something about meetings.
    Meeting(Talk),
    /// Read what a login needs to know.
    FindDevice(DeviceId),
    /// Connect the device at the hub, replacing an older connection.
    Subscribe(DeviceId),
    /// Begin reading a partition's log after a position.
    StartCatchUp(DeviceId, PartitionId, Pos),
    /// Read the next page of it.
    NextPage {
        /// The partition.
        partition: PartitionId,
        /// At most so many envelopes.
        most: usize,
        /// At most so many bytes of bodies, but at least one envelope.
        bytes: usize,
    },
    /// Close the connection once everything is sent.
    Close,
}

/// Collects outputs.
#[derive(Debug, Default)]
pub(super) struct Out {
    outputs: Vec<Output>,
}

/// What a client waits before it comes back to a relay that restarts or is full, in milliseconds.
const COME_BACK_MS: u64 = 1_000;

impl Out {
    pub(super) fn push(&mut self, output: Output) {
        self.outputs.push(output);
    }

    pub(super) fn frame(&mut self, frame: &RelayFrame) {
        self.push(Output::Send(codec::encode(frame)));
    }

    pub(super) fn answer(&mut self, id: u64, answer: Answer) {
        self.frame(&RelayFrame::Answer(Answered { id, answer }));
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        let fatal = fault.fatal;
        self.frame(&RelayFrame::Fault(fault));
        if fatal {
            self.push(Output::Close);
        }
    }

    pub(super) fn goodbye(&mut self, reason: GoodbyeReason) {
        let wait = matches!(reason, GoodbyeReason::ShuttingDown | GoodbyeReason::Full);
        let retry_after_ms = if wait { COME_BACK_MS } else { 0 };
        self.frame(&RelayFrame::Goodbye(Goodbye { reason, retry_after_ms }));
        self.push(Output::Close);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.outputs.last() == Some(&Output::Close)
    }

    pub(super) fn into_outputs(self) -> Vec<Output> {
        self.outputs
    }
}
