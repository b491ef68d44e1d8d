//! The client's state machine: (transaction, input, now) to effects. No sockets, no clock, no terminal.
