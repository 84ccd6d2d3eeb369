//! The scripts' own words and exit codes, as Apache's have them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::site::{Said, Site, free_ports};

/// A site with one server that does not run.
fn site() -> (Site, String) {
    let site = Site::unpacked();
    let port = free_ports(1).remove(0);
    let data = site.directory("data").display().to_string();
    site.configure("zoo.cfg", &[("dataDir", &data), ("clientPort", &port)], "");
    (site, port)
}

#[test]
fn a_server_starts_once_and_stops_twice() {
    let (mut site, _) = site();
    let pid_file = site.directory("data").join("zookeeper_server.pid");
    let missing = format!(
        "Stopping zookeeper ... no zookeeper to stop (could not find file {})\n",
        pid_file.display()
    );
    let stopped = site.run("zkServer.sh", &["stop"]);
    assert_eq!((stopped.out, stopped.code), (missing.clone(), 0));
    site.start("zoo.cfg");
    let pid = fs::read_to_string(&pid_file).expect("the pid file");
    let again = site.run("zkServer.sh", &["start"]);
    let running = format!("Starting zookeeper ... already running as process {pid}.\n");
    assert_eq!((again.out, again.code), (running, 1));
    let restarted = site.run("zkServer.sh", &["restart"]);
    let both = "Stopping zookeeper ... STOPPED\nStarting zookeeper ... STARTED\n";
    assert_eq!((restarted.out.as_str(), restarted.code), (both, 0));
    assert_ne!(fs::read_to_string(&pid_file).expect("the pid file"), pid);
    assert_eq!(site.mode("zoo.cfg"), "standalone");
    assert_eq!(site.run("zkServer.sh", &["stop"]).code, 0);
    assert_eq!(site.run("zkServer.sh", &["stop"]).out, missing);
    let status = site.run("zkServer.sh", &["status"]);
    assert!(
        status
            .out
            .ends_with("Error contacting service. It is probably not running.\n")
    );
    assert_eq!(status.code, 1);
}

#[test]
fn without_a_verb_there_is_the_usage() {
    let (site, _) = site();
    let said = site.run("zkServer.sh", &[]);
    let usage = "Usage: bin/zkServer.sh [--config <conf-dir>] \
                 {start|start-foreground|stop|version|restart|status|print-cmd}\n";
    assert!(said.err.ends_with(usage), "{said:?}");
    assert_eq!((said.out.as_str(), said.code), ("", 0));
}

#[test]
fn a_configuration_that_is_no_good_is_told_at_once() {
    let (site, port) = site();
    site.configure(
        "bad.cfg",
        &[("tickTime", "soon"), ("clientPort", &port)],
        "",
    );
    let data = site.directory("data").display().to_string();
    let pid_file = format!("{data}/bad.pid");
    let said = site.run_with(
        "zkServer.sh",
        &["start", "bad.cfg"],
        &[("ZOOPIDFILE", &pid_file)],
    );
    assert_eq!(said.out, "Starting zookeeper ... FAILED TO START\n");
    assert_eq!(said.code, 1);
    assert!(site.log().contains("tickTime"), "{}", site.log());
    let absent = site.run("zkServer.sh", &["start", "absent.cfg"]);
    assert!(
        absent.out.starts_with("Unable to determine dataDir from "),
        "{absent:?}"
    );
    assert_eq!(absent.code, 1);
}

