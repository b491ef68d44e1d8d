//! The limits both sides enforce, each with its reason. May touch nothing.

/// Longest frame in bytes: room for 25 post-quantum key packages or a window of large messages, small enough to buffer.
pub const MAX_FRAME: usize = 1 << 20;
/// Deepest nesting of a frame: the deepest of ours has 8; the rest is room for fields to come.
pub const MAX_NESTING: usize = 32;
/// Longest message ciphertext in bytes; larger things are attachments.
pub const MAX_MESSAGE: usize = 64 << 10;
/// Longest commit or welcome carried inside a frame; larger ones are blobs with a pointer.
pub const MAX_HANDSHAKE: usize = 256 << 10;
/// Longest plaintext of a text message in bytes: what fits [`MAX_MESSAGE`] after padding, encryption and framing.
pub const MAX_TEXT: usize = 60 << 10;
/// Longest receipt in bytes: two watermarks, nonce, tag and signature, with room to grow.
pub const MAX_RECEIPT: usize = 512;
/// Longest rejoin request in bytes: one key package and a list of missing numbers.
pub const MAX_REJOIN: usize = 64 << 10;
/// Longest key package in bytes: X-Wing ones are 2.7 KB.
pub const MAX_KEY_PACKAGE: usize = 16 << 10;
/// Key packages in one upload: about 70 KB, a fraction of a frame.
pub const KEY_PACKAGE_UPLOAD: usize = 25;
/// One-time key packages a device keeps at the relay for each suite.
pub const KEY_PACKAGE_STOCK: u64 = 100;
/// Under this many left, a device uploads more.
pub const KEY_PACKAGE_LOW: u64 = 25;
/// Devices of one account: keeps device lists and direct chats small.
pub const MAX_DEVICES: usize = 16;
/// Longest device list in bytes.
pub const MAX_DEVICE_LIST: usize = 8 << 10;
/// Envelopes a connection may have in flight in each partition before it acknowledges.
pub const WINDOW_ENVELOPES: usize = 256;
/// Bytes of bodies a connection may have in flight in each partition before it acknowledges.
pub const WINDOW_BYTES: usize = 1 << 20;
/// Sends of one device in one chat that may wait for an answer, and answers the relay remembers.
pub const UNANSWERED_SENDS: u64 = 64;
/// Requests of one connection that may wait for an answer; past this the relay stops reading (rule `REQ-2`).
pub const UNANSWERED_REQUESTS: usize = 256;
/// How long the relay keeps envelopes that some device has not fetched, in milliseconds (30 days).
pub const RETENTION_MS: u64 = 30 * 24 * 3600 * 1000;
/// An idle client pings this often, in milliseconds (rule `CON-4`).
pub const PING_MS: u64 = 30_000;
/// A connection silent for this long is closed, in milliseconds.
pub const SILENCE_MS: u64 = 90_000;
/// A connection must have logged in after this long, in milliseconds.
pub const LOGIN_MS: u64 = 15_000;
/// Rows of one page of history, unless asked otherwise.
pub const PAGE: u32 = 50;
/// Most rows of one page.
pub const MAX_PAGE: u32 = 100;
/// Envelopes in one answer to a range request.
pub const RANGE_PAGE: usize = 64;
/// Key package fetches an account may make in one hour: each takes a one-time package from somebody; a group of 1,000
/// needs as many.
pub const KEY_PACKAGE_FETCHES_PER_HOUR: u64 = 5_000;
/// Accounts of a group.
pub const GROUP_ACCOUNTS: usize = 1_000;
/// Devices of a group: what its tree and its receipts stay quick with.
pub const GROUP_DEVICES: usize = 2_000;
/// Devices of a channel, and the most any chat is routed to.
pub const CHANNEL_DEVICES: usize = 10_000;
/// Longest chain of device lists that proves anything to a group, in bytes: room for some hundred changes.
pub const MAX_CHAIN: usize = 256 << 10;
/// Longest name of a group or channel in bytes.
pub const MAX_TITLE: usize = 128;
/// Longest commit or welcome that travels as a blob: a founding with 10,000 leaves.
pub const MAX_BIG_HANDSHAKE: usize = 24 << 20;
/// Longest blob in bytes: an attachment of 100 MiB, encrypted.
pub const MAX_BLOB: u64 = 101 << 20;
/// How long the relay keeps a blob, in milliseconds: a day longer than the envelopes that point to it.
pub const BLOB_RETENTION_MS: u64 = RETENTION_MS + 24 * 3600 * 1000;
/// How long the relay waits for the rest of a blob whose upload nobody goes on with, in milliseconds (2 days).
pub const BLOB_UNFINISHED_MS: u64 = 2 * 24 * 3600 * 1000;
/// Bytes that the shortest blob counts for in a quota: a file on a disk takes as many.
pub const BLOB_LEAST: u64 = 4 << 10;
/// Longest request to leave or to join in bytes: a key package, a signature, and room to grow.
pub const MAX_ASKING: usize = 32 << 10;
/// Devices that get a request to join a chat: enough that one of them is awake.
pub const JOIN_REQUEST_DEVICES: usize = 16;
/// Requests to join that an account may make in one hour (rule `JOI-3`).
pub const JOIN_REQUESTS_PER_HOUR: u64 = 20;
/// Requests of a device to be added again to one chat in one hour: each is a row for every routed device. Whoever waits
/// as rule `REJ-1` says stays far below.
pub const REJOINS_PER_HOUR: u64 = 30;
/// Requests of a device to leave one chat in one hour: each is a row for every routed device, and one a day is enough.
pub const LEAVES_PER_HOUR: u64 = 5;
/// Routing changes of a chat that one device undoes in one hour while it is not routed there: victims of a bad commit need
/// one, and who was rightly removed must not keep the members busy.
pub const ROUTES_PER_HOUR: u64 = 10;
/// Chats with more devices than this are not told of each receipt; who looks asks (rule `RCP-5`).
pub const RECEIPT_PUSH_DEVICES: usize = 32;
/// Receipts in one answer.
pub const RECEIPTS_PAGE: usize = 512;
/// Chats in one answer.
pub const CHATS_PAGE: usize = 1_000;
/// Meetings a device may have open at a time.
pub const MEETINGS: usize = 4;
/// Messages of one side of a meeting that the other has not taken; further ones are refused.
pub const MEETING_WAITING: usize = 8;
/// Longest message two devices exchange while they meet, in bytes.
pub const MAX_MEETING: usize = 64 << 10;
/// How long a meeting lasts, in milliseconds: time to type a code and to answer a question.
pub const MEETING_MS: u64 = 10 * 60 * 1000;
/// Longest list of versions or capabilities in a hello, and of addresses in an invite or told of nodes (rule `NOD-1`).
pub const MAX_OFFERS: usize = 32;
