//! The instructions of the posts that many people learned ZooKeeper from: one server, three on
//! one machine, and the master and its workers in shells side by side.

use std::fs;

use crate::site::{Site, free_ports};
use crate::terminal::Terminal;

/// Copy the sample, start, ask, connect.
#[test]
fn one_server_starts_from_the_sample() {
    let mut site = Site::unpacked();
    let port = &free_ports(1)[0];
    let data = site.directory("data").display().to_string();
    site.configure("zoo.cfg", &[("dataDir", &data), ("clientPort", port)], "");
    site.start("conf/zoo.cfg");
    let said = site.run("zkServer.sh", &["status"]);
    let home = site.home().display();
    let told =
        format!("ZooKeeper JMX enabled by default\nUsing config: {home}/bin/../conf/zoo.cfg\n");
    assert_eq!(said.err, told);
    let found = format!("Client port found: {port}. Client address: localhost. Client SSL: false.");
    assert_eq!(said.out, format!("{found}\nMode: standalone\n"));
    assert_eq!(said.code, 0);
    let server = format!("localhost:{port}");
    let created = site.run(
        "zkCli.sh",
        &["-server", &server, "create", "/servers", "xxx"],
    );
    assert_eq!(
        (created.err.as_str(), created.code),
        ("Created /servers\n", 0)
    );
    let read = site.run("zkCli.sh", &["-server", &server, "get", "/servers"]);
    assert!(read.out.ends_with("\nxxx\n"), "{read:?}");
    let stopped = site.run("zkServer.sh", &["stop"]);
    assert_eq!(stopped.out, "Stopping zookeeper ... STOPPED\n");
}

/// `server.N` lines, a myid each, and the four lines of `status`.
#[test]
fn three_servers_on_one_machine_elect() {
    let mut site = Site::unpacked();
    let clients = configure_three(&site);
    let configs = ["zoo1.cfg", "zoo2.cfg", "zoo3.cfg"];
    for config in configs {
        site.start(config);
    }
    let mut modes: Vec<String> = configs.iter().map(|config| site.mode(config)).collect();
    modes.sort();
    assert_eq!(modes, ["follower", "follower", "leader"]);
    let written = site.run("zkCli.sh", &["-server", &clients[0], "create", "/a", "1"]);
    assert_eq!(written.code, 0, "{written:?}");
    let everywhere = clients.join(",");
    let read = site.run("zkCli.sh", &["-server", &everywhere, "sync", "/a"]);
    assert!(read.out.ends_with("\nSync is OK\n"), "{read:?}");
}

fn configure_three(site: &Site) -> Vec<String> {
    let ports = free_ports(9);
    let members: String = (0..3)
        .map(|at| {
            let (quorum, election) = (&ports[3 + at], &ports[6 + at]);
            format!("server.{}=localhost:{quorum}:{election}\n", at + 1)
        })
        .collect();
    let clients = ports.iter().take(3).zip(1..);
    let clients = clients.map(|(port, id)| {
        let data = site.directory(&format!("data{id}"));
        fs::write(data.join("myid"), format!("{id}\n")).expect("a file");
        let data = data.display().to_string();
        let changed = [("dataDir", data.as_str()), ("clientPort", port)];
        site.configure(&format!("zoo{id}.cfg"), &changed, &members);
        format!("localhost:{port}")
    });
    clients.collect()
}

/// One master, another that waits for it, and workers that come and go.
#[test]
fn a_master_watches_its_workers() {
    let mut site = Site::unpacked();
    let port = &free_ports(1)[0];
    let data = site.directory("data").display().to_string();
    site.configure("zoo.cfg", &[("dataDir", &data), ("clientPort", port)], "");
    site.start("zoo.cfg");
    let server = format!("localhost:{port}");
    let open = || Terminal::open(&site, &server);
    let (mut first, mut second) = (open(), open());
    first.types("create -e /master \"m1:2223\"");
    first.sees("Created /master");
    second.types("create -e /master \"m2:2223\"");
    second.sees("Node already exists: /master");
    second.types("stat -w /master");
    second.sees("numChildren = 0");
    first.quits();
    second.sees_event("NodeDeleted", "/master");
    second.types("create -e /master \"m2:2223\"");
    second.sees("Created /master");
    workers_come_and_go(second, [open(), open()]);
}

fn workers_come_and_go(mut master: Terminal, [mut first, mut second]: [Terminal; 2]) {
    master.types("create /workers");
    master.sees("Created /workers");
    master.types("ls -w /workers");
    master.sees("[]");
    first.types("create -e /workers/w1 \"w1:2224\"");
    first.sees("Created /workers/w1");
    master.sees_event("NodeChildrenChanged", "/workers");
    master.types("ls -w /workers");
    master.sees("[w1]");
    second.types("create -e /workers/w2 \"w2:2224\"");
    second.sees("Created /workers/w2");
    master.sees_event("NodeChildrenChanged", "/workers");
    master.types("ls -w /workers");
    master.sees("[w1, w2]");
    second.quits();
    master.sees_event("NodeChildrenChanged", "/workers");
    master.types("ls /workers");
    master.sees("[w1]");
    first.quits();
    master.quits();
}
