//! Identity, device lists, MLS groups and receipts. No sockets, no clock.
