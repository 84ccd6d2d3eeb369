//! The recorded commands, one after the other, with their recorded results.

use crate::normal::{self, RECORDED_ADDRESS};
use crate::ours::Ours;
use crate::server::Server;
use crate::zk;
use serde_json::Value;

/// The recording went on at a fresh server from here, after the interactive
/// session.
const SECOND_PART: &[&str] = &["create", "/qq", "d"];

/// With a server of ours: neither shell nor server may be told from Apache's.
#[test]
fn commands_do_what_apaches_do() {
    let ours = Ours::start();
    replay(&Server::at(ours.address()));
}

#[test]
fn commands_do_with_apaches_server_what_apaches_do() {
    if let Some(server) = Server::find() {
        replay(&server);
    }
}

fn replay(server: &Server) {
    let recorded: Vec<Recorded> = include_str!("../fixtures/commands.jsonl")
        .lines()
        .map(Recorded::parse)
        .collect();
    let second = recorded.iter().position(|r| r.args == SECOND_PART).unwrap();
    let mut wrong = Vec::new();
    for recorded in &recorded[..second] {
        let_time_pass(server, recorded);
        wrong.extend(recorded.compare(server));
    }
    wrong.extend(compare_interactive(server));
    for_second_part(server);
    for recorded in &recorded[second..] {
        wrong.extend(recorded.compare(server));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Between some of the recorded commands znodes had gone by themselves: their
/// sessions had expired, or their times to live.
fn let_time_pass(server: &Server, next: &Recorded) {
    let gone: &[&str] = match next.args.as_slice() {
        [get, flag, path] if get == "get" && flag == "-s" && path == "/a" => {
            &["/a/e", "/a/es-0000000002"]
        }
        [count, path] if count == "getAllChildrenNumber" && path == "/" => {
            &["/ttl", "/ttl-0000000003"]
        }
        _ => return,
    };
    for path in gone {
        delete(server, path);
    }
}

/// The second server had not seen the first part.
fn for_second_part(server: &Server) {
    delete(server, "/zookeeper/x");
}

fn delete(server: &Server, path: &str) {
    let run = zk::run(["-server", &server.address, "delete", path]);
    assert_eq!(run.exit, 0, "{run:?}");
}

/// One recorded process.
#[derive(Debug)]
struct Recorded {
    args: Vec<String>,
    exit: i64,
    stdout: String,
    stderr: String,
}

impl Recorded {
    fn parse(line: &str) -> Self {
        let value: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| value[key].as_str().unwrap().to_owned();
        let args = value["args"].as_array().unwrap().iter();
        let mut this = Self {
            args: args.map(|arg| arg.as_str().unwrap().to_owned()).collect(),
            exit: value["exit"].as_i64().unwrap(),
            stdout: text("stdout"),
            stderr: text("stderr"),
        };
        if this.args == ["get", "-s", "/a"] {
            // One of two ephemerals had not gone yet when this was recorded.
            this.stdout = this.stdout.replace("cversion = 4", "cversion = 5");
            this.stdout = this.stdout.replace("numChildren = 2", "numChildren = 1");
        }
        this
    }

    /// Runs the same command; says what differs.
    fn compare(&self, server: &Server) -> Option<String> {
        let address = server.address.as_str();
        let args = self.args.iter().map(|arg| match arg.as_str() {
            RECORDED_ADDRESS => address,
            other => other,
        });
        let run = zk::run(["-server", address].into_iter().chain(args));
        let normal = |text: &str| normal::of_command(text, address);
        let expected = (self.exit, normal(&self.stdout), normal(&self.stderr));
        let found = (
            i64::from(run.exit),
            normal(&run.stdout),
            normal(&run.stderr),
        );
        (expected != found).then(|| {
            format!(
                "{:?}\n  expected {expected:?}\n  found    {found:?}",
                self.args
            )
        })
    }
}

fn compare_interactive(server: &Server) -> Option<String> {
    let address = server.address.as_str();
    let input = include_str!("../fixtures/interactive-input.txt");
    let run = zk::run_with_input(
        &["-server", address],
        &input.replace(RECORDED_ADDRESS, address),
    );
    let found = format!(
        "{}\n--- stderr ---\n{}\n--- exit {}",
        run.stdout.trim_end(),
        run.stderr.trim_end(),
        run.exit
    );
    let expected = include_str!("../fixtures/interactive-output.txt");
    let expected = expected.replace(RECORDED_ADDRESS, address);
    let expected = normal::of_session(&expected, address);
    let found = normal::of_session(&found, address);
    (expected != found)
        .then(|| format!("interactive\n--- expected\n{expected}\n--- found\n{found}"))
}
