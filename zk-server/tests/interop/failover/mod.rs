//! Other people's clients against three servers of ours whose leader is
//! killed again and again: Apache's library in Java and kazoo write, watch and
//! hold an ephemeral znode, and check every answer themselves.

use crate::support::environment;
use crate::support::process::Program;
use crate::support::site::Site;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

const MEMBERS: [i64; 3] = [1, 2, 3];
const KILLS: u32 = 5;
/// A JVM on a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many "wrote" show that a client is served.
const SOME: u32 = 3;

#[test]
fn apaches_library_writes_while_leaders_are_killed() {
    let (Some(java), Some(jars)) = (
        environment::path("ZK_JAVA"),
        environment::path("ZK_APACHE_395"),
    ) else {
        return;
    };
    let mut command = Command::new(java);
    command
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-cp"])
        .arg(format!("{}/*", jars.display()))
        .arg(source("Writer.java"));
    survives_leaders(command);
}

#[test]
fn kazoo_writes_while_leaders_are_killed() {
    let Some(python) = environment::path("ZK_PYTHON") else {
        return;
    };
    let mut command = Command::new(python);
    command.arg(source("writer.py"));
    survives_leaders(command);
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/interop/failover")
        .join(name)
}

/// Kills leaders, each once a client wrote for a while under it.
fn survives_leaders(command: Command) {
    let ours = Program::ours();
    let mut site = Site::new(3);
    for id in MEMBERS {
        site.configure(id, &MEMBERS);
    }
    site.start(&ours, &MEMBERS);
    let writer = Writer::start(command, &site);
    for _ in 0..KILLS {
        writer.goes_on();
        let leader = site.leader(&MEMBERS);
        site.kill(&[leader]);
        writer.goes_on();
        site.start(&ours, &[leader]);
    }
    writer.goes_on();
    println!("{KILLS} leaders killed: {}", writer.finish());
}

/// A client as a process.
struct Writer {
    child: Child,
    said: Receiver<String>,
}

impl Writer {
    fn start(mut command: Command, site: &Site) -> Self {
        let servers = site.addresses().into_iter().map(|it| it.to_string());
        let mut child = command
            .arg(servers.collect::<Vec<_>>().join(","))
            .arg("/writer")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the client runs");
        let said = lines(child.stdout.take().expect("a pipe"));
        let writer = Self { child, said };
        assert_eq!(writer.next(), "ready");
        writer
    }

    fn next(&self) -> String {
        let line = self.said.recv_timeout(PATIENCE);
        line.expect("the client says how it fares; standard error says more")
    }

    /// Waits until it was served for a while, as of now.
    fn goes_on(&self) {
        while self.said.try_recv().is_ok() {}
        for _ in 0..SOME {
            let line = self.next();
            assert!(line.starts_with("wrote "), "{line}");
        }
    }

    /// Tells it to end, and gives its last word.
    fn finish(mut self) -> String {
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        stdin.write_all(b"end\n").expect("it listens");
        let last = loop {
            let line = self.next();
            if !line.starts_with("wrote ") {
                break line;
            }
        };
        let status = self.child.wait().expect("a child can be waited for");
        assert!(status.success(), "{last}: {status}");
        assert!(last.starts_with("done "), "{last}");
        last
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // It ended, or its test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(out: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(out).lines();
        for line in lines.map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
