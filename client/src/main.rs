//! The `aside` program: reads arguments, runs the command, exits with its code.

use aside::cli::{Cli, ExitCode, run};
use clap::Parser;

fn main() -> std::process::ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ASIDE_LOG").unwrap_or_else(|_| "off".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // Wrong arguments end here with code 2, help and version with 0.
    let cli = Cli::parse();
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