#[test]
fn the_ensembles_lines_tell_where_clients_connect() {
    let (site, _) = site();
    let data = site.directory("data");
    let text = format!("tickTime=2000\ndataDir={}\n", data.display());
    let own = "server.7=localhost:2888:3888;[::1]:4711\n";
    fs::write(site.home().join("conf/own.cfg"), format!("{text}{own}")).expect("a file");
    let unknown = "myid could not be determined, will not able to locate clientPort in the \
                   server configs.\nClient port not found. Looking for secureClientPort in the \
                   static config.\nUnable to find either secure or unsecure client port in any \
                   configs. Terminating.\n";
    let status = |config: &str| site.run("zkServer.sh", &["status", config]);
    let Said { out, code, .. } = status("own.cfg");
    assert_eq!((out.as_str(), code), (unknown, 1));
    fs::write(data.join("myid"), "7").expect("a file");
    let found = "Client port found: 4711. Client address: ::1. Client SSL: false.\n";
    assert!(
        status("own.cfg").out.starts_with(found),
        "{:?}",
        status("own.cfg")
    );
    let dynamic = data.join("dynamic");
    fs::write(&dynamic, own).expect("a file");
    let text = format!("{text}dynamicConfigFile={}\n", dynamic.display());
    fs::write(site.home().join("conf/far.cfg"), text).expect("a file");
    let looked = "Client port not found in static config file. Looking in dynamic config file.\n";
    assert!(
        status("far.cfg")
            .out
            .starts_with(&format!("{looked}{found}"))
    );
}

#[test]
fn settings_come_from_the_places_that_operators_use() {
    let (mut site, port) = site();
    let elsewhere = site.directory("elsewhere");
    let config = site.home().join("conf/zoo.cfg");
    fs::rename(config, elsewhere.join("zoo.cfg")).expect("it moves");
    let env =
        "JVMFLAGS='-Xmx64m -Dzookeeper.4lw.commands.whitelist=*'\nZOO_LOG_DIR=$ZOOCFGDIR/log\n";
    fs::write(elsewhere.join("java.env"), env).expect("a file");
    let elsewhere = elsewhere.display().to_string();
    site.stops_at_the_end(&format!("{elsewhere}/zoo.cfg"));
    let started = site.run("zkServer.sh", &["--config", &elsewhere, "start"]);
    assert_eq!(
        started.out, "Starting zookeeper ... STARTED\n",
        "{started:?}"
    );
    let log = fs::read_dir(format!("{elsewhere}/log")).expect("its log directory");
    assert_eq!(log.count(), 1);
    assert_eq!(word(&port, "ruok"), "imok", "the flags allow it");
    let printed = site.run_with("zkServer.sh", &["print-cmd"], &[("ZOOCFGDIR", &elsewhere)]);
    assert!(
        printed.out.contains(&format!("{elsewhere}/zoo.cfg")),
        "{printed:?}"
    );
    let stopped = site.run("zkServer.sh", &["--config", &elsewhere, "stop"]);
    assert_eq!(stopped.out, "Stopping zookeeper ... STOPPED\n");
}

