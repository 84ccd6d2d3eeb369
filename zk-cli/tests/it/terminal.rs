//! `zk` with somebody at a terminal: keys go in, a screen comes out.

use crate::ours::Ours;
use crate::zk;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use tempfile::TempDir;

/// Longer than anything takes on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Terminal {
    keys: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
    child: Child,
    home: TempDir,
}

impl Terminal {
    fn open(address: &str) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        let home = tempfile::tempdir().unwrap();
        let child = Command::new(zk::PROGRAM)
            .args(["-server", address])
            .env("XDG_STATE_HOME", home.path())
            .env("TERM", "xterm")
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave)
            .spawn()
            .unwrap();
        let keys = File::from(master);
        let screen = read(keys.try_clone().unwrap());
        let seen = String::new();
        Self {
            keys,
            screen,
            seen,
            child,
            home,
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until `text` stands on the screen, behind what was seen before.
    fn sees(&mut self, text: &str) {
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            match self.screen.recv_timeout(PATIENCE) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("no {text:?} on {:?}", self.seen),
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It ended, or its test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(mut screen: File) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        // A terminal whose last user has left fails instead of ending.
        while let Ok(read @ 1..) = screen.read(&mut bytes) {
            if sender.send(bytes[..read].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

#[test]
fn lines_are_completed_remembered_and_interrupted_by_events() {
    let server = Ours::start();
    server.ok(&["create", "-p", "/workers/worker-1", "idle"]);
    let mut terminal = Terminal::open(&server.address());
    let prompt = format!("[zk: {}(CONNECTED) ", server.address());
    terminal.sees(&format!("{prompt}0] "));
    // A command, a path one level down, and a flag.
    terminal.press("getA\t");
    terminal.sees("getA");
    terminal.press("c\t/w\t");
    terminal.sees("getAcl /workers");
    terminal.press("\r");
    terminal.sees("'world,'anyone\r\n: cdrwa\r\n");
    terminal.sees(&format!("{prompt}1] "));
    // Relative paths, which the prompt shows.
    terminal.press("cd workers\r");
    terminal.sees(&format!("{prompt}/workers 2] "));
    terminal.press("get -w wor\t\r");
    terminal.sees("idle\r\n");
    terminal.sees(&format!("{prompt}/workers 3] "));
    // An event above a line that is half typed, which is there again after it.
    terminal.press("pw");
    terminal.sees("pw");
    server.ok(&["set", "/workers/worker-1", "busy"]);
    terminal.sees("WATCHER::");
    terminal.sees("WatchedEvent state:SyncConnected type:NodeDataChanged path:/workers/worker-1");
    terminal.sees("/workers 3] pw");
    terminal.press("d\r");
    terminal.sees("/workers\r\n");
    terminal.press("help\r");
    terminal.sees("Beyond Apache's:");
    terminal.press("quit\r");
    terminal.sees("state:Closed");
    assert!(terminal.child.wait().unwrap().success());
    let history = terminal.home.path().join("zk/history");
    let history = std::fs::read_to_string(history).unwrap();
    let lines: Vec<&str> = history
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(
        lines,
        [
            "getAcl /workers",
            "cd workers",
            "get -w worker-1",
            "pwd",
            "help",
            "quit"
        ]
    );
}
