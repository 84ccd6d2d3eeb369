//! `zk-server`: a ZooKeeper server in the foreground.
//!
//! It reads the command line, serves until SIGTERM or SIGINT, and ends with a
//! failure as soon as the log can promise nothing any more.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use zk_server::config::{self, ArgsForm, Invocation, JvmFlags, ServerConfig};
use zk_server::{Server, ServerError};

/// Apache's exit code for a command line or configuration that is no good.
const EXIT_INVALID: u8 = 2;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    match config::from_args(&args) {
        Ok(Invocation::Help) => print(config::USAGE),
        Ok(Invocation::Version) => print(concat!("zk-server ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Invocation::Serve(form)) => run(&form),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}\n\n{}", config::USAGE);
            ExitCode::from(EXIT_INVALID)
        }
    }
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run(form: &ArgsForm) -> ExitCode {
    start_logging();
    let config = match ServerConfig::load(form, &JvmFlags::from_env()) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!("invalid configuration: {error}");
            return ExitCode::from(EXIT_INVALID);
        }
    };
    config.log_start_report();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(worker_threads())
        .enable_all()
        .thread_name("zk-worker")
        .build();
    let served = match runtime {
        Ok(runtime) => runtime.block_on(serve(config)),
        Err(error) => Err(ServerError::Thread(error)),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The pipeline has a core of its own; the rest are for the connections.
/// More threads than cores only wake each other.
fn worker_threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores - 1).max(1)
}

fn start_logging() {
    let filter = EnvFilter::try_from_env("ZK_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}

async fn serve(config: ServerConfig) -> Result<(), ServerError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServerError::Thread)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServerError::Thread)?;
    let mut server = Server::start(config).await?;
    tracing::info!("serving clients on {}", server.client_address());
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
        _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        error = server.failed() => return Err(error),
    }
    server.stop().await
}
