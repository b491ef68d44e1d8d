//! The `aside-relay` program: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    aside_relay::cli::main()
}
