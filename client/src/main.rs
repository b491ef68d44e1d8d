//! The `aside` program: reads arguments, runs the command, exits with its code.

use aside::cli::{Cli, ExitCode, run};
use clap::Parser;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

fn main() -> std::process::ExitCode {
    // Wrong arguments end here with code 2, help and version with 0.
    let cli = Cli::parse();
    // Logs would be written over the screen.
    if !(cli.is_screen() && std::io::stderr().is_terminal()) {
        tracing_subscriber::fmt().with_env_filter(log_filter()).with_writer(std::io::stderr).init();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let code = match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(run(cli));
            // A read of the terminal that nobody waits for any more must not keep the process until the next Enter.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            eprintln!("aside: cannot start: {error}");
            ExitCode::Error
        }
    };
    std::process::ExitCode::from(code as u8)
}

/// What `ASIDE_LOG` asks for, but never the frames that the WebSocket library would write out: a registration holds the
/// invite's secret.
fn log_filter() -> EnvFilter {
    match (EnvFilter::try_from_env("ASIDE_LOG"), "tungstenite=warn".parse()) {
        (Ok(asked), Ok(quiet)) => asked.add_directive(quiet),
        _ => "off".into(),
    }
}
