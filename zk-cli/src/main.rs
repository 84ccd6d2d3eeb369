//! `zk`, the shell: Apache's zkCli commands with Apache's output, one at a
//! time from the command line or many from standard input or a terminal; and
//! commands that Apache's shell has not (`more/`).
//!
//! The key decision: what a script can see of Apache's shell is kept, that is
//! commands, flags, texts, the stream (results on stdout; errors and `Created
//! ...` on stderr) and exit codes (0, 1, and 127 for an unknown command). What
//! is Java's is not: log lines, class names and stack traces. A single-threaded
//! runtime and a connection in the background let it start in milliseconds.
//!
//! It does not know the protocol; that is `zk-client`'s business.

mod acl_text;
mod args;
mod commands;
mod complete;
mod crawl;
mod error;
mod flags;
mod input;
mod java_time;
mod json;
mod more;
mod offline;
mod output;
mod paths;
mod shell;
mod stat_text;
mod terminal;
mod usage;
mod walk;
mod words;

use args::{Args, Start};
use output::Output;
use shell::Shell;

fn main() {
    let output = Output::new();
    let code = match args::parse(std::env::args().skip(1)) {
        Ok(Start::Run(args)) => run(args, &output),
        Ok(Start::Print(text)) => {
            output.line(&text);
            0
        }
        Err(message) => {
            output.error(&message);
            1
        }
    };
    output.flush();
    // A thread may still be reading standard input.
    std::process::exit(code);
}

fn run(args: Args, output: &Output) -> i32 {
    if args
        .command
        .first()
        .is_some_and(|name| offline::knows(name))
    {
        return match offline::run(output, &args.command) {
            Ok(()) => 0,
            Err(error) => error.report(output),
        };
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(start(args, output)),
        Err(error) => {
            output.error(&format!("cannot start: {error}"));
            1
        }
    }
}

async fn start(args: Args, output: &Output) -> i32 {
    if !args.quiet {
        output.line(&format!("Connecting to {}", args.server));
    }
    let command = args.command.clone();
    let mut shell = match Shell::start(args, output).await {
        Ok(shell) => shell,
        Err(error) => return error.report(output),
    };
    match command.is_empty() {
        true => shell.run_interactive().await,
        false => shell.run_once(command).await,
    }
}
