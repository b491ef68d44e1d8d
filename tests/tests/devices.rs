//! Several devices of one person, with real processes: linked, refused, removed, recovered, verified. By what the commands
//! print, and by who gets which message.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod devices {
    mod common;
    mod crowd;
    mod history;
    mod link;
    mod recover;
    mod revoke;
    mod verify;
}
