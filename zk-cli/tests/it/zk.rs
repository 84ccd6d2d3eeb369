//! Runs `zk`.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// What one run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: i32,
}

/// Runs one command.
pub(crate) fn run<'a>(args: impl IntoIterator<Item = &'a str>) -> Run {
    let output = command().args(args).stdin(Stdio::null()).output().unwrap();
    Run::new(output)
}

/// Runs the shell with these lines on its standard input.
pub(crate) fn run_with_input(args: &[&str], input: &str) -> Run {
    let mut child = command()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    Run::new(child.wait_with_output().unwrap())
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zk"));
    command.env("TZ", "UTC");
    command
}

impl Run {
    fn new(output: Output) -> Self {
        Self {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            exit: output.status.code().unwrap(),
        }
    }
}
