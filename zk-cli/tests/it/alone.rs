//! What can be seen of `zk` without a server.

use crate::zk;
use std::net::TcpListener;

/// The address of a port that nobody listens on.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn a_command_that_cannot_connect_fails() {
    let address = nowhere();
    let run = zk::run(["-server", &address, "ls", "/"]);
    assert_eq!(run.exit, 1);
    assert_eq!(run.stdout, format!("Connecting to {address}\n"));
    assert_eq!(run.stderr, "KeeperErrorCode = ConnectionLoss for /\n");
}

#[test]
fn waiting_for_a_connection_ends_with_the_timeout() {
    let address = nowhere();
    let wait = ["-timeout", "200", "-waitforconnection", "ls", "/"];
    let run = zk::run(["-server", &address].into_iter().chain(wait));
    assert_eq!(run.exit, 1);
    assert_eq!(
        run.stdout,
        format!(
            "Connecting to {address}\n\nWATCHER::\n\n\
             WatchedEvent state:Closed type:None path:null zxid: -1\n"
        )
    );
    assert_eq!(run.stderr, "KeeperErrorCode = ConnectionLoss\n");
}

#[test]
fn what_needs_no_server_does_not_wait_for_one() {
    let address = nowhere();
    let run = |args: &[&str]| zk::run(["-server", &address].iter().chain(args).copied());
    assert_eq!(run(&["version"]).exit, 0);
    let missing = run(&["create"]);
    assert_eq!(missing.exit, 1);
    assert_eq!(
        missing.stderr,
        "create [-s] [-e] [-c] [-t ttl] path [data] [acl]\n"
    );
    let unknown = run(&["nosuch"]);
    assert_eq!(unknown.exit, 127);
    assert!(
        unknown
            .stderr
            .ends_with("\nCommand not found: Command not found nosuch\n")
    );
}

#[test]
fn bad_arguments_are_named() {
    let run = zk::run(["-timeout"]);
    assert_eq!(run.exit, 1);
    assert_eq!(run.stderr, "Error: no argument found for option -timeout\n");
    let run = zk::run(["-server", "host:port:x", "ls", "/"]);
    assert_eq!(run.exit, 1);
    assert_eq!(run.stderr, "\"host:port:x\" has no valid port\n");
}

#[test]
fn lines_are_numbered_and_done_again() {
    let address = nowhere();
    let lines = "printwatches\n\n  \nredo 0\nredo 7\nredo 1\nhistory\nprintwatches off\nnosuch\n";
    let run = zk::run_with_input(&["-server", &address], lines);
    assert_eq!(run.exit, 127, "the last command's code");
    let shown = run.stdout.lines().skip(3).collect::<Vec<_>>();
    assert_eq!(
        shown,
        [
            "printwatches is on",
            "printwatches is on",
            "printwatches is on",
            "0 - printwatches",
            "1 - printwatches",
            "2 - redo 7",
            "3 - printwatches",
            "4 - history",
        ]
    );
    assert!(run.stderr.starts_with("Command index out of range\n"));
}

#[test]
fn a_closed_session_runs_nothing() {
    let address = nowhere();
    let run = zk::run_with_input(&["-server", &address], "close\nls /\nquit\n");
    assert_eq!(run.exit, 0);
    assert_eq!(
        run.stdout.lines().skip(3).collect::<Vec<_>>(),
        [
            "",
            "WATCHER::",
            "",
            "WatchedEvent state:Closed type:None path:null zxid: -1",
            "Not connected"
        ]
    );
}