/// The answer to a four-letter word.
fn word(port: &str, word: &str) -> String {
    let mut stream = TcpStream::connect(format!("localhost:{port}")).expect("it listens");
    stream.write_all(word.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn a_server_to_be_is_initialized_once() {
    let (mut site, _) = site();
    let data = site.directory("data");
    let disabled = [("ZOO_DATADIR_AUTOCREATE_DISABLE", "1")];
    let refused = site.run_with("zkServer.sh", &["start"], &disabled);
    let missing = format!(
        "ZooKeeper data directory is missing at {} fix the path or run initialize\n",
        data.display()
    );
    assert_eq!((refused.out, refused.code), (missing, 1));
    let made = site.run("zkServer-initialize.sh", &["--myid=3"]);
    assert_eq!((made.out.as_str(), made.code), ("Using myid of 3\n", 0));
    assert_eq!(fs::read_to_string(data.join("myid")).expect("myid"), "3\n");
    assert!(data.join("initialize").exists() && data.join("version-2").is_dir());
    let again = site.run("zkServer-initialize.sh", &["--myid", "4"]);
    assert!(
        again
            .out
            .ends_with("(or use --force to force re-initialization)\n")
    );
    assert_eq!(again.code, 1);
    let forced = site.run("zkServer-initialize.sh", &["--force", "--myid", "4"]);
    assert_eq!(forced.code, 0, "{forced:?}");
    assert_eq!(fs::read_to_string(data.join("myid")).expect("myid"), "4\n");
    site.start("zoo.cfg");
    assert_eq!(site.mode("zoo.cfg"), "standalone");
}

#[test]
fn the_toolkits_read_what_the_server_wrote() {
    let (mut site, port) = site();
    site.start("zoo.cfg");
    let server = format!("localhost:{port}");
    let created = site.run("zkCli.sh", &["-server", &server, "create", "/kept", "data"]);
    assert_eq!(created.code, 0, "{created:?}");
    site.run("zkServer.sh", &["restart"]);
    let files = site.directory("data").join("version-2");
    let newest = |start: &str| {
        let names = fs::read_dir(&files).expect("a directory");
        let names = names.map(|name| name.expect("a file").path().display().to_string());
        let first = |name: &String| name.contains(start);
        names.filter(first).max().expect("a file")
    };
    let log = site.run(
        "zkTxnLogToolkit.sh",
        &["-d", &files.join("log.1").display().to_string()],
    );
    assert!(log.out.contains(" create2 /kept,"), "{log:?}");
    assert!(log.out.ends_with(" txns.\n"), "{log:?}");
    let snapshot = newest("/snapshot.");
    let plain = site.run("zkSnapShotToolkit.sh", &[&snapshot]);
    assert!(plain.out.contains("\n/kept\n"), "{plain:?}");
    let json = site.run("zkSnapShotToolkit.sh", &["-json", &snapshot]);
    assert!(json.out.contains("\"kept\""), "{json:?}");
    let summary = site.run(
        "zkSnapshotRecursiveSummaryToolkit.sh",
        &[&snapshot, "/", "0"],
    );
    assert!(summary.out.contains("children: "), "{summary:?}");
    let equal = ["-l", &snapshot, "-r", &snapshot, "-b", "0", "-n", "0"];
    assert_eq!(site.run("zkSnapshotComparer.sh", &equal).code, 0);
    assert_eq!(site.run("zkCleanup.sh", &["-n", "3"]).code, 0);
}

#[test]
fn the_toolkits_refuse_in_apaches_way() {
    let (site, _) = site();
    let run = |script: &str, args: &[&str]| {
        let said = site.run(script, args);
        (
            said.code,
            said.out.lines().next().unwrap_or_default().to_owned(),
            said.err,
        )
    };
    let usage = "usage: TxnLogToolkit [-dhrvc] <txn_log_file_name> (-z <zxid>)".to_owned();
    assert_eq!(
        run("zkTxnLogToolkit.sh", &[]),
        (1, usage.clone(), String::new())
    );
    assert_eq!(
        run("zkTxnLogToolkit.sh", &["-h"]),
        (0, usage.clone(), String::new())
    );
    let unknown = "Unrecognized option: -x\n\n".to_owned();
    assert_eq!(run("zkTxnLogToolkit.sh", &["-x", "f"]), (1, usage, unknown));
    let missing = "File doesn't exist or not readable: /absent\n".to_owned();
    assert_eq!(
        run("zkTxnLogToolkit.sh", &["/absent"]),
        (1, String::new(), missing)
    );
    let missing = "File '/absent' does not exist.\n".to_owned();
    assert_eq!(
        run("zkSnapShotToolkit.sh", &["/absent"]),
        (2, String::new(), missing)
    );
    assert_eq!(run("zkSnapShotToolkit.sh", &[]).0, 2);
    let missing = "Missing required options: l, r, b, n\n";
    assert_eq!(run("zkSnapshotComparer.sh", &[]).2, missing);
    assert_eq!(run("zkSnapshotComparer.sh", &[]).0, 2);
    assert_eq!(run("zkSnapshotRecursiveSummaryToolkit.sh", &["a"]).0, 2);
    let few = run("zkCleanup.sh", &["-n", "2"]);
    assert_eq!(few.0, 1, "{few:?}");
}
