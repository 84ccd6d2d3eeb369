//! A shell in a terminal of its own, as somebody types into it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use crate::site::Site;

/// Longer than anything takes on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// One `zkCli.sh`.
pub(crate) struct Terminal {
    child: Child,
    lines: Receiver<String>,
}

impl Terminal {
    /// Opens it; both of its outputs are seen, as on a screen.
    pub(crate) fn open(site: &Site, server: &str) -> Self {
        let mut command = Command::new("bash");
        command.args(["-c", "exec bin/zkCli.sh -server \"$0\" 2>&1", server]);
        let mut child = command
            .current_dir(site.home())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the shell runs");
        let out = child.stdout.take().expect("a pipe");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let read = BufReader::new(out).lines();
            for line in read.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let terminal = Self { child, lines };
        terminal.sees("WatchedEvent state:SyncConnected type:None path:null zxid: -1");
        terminal
    }

    /// Types a line.
    pub(crate) fn types(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        writeln!(stdin, "{line}").expect("it listens");
    }

    /// Waits for a line; others may come before it.
    pub(crate) fn sees(&self, wanted: &str) {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line == wanted => return,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no line {wanted:?} among {seen:#?}"),
            }
        }
    }

    /// The same for an event, whose zxid is whatever it is.
    pub(crate) fn sees_event(&self, kind: &str, path: &str) {
        let wanted = format!("WatchedEvent state:SyncConnected type:{kind} path:{path} zxid: ");
        self.sees("WATCHER::");
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("an event");
            if line.starts_with(&wanted) {
                return;
            }
            assert_eq!(line, "", "an event of {path}");
        }
    }

    /// Types `quit` and waits for the end.
    pub(crate) fn quits(mut self) {
        self.types("quit");
        let status = self.child.wait().expect("a child can be waited for");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It ended, or its test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
