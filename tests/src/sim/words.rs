//! Frames in a few words, with names instead of ids, for traces.

use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::frame::{ClientFrame, RelayFrame};
use aside_protocol::request::{Answer, Request};
use aside_protocol::{AccountId, ChatId, DeviceId, Refusal};
use std::collections::BTreeMap;

/// Names of devices and chats.
#[derive(Debug, Clone, Default)]
pub struct Words {
    accounts: Vec<(&'static str, AccountId)>,
    devices: BTreeMap<DeviceId, &'static str>,
    chats: BTreeMap<ChatId, String>,
}

impl Words {
    /// A device is somebody's.
    pub fn name(&mut self, name: &'static str, device: DeviceId, account: AccountId) {
        self.devices.insert(device, name);
        self.accounts.push((name, account));
    }

    /// Every two of them have a chat.
    pub fn name_chats(&mut self) {
        for (one, account) in &self.accounts {
            for (other, another) in &self.accounts {
                if one < other {
                    self.chats.insert(ChatId::direct(account, another), format!("{one}+{other}"));
                }
            }
        }
    }

    /// The group.
    pub fn name_group(&mut self, group: ChatId) {
        self.chats.insert(group, "the group".into());
    }

    fn chat(&self, chat: &ChatId) -> &str {
        self.chats.get(chat).map_or("?", String::as_str)
    }

    fn device(&self, device: &DeviceId) -> &str {
        self.devices.get(device).copied().unwrap_or("?")
    }

    /// What a client says.
    pub fn client_frame(&self, frame: &ClientFrame) -> String {
        match frame {
            ClientFrame::Attach(attach) => format!("attach {:?}", attach.cursors.first().map(|c| c.pos.0)),
            ClientFrame::Ack(ack) => format!("ack {}", ack.pos.0),
            ClientFrame::Request(asked) => format!("asks {} {}", asked.id, self.request(&asked.request)),
            other => other.name().to_lowercase(),
        }
    }

    fn request(&self, request: &Request) -> String {
        match request {
            Request::Send(r) => format!("send {} n {} base {}", self.chat(&r.chat), r.n.0, r.base.0),
            Request::Commit(r) => {
                let added: Vec<_> = r.add.iter().map(|device| self.device(device)).collect();
                let removed: Vec<_> = r.remove.iter().map(|device| self.device(device)).collect();
                let chat = self.chat(&r.chat);
                format!("commit {chat} n {} base {} adds {added:?} removes {removed:?}", r.n.0, r.base.0)
            }
            Request::Found(r) => format!("found {} incarnation {}", self.chat(&r.chat), r.incarnation),
            Request::Receipt(r) => format!("receipt {} base {}", self.chat(&r.chat), r.base.0),
            Request::Rejoin(r) => format!("rejoin {}", self.chat(&r.chat)),
            Request::Range(r) => format!("range {} {} to {}", self.chat(&r.chat), r.from.0, r.to.0),
            Request::Route(r) => format!("route {} refused {}", self.chat(&r.chat), r.refused.0),
            other => other.name().to_lowercase(),
        }
    }

    /// What the relay says.
    pub fn relay_frame(&self, frame: &RelayFrame) -> String {
        match frame {
            RelayFrame::Deliver(envelope) => self.envelope(envelope),
            RelayFrame::LoginOk(ok) => {
                format!("login ok {:?}", ok.positions.first().map(|position| (position.acked.0, position.head.0)))
            }
            RelayFrame::CaughtUp(up) => format!("caught up {}", up.pos.0),
            RelayFrame::Answer(answered) => format!("answers {} {}", answered.id, self.answer(&answered.answer)),
            RelayFrame::Goodbye(goodbye) => format!("goodbye {:?}", goodbye.reason),
            other => other.name().to_lowercase(),
        }
    }

    fn envelope(&self, envelope: &Envelope) -> String {
        let kind = match envelope.kind {
            EnvelopeKind::Message => "message",
            EnvelopeKind::Commit => "commit",
            EnvelopeKind::Founding => "founding",
            EnvelopeKind::Welcome => "welcome",
            EnvelopeKind::Receipt => "receipt",
            EnvelopeKind::Rejoin => "rejoin",
            EnvelopeKind::Leave => "leave",
            _ => "something",
        };
        let (chat, from) = (self.chat(&envelope.chat), self.device(&envelope.from));
        let number = |name: &str, value: Option<u64>| value.map_or(String::new(), |value| format!(" {name} {value}"));
        format!(
            "pos {} {kind} {chat} from {from}{}{}{}",
            envelope.pos.0,
            number("seq", envelope.seq.map(|seq| seq.0)),
            number("n", envelope.n.map(|n| n.0)),
            number("base", envelope.base.map(|base| base.0)),
        )
    }

    fn answer(&self, answer: &Answer) -> String {
        match answer {
            Answer::Refused(refusal) => format!("refused: {}", refused(refusal)),
            Answer::Sent(sent) => format!("sent n {} seq {}", sent.n.0, sent.seq.0),
            Answer::Done(done) => format!("done {:?}", done.pos.map(|pos| pos.0)),
            Answer::Envelopes(found) => format!("{} envelopes, first {}", found.envelopes.len(), found.first.0),
            other => other.name().to_lowercase(),
        }
    }
}

/// Without hashes: those of ciphertexts differ from run to run.
fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::OutOfOrder(order) => format!("out of order, expected {}", order.expected.0),
        Refusal::Stale(stale) => format!("stale, base {}", stale.base.0),
        Refusal::Conflict(conflict) => format!("conflict at {}", conflict.n.0),
        Refusal::Exists(exists) => format!("exists, incarnation {} base {}", exists.incarnation, exists.base.0),
        other => other.name().to_lowercase(),
    }
}
