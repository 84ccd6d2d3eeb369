//! Runs `zk`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

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

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_zk");

/// The same for bytes that may be no text; exit code and standard output.
pub(crate) fn run_with_bytes(args: &[&str], input: &[u8]) -> (i32, Vec<u8>) {
    let mut child = command()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that has failed already reads nothing.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), output.stdout)
}

/// Runs one command with these variables set.
pub(crate) fn run_with_env(args: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = command();
    command.args(args).envs(variables.iter().copied());
    Run::new(command.stdin(Stdio::null()).output().unwrap())
}

/// A command that goes on beside the test.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

/// Starts a command.
pub(crate) fn start(args: &[&str]) -> Running {
    let mut child = command()
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    Running { child, lines }
}

impl Running {
    /// A line, if one comes soon.
    pub(crate) fn line_soon(&mut self) -> Option<String> {
        self.lines.recv_timeout(Duration::from_millis(200)).ok()
    }

    /// All lines until it ends by itself.
    pub(crate) fn rest(mut self) -> Vec<String> {
        let lines = self.lines.iter().collect();
        assert!(self.child.wait().unwrap().success());
        lines
    }
}

fn command() -> Command {
    let mut command = Command::new(PROGRAM);
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
