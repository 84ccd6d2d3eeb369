//! Apache's own clients in Java, each against both servers: its shell, its
//! client library and Curator's recipes must say the same of either.

use crate::support::environment;
use crate::support::process::Process;
use crate::support::twins::Twins;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const CONFIG: &str = "tickTime=500\nmaxClientCnxns=0\nextendedTypesEnabled=true\n";

/// What somebody types.
const TYPED: &str = include_str!("shell.txt");

#[test]
fn apaches_shell_shows_the_same() {
    let Some((twins, java)) = start() else {
        return;
    };
    let said = twins.each().each_ref().map(|process| {
        let typed = TYPED.replace("HOST", &process.address().to_string());
        let output = java.run(
            &["org.apache.zookeeper.ZooKeeperMain", "-server"],
            process,
            &typed,
        );
        Shown::of(&output, process.address())
    });
    let [theirs, ours] = said;
    assert!(theirs.answers.len() > 100, "{}", theirs.answers.join("\n"));
    assert_same("answers", &ours.answers, &theirs.answers);
    assert_same("errors", &ours.errors, &theirs.errors);
    assert_same("events", &ours.events, &theirs.events);
    println!(
        "{} lines and {} events alike",
        ours.answers.len(),
        ours.events.len()
    );
}

#[test]
fn apaches_library_and_curator_see_the_same() {
    let Some((twins, java)) = start() else {
        return;
    };
    if !java.compiles() {
        println!("skipped: this Java runtime has no compiler");
        return;
    }
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/Clients.java");
    let program = program.to_str().expect("a path of text");
    let said = twins.each().each_ref().map(|process| {
        let output = java.run(&[program], process, "");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{}: {text}\n{errors}",
            process.name()
        );
        text
    });
    assert!(said[0].ends_with("done\n"), "{}", said[0]);
    assert_eq!(said[1], said[0]);
    println!("{} lines alike", said[0].lines().count());
}

fn assert_same(what: &str, ours: &[String], theirs: &[String]) {
    let differ = |at: &usize| ours.get(*at) != theirs.get(*at);
    let Some(at) = (0..ours.len().max(theirs.len())).find(differ) else {
        return;
    };
    let from = at.saturating_sub(5);
    let part = |lines: &[String]| {
        lines
            .iter()
            .skip(from)
            .take(10)
            .cloned()
            .collect::<Vec<_>>()
    };
    panic!(
        "{what}, line {at}\nours: {:#?}\napache: {:#?}",
        part(ours),
        part(theirs)
    );
}

fn start() -> Option<(Twins, Java)> {
    let java = environment::path("ZK_JAVA")?;
    let jars = environment::path("ZK_APACHE_395")?;
    Some((Twins::start(CONFIG)?, Java::new(java, jars)))
}

/// A Java runtime with Apache's jars, and no log lines.
struct Java {
    java: PathBuf,
    jars: PathBuf,
    dir: TempDir,
}

impl Java {
    fn new(java: PathBuf, jars: PathBuf) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let quiet = "rootLogger.level=off\n";
        fs::write(dir.path().join("log4j2.properties"), quiet).expect("it is written");
        Self { java, jars, dir }
    }

    /// Runs a class or a source file with the server's address behind it.
    fn run(&self, what: &[&str], server: &Process, typed: &str) -> Output {
        let mut child = self
            .command()
            .arg("-cp")
            .arg(format!("{}/*", self.jars.display()))
            .args(what)
            .arg(server.address().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Java runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A program that does not listen has its reason.
        let _ = stdin.write_all(typed.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("Java ends")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.java);
        let log4j = self.dir.path().join("log4j2.properties");
        command
            .args(["-Xmx256m", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8"])
            .arg(format!("-Dlog4j2.configurationFile={}", log4j.display()))
            .current_dir(self.dir.path());
        command
    }

    /// Whether it can run source files.
    fn compiles(&self) -> bool {
        let modules = self.command().arg("--list-modules").output();
        modules.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("jdk.compiler"))
    }
}

/// What the shell printed. Events come when they come, so they are apart.
#[derive(Debug, Default)]
struct Shown {
    answers: Vec<String>,
    errors: Vec<String>,
    events: Vec<String>,
}

impl Shown {
    fn of(output: &Output, address: SocketAddr) -> Self {
        let mut shown = Self::default();
        let address = address.to_string();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let line = masked(&line.replace(&address, "HOST"));
            match line.as_str() {
                "" | "WATCHER::" => {}
                event if event.starts_with("WatchedEvent") => shown.events.push(line),
                _ => shown.answers.push(line),
            }
        }
        let errors = String::from_utf8_lossy(&output.stderr).replace(&address, "HOST");
        shown.errors = errors.lines().map(str::to_owned).collect();
        shown
    }
}

/// Times and sessions are not the same.
fn masked(line: &str) -> String {
    const VARY: [&str; 2] = ["ctime = ", "mtime = "];
    if let Some(what) = VARY.iter().find(|what| line.starts_with(**what)) {
        return format!("{what}...");
    }
    match line.strip_prefix("ephemeralOwner = ") {
        Some("0x0") | None => line.to_owned(),
        Some(_) => "ephemeralOwner = ...".to_owned(),
    }
}
