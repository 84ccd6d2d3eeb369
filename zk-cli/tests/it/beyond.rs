//! What `zk` does beyond Apache's shell, against a server of ours.

use crate::ours::Ours;
use crate::zk;
use serde_json::json;
use std::fs;

/// A server with a small tree.
fn with_tree() -> Ours {
    let server = Ours::start();
    server.ok(&["create", "-p", "/t/a/b", "hello\nworld"]);
    server.ok(&["create", "/t/c", "xyz"]);
    server.ok(&["create", "-e", "/t/e", "mine"]);
    server
}

#[test]
fn bytes_pass_unchanged() {
    let server = Ours::start();
    server.ok(&["create", "/a", ""]);
    let address = server.address();
    let bytes = [0u8, 0xff, b'\n', 0xc3, b'x'];
    for args in [vec!["set", "/a", "-"], vec!["set", "-f", "-", "/a"]] {
        let args = [&["-q", "-server", address.as_str()][..], &args].concat();
        assert_eq!(zk::run_with_bytes(&args, &bytes).0, 0);
        let (exit, out) = zk::run_with_bytes(&["-server", &address, "get", "--raw", "/a"], b"");
        assert_eq!((exit, out.as_slice()), (0, &bytes[..]));
        server.ok(&["set", "/a", "other"]);
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data");
    fs::write(&file, bytes).unwrap();
    server.ok(&["set", "-f", file.to_str().unwrap(), "/a"]);
    assert_eq!(server.json(&["get", "/a"])["dataBase64"], "AP8Kw3g=");
    server.ok(&["create", "-f", file.to_str().unwrap(), "/b"]);
    assert_eq!(server.ok(&["get", "-b", "/b"]), "AP8Kw3g=\n");
    server.ok(&["set", "--create", "/new", "x"]);
    assert_eq!(server.ok(&["get", "/new"]), "x\n");
}

#[test]
fn results_are_json() {
    let server = with_tree();
    let get = server.json(&["get", "/t/c"]);
    assert_eq!(
        (&get["data"], &get["path"]),
        (&json!("xyz"), &json!("/t/c"))
    );
    assert_eq!(get["stat"]["dataLength"], 3);
    server.ok(&["create", "/null"]);
    assert_eq!(server.json(&["get", "/null"])["data"], json!(null));
    assert_eq!(server.json(&["stat", "/t"])["stat"]["numChildren"], 3);
    assert_eq!(
        server.json(&["ls", "/t"])["children"],
        json!(["a", "c", "e"])
    );
    assert_eq!(server.json(&["ls", "-s", "/t"])["stat"]["version"], 0);
    let acl = json!([{ "scheme": "world", "id": "anyone", "perms": "cdrwa" }]);
    assert_eq!(server.json(&["getAcl", "/t"])["acl"], acl);
    assert_eq!(
        server.json(&["getAllChildrenNumber", "/t"])["descendants"],
        4
    );
    assert_eq!(server.json(&["getEphemerals"])["ephemerals"], json!([]));
    assert_eq!(server.json(&["whoami"])[0]["scheme"], "ip");
    assert!(server.json(&["config"])["stat"].is_object());
    assert!(server.json(&["version"])["version"].is_string());
    server.ok(&["setquota", "-n", "9", "/t"]);
    assert_eq!(server.json(&["listquota", "/t"])["limits"]["count"], 9);
    assert_eq!(
        server.json(&["create", "-s", "/t/s-"])["path"],
        "/t/s-0000000003"
    );
    assert_eq!(server.json(&["set", "/t/c", "z"])["stat"]["version"], 1);
    server.fails(2, &["get", "-o", "yaml", "/t"]);
    let before = zk::run(["-o", "json", "-server", &server.address(), "get", "/t/c"]);
    assert!(before.stdout.starts_with("{\"data\":\"z\""), "{before:?}");
}

#[test]
fn exit_codes_tell_the_kind_of_error() {
    let server = with_tree();
    server.fails(2, &["get"]);
    server.fails(2, &["get", "-nosuch", "/t"]);
    server.fails(3, &["get", "/nosuch"]);
    server.fails(3, &["stat", "/nosuch"]);
    server.fails(4, &["create", "/t"]);
    server.fails(5, &["set", "-v", "7", "/t", "x"]);
    server.fails(6, &["delete", "/t"]);
    server.ok(&[
        "create",
        "/closed",
        "x",
        "digest:u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=:r",
    ]);
    server.fails(7, &["get", "/closed"]);
    server.fails(127, &["nosuch"]);
    let nowhere = zk::run(["-q", "-server", "127.0.0.1:1", "get", "/"]);
    assert_eq!(nowhere.exit, 8, "{nowhere:?}");
    // Apache's shell knows two codes, and says where it connects to.
    let apache = zk::run(["-server", &server.address(), "get", "/nosuch"]);
    assert_eq!(apache.exit, 1);
    assert!(apache.stdout.starts_with("Connecting to "));
}

#[test]
fn relative_paths_follow_cd() {
    let server = with_tree();
    let run = server.lines(
        "pwd\ncd /t\npwd\nls\nget c\ncd a\nget b\nget ../c\ncd nosuch\npwd\ncreate -s lock/\n\
         create lock\ncreate -s lock/\ncd\nls t/a\n",
    );
    assert_eq!(
        run.stdout, "/\n/t\n[a, c, e]\nxyz\nhello\nworld\nxyz\n/t/a\n[b, lock]\n",
        "{run:?}"
    );
    assert!(run.stderr.contains("Node does not exist: /t/a/nosuch\n"));
    assert!(
        run.stderr
            .ends_with("Created /t/a/lock\nCreated /t/a/lock/0000000000\n")
    );
    // Before a cd, paths are as in Apache's shell.
    let run = server.lines("ls t\n");
    assert_eq!(run.stderr, "Path must start with / character\n");
}

#[test]
fn trees_are_drawn_and_searched() {
    let server = with_tree();
    assert_eq!(
        server.ok(&["tree", "/t"]),
        "/t\n├── a\n│   └── b\n├── c\n└── e\n"
    );
    assert_eq!(
        server.ok(&["tree", "-L", "1", "/t"]),
        "/t\n├── a\n├── c\n└── e\n"
    );
    let stats = server.ok(&["tree", "-s", "/t"]);
    assert!(stats.contains("c  (3 B, version 0)\n") && stats.contains("ephemeral of 0x"));
    let find = |args: &[&str]| {
        let found = server.ok(&[&["find", "/t"], args].concat());
        found.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(find(&["-name", "?"]).len(), 5, "the root too");
    assert_eq!(find(&["-name", "b*"]), ["/t/a/b"]);
    assert_eq!(find(&["-path", "a/"]), ["/t/a/b"]);
    assert_eq!(find(&["-size", "+3"]), ["/t/a/b", "/t/e"]);
    assert_eq!(find(&["-size", "3"]), ["/t/c"]);
    assert_eq!(find(&["-type", "e"]), ["/t/e"]);
    assert_eq!(find(&["-empty"]), Vec::<String>::new());
    assert_eq!(find(&["-older", "3600"]), Vec::<String>::new());
    assert_eq!(find(&["-newer", "3600", "-L", "0"]), ["/t"]);
    assert_eq!(server.ok(&["grep", "WOR", "/t", "-i"]), "/t/a/b: world\n");
    assert_eq!(
        server.ok(&["grep", "-l", "x.z|l+o", "/t"]),
        "/t/c\n/t/a/b\n"
    );
    server.fails(1, &["grep", "-F", "x.z", "/t"]);
    server.fails(2, &["grep", "(", "/t"]);
    server.fails(3, &["tree", "/nosuch"]);
    assert_eq!(server.json(&["grep", "wor", "/t"])["line"], 2);
}

#[test]
fn sizes_are_summed_and_ranked() {
    let server = with_tree();
    let du = server.ok(&["du", "-L", "1", "/t"]);
    let du: Vec<Vec<&str>> = du
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(du[0], ["18", "B", "5", "/t"]);
    assert_eq!(du[1], ["11", "B", "2", "/t/a"]);
    let top = server.json(&["top", "-n", "2", "/t"]);
    assert_eq!(
        top["largest"][0],
        json!({ "path": "/t/a/b", "dataLength": 11 })
    );
    assert_eq!(top["widest"][0], json!({ "path": "/t", "numChildren": 3 }));
    assert_eq!(top["largest"].as_array().unwrap().len(), 2);
    assert!(server.ok(&["top", "/t"]).starts_with("bytes of data\n"));
}

#[test]
fn subtrees_are_copied_and_compared() {
    let (server, other) = (with_tree(), Ours::start());
    server.ok(&["cp", "/t/c", "/d"]);
    assert_eq!(server.ok(&["get", "/d"]), "xyz\n");
    server.fails(4, &["cp", "/t/c", "/d"]);
    server.fails(3, &["cp", "/nosuch", "/x"]);
    server.fails(2, &["cp", "-r", "/t", "/t/inside"]);
    server.fails(3, &["cp", "-r", "/t", "/x/y"]);
    server.ok(&["setAcl", "/t/c", "world:anyone:r"]);
    let there = format!("{}/copy/of", other.address());
    server.ok(&["cp", "-r", "-a", "-p", "/t", &there]);
    assert_eq!(
        other.ok(&["tree", "/copy"]),
        "/copy\n└── of\n    ├── a\n    │   └── b\n    └── c\n"
    );
    assert_eq!(
        other.json(&["getAcl", "/copy/of/c"])["acl"][0]["perms"],
        "r"
    );
    let differences = server.run(&["diff", "/t", &there]);
    assert_eq!((differences.exit, &*differences.stdout), (1, "< /e\n"));
    other.ok(&["set", "/copy/of/a/b", "other"]);
    other.ok(&["create", "/copy/of/new", ""]);
    let differences = server.run(&["diff", "-a", "/t", &there]);
    assert_eq!(differences.stdout, "! /a/b\n< /e\n> /new\n");
    server.ok(&["cp", "-r", "--overwrite", "/t/a", &format!("{there}/a")]);
    server.ok(&["diff", "/t/a", &format!("{there}/a")]);
    other.ok(&["set", "/copy/of/a/b", "kept"]);
    server.ok(&["cp", "-r", "--skip", "/t/a", &format!("{there}/a")]);
    assert_eq!(other.ok(&["get", "/copy/of/a/b"]), "kept\n");
}

#[test]
fn archives_hold_whole_subtrees() {
    let (server, other) = (with_tree(), Ours::start());
    let address = server.address();
    zk::run_with_bytes(&["-server", &address, "set", "/t/c", "-"], &[0, 0xff]);
    server.ok(&["create", "/t/null"]);
    server.ok(&["setAcl", "/t/a", "ip:127.0.0.1:cdrwa"]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("t.zka");
    let file = file.to_str().unwrap();
    let run = server.run(&["export", "/t", file]);
    assert_eq!(
        run.stderr,
        "5 znode(s) exported, 1 ephemeral znode(s) left out\n"
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    other.fails(3, &["import", file, "/x/y"]);
    assert_eq!(
        other.run(&["import", "-p", file, "/x/y"]).stderr,
        "5 znode(s) imported\n"
    );
    let there = format!("{}/x/y", other.address());
    assert_eq!(server.run(&["diff", "-a", "/t", &there]).stdout, "< /e\n");
    assert_eq!(other.json(&["get", "/x/y/null"])["data"], json!(null));
    other.fails(4, &["import", file, "/x/y"]);
    other.ok(&["set", "/x/y/c", "changed"]);
    other.ok(&["delete", "/x/y/null"]);
    other.ok(&["import", "--skip", file, "/x/y"]);
    assert_eq!(other.ok(&["get", "/x/y/c"]), "changed\n");
    assert_eq!(other.json(&["get", "/x/y/null"])["data"], json!(null));
    other.ok(&["import", "--overwrite", file, "/x/y"]);
    assert_eq!(other.json(&["get", "/x/y/c"])["dataBase64"], "AP8=");
    let would = other.ok(&["import", "--dry-run", file, "/z"]);
    assert_eq!(would, "/z\n/z/a\n/z/c\n/z/null\n/z/a/b\n");
    other.ok(&["import", "--no-acl", file, "/open"]);
    assert_eq!(
        other.json(&["getAcl", "/open/a"])["acl"][0]["scheme"],
        "world"
    );
    other.fails(3, &["get", "/z"]);

    // Through pipes, and what is no archive.
    let (exit, bytes) = zk::run_with_bytes(&["-server", &address, "export", "/t", "-"], b"");
    assert_eq!((exit, &bytes), (0, &fs::read(file).unwrap()));
    let other_address = other.address();
    let import = ["-server", &other_address, "import", "-", "/piped"];
    assert_eq!(zk::run_with_bytes(&import, &bytes).0, 0);
    assert_eq!(
        other.json(&["getAllChildrenNumber", "/piped"])["descendants"],
        4
    );
    let cut = ["-server", &other_address, "import", "-", "/cut"];
    assert_eq!(zk::run_with_bytes(&cut, &bytes[..bytes.len() - 1]).0, 1);
}

/// More znodes than one batch holds, wide and deep, with data of all sizes.
#[test]
fn large_subtrees_arrive_whole() {
    let server = Ours::start();
    let mut writes = String::from("create /big\n");
    for at in 0..300 {
        let data = "x".repeat(at * 7);
        writes += &format!("create /big/{at:03} {data}\n");
        if at % 10 == 0 {
            writes += &format!("create /big/{at:03}/below y\ncreate /big/{at:03}/below/it z\n");
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let (script, file) = (directory.path().join("txn"), directory.path().join("big"));
    fs::write(&script, writes).unwrap();
    server.ok(&["txn", "-f", script.to_str().unwrap()]);
    let large = directory.path().join("large");
    fs::write(&large, "w".repeat(900_000)).unwrap();
    server.ok(&["set", "-f", large.to_str().unwrap(), "/big/000"]);
    server.ok(&["export", "/big", file.to_str().unwrap()]);
    server.ok(&["import", file.to_str().unwrap(), "/again"]);
    assert_eq!(
        server.json(&["getAllChildrenNumber", "/again"])["descendants"],
        360
    );
    server.ok(&["diff", "-a", "/big", "/again"]);
    server.ok(&["import", "--skip", file.to_str().unwrap(), "/again"]);
    server.ok(&["cp", "-r", "/again", "/third"]);
    server.ok(&["diff", "-a", "/big", "/third"]);
}

#[test]
fn snapshots_are_restored_with_their_kinds() {
    let server = Ours::start();
    let fixture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/offline/snapshot.109"
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("s.zka");
    let file = file.to_str().unwrap();
    assert_eq!(
        zk::run(["snapshot", "export", fixture, "/s7", file]).exit,
        0
    );
    server.ok(&["import", "--no-acl", file, "/s7"]);
    let dump = zk::run(["snapshot", "dump", "-o", "json", fixture]).stdout;
    let nodes = dump
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let restored = nodes.filter(|node| {
        let path = node["path"].as_str().unwrap_or_default();
        node["kind"] != "ephemeral" && (path == "/s7" || path.starts_with("/s7/"))
    });
    let count = server.ok(&["find", "/s7"]).lines().count();
    assert_eq!(count, restored.count());
    let missing = zk::run(["snapshot", "export", fixture, "/nosuch", file]);
    assert_eq!(missing.exit, 1);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn transactions_are_all_or_nothing() {
    let server = with_tree();
    let done = server.ok(&[
        "txn",
        "create",
        "/n",
        "1",
        ";",
        "set",
        "-v",
        "0",
        "/n",
        "2;",
        "check /n 1",
        ";",
        "delete",
        "/t/c",
    ]);
    assert_eq!(done, "Created /n\nSet /n\nChecked /n\nDeleted /t/c\n");
    let error = server.fails(5, &["txn", "set", "/n", "3", ";", "check", "/n", "7"]);
    assert_eq!(
        error,
        "write 2 (check /n 7): version No is not valid : /n\n"
    );
    assert_eq!(server.ok(&["get", "/n"]), "2\n");
    server.fails(2, &["txn", "get", "/n"]);
    server.fails(2, &["txn"]);
    let lines = "# who\ncreate /m 'two words'\n\ncreate -s /m/s- x world:anyone:cdrwa\n";
    let run = zk::run_with_input(
        &["-q", "-server", &server.address(), "txn", "-f", "-"],
        lines,
    );
    assert_eq!(
        run.stdout, "Created /m\nCreated /m/s-0000000000\n",
        "{run:?}"
    );
    assert_eq!(server.ok(&["get", "/m"]), "two words\n");
    let bad = zk::run_with_input(
        &["-server", &server.address(), "txn", "-f", "-"],
        "\nbad x\n",
    );
    assert!(
        bad.stderr.starts_with("line 2: \"bad\" is none of"),
        "{bad:?}"
    );
    let run = server
        .lines("cd /m\ntxn\nset s-0000000000 y\ncreate k\ncommit\ntxn\ndelete k\nabort\nls\n");
    assert_eq!(
        run.stdout,
        "Set /m/s-0000000000\nCreated /m/k\n[k, s-0000000000]\n"
    );
}

#[test]
fn what_would_be_deleted_is_shown() {
    let server = with_tree();
    assert_eq!(
        server.ok(&["deleteall", "--dry-run", "/t/a"]),
        "/t/a/b\n/t/a\n"
    );
    assert_eq!(server.ok(&["delete", "--dry-run", "/t/c"]), "/t/c\n");
    server.fails(6, &["delete", "--dry-run", "/t"]);
    server.fails(5, &["delete", "--dry-run", "-v", "3", "/t/c"]);
    server.fails(3, &["delete", "--dry-run", "/nosuch"]);
    assert_eq!(
        server.json(&["getAllChildrenNumber", "/t"])["descendants"],
        4
    );
}

#[test]
fn watches_follow_changes() {
    let server = with_tree();
    let address = server.address();
    let watch = ["-server", &address, "watch", "-d", "--count", "3", "/t"];
    let mut watching = zk::start(&watch);
    // The watch is set when the server knows it: then removing it succeeds,
    // but only for the session that has it. So a change is repeated until it
    // was seen.
    let first = loop {
        server.ok(&["set", "/t/c", "again"]);
        if let Some(line) = watching.line_soon() {
            break line;
        }
    };
    assert!(first.ends_with(" NodeDataChanged /t/c again"), "{first}");
    server.ok(&["create", "/t/a/n", "new"]);
    server.ok(&["delete", "/t/a/n"]);
    let rest = watching.rest();
    let is_there = |what: &str| rest.iter().any(|line| line.contains(what));
    assert!(
        is_there(" NodeDataChanged /t/c again") || is_there(" NodeCreated /t/a/n"),
        "{rest:?}"
    );
    assert_eq!(rest.len(), 2, "{rest:?}");
}

#[test]
fn data_are_edited() {
    let server = with_tree();
    let edit = |editor: &str| {
        let args = ["-q", "-server", &server.address(), "edit", "/t/c"];
        zk::run_with_env(&args, &[("EDITOR", editor), ("VISUAL", "")])
    };
    let run = edit("sed -i s/y/Y/");
    assert_eq!(run.exit, 0, "{run:?}");
    assert_eq!(server.ok(&["get", "/t/c"]), "xYz\n");
    assert_eq!(edit("true").stderr, "Nothing changed\n");
    assert_eq!(edit("false").exit, 1);
    // Somebody else was faster.
    let script = tempfile::NamedTempFile::new().unwrap();
    let other = format!(
        "{} -server {} set /t/c other",
        zk::PROGRAM,
        server.address()
    );
    fs::write(script.path(), format!("echo mine > \"$1\"\n{other}\n")).unwrap();
    let run = edit(&format!("sh {}", script.path().display()));
    assert_eq!(run.exit, 5, "{run:?}");
    assert!(
        run.stderr
            .starts_with("/t/c was changed by somebody else; your text is in ")
    );
    let kept = run.stderr.trim().rsplit(' ').next().unwrap();
    assert_eq!(fs::read_to_string(kept).unwrap(), "mine\n");
    fs::remove_file(kept).unwrap();
    assert_eq!(server.ok(&["get", "/t/c"]), "other\n");
}

#[test]
fn benchmarks_leave_nothing_behind() {
    let server = Ours::start();
    let text = server.ok(&["bench", "-n", "50", "-s", "10", "-c", "4"]);
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(names, ["create", "get", "set", "delete"]);
    assert_eq!(server.ok(&["ls", "/"]), "[zookeeper]\n");
    let json = server.ok(&["bench", "-n", "5", "-o", "json", "/x/y"]);
    assert_eq!(json.lines().count(), 4);
    server.fails(4, &["bench", "/x"]);
}

#[test]
fn help_tells_all() {
    let help = |name: &str| zk::run(["-q", "-server", "127.0.0.1:1", "help", name]);
    assert!(
        help("create")
            .stdout
            .contains("-p       create what is missing")
    );
    assert!(help("import").stdout.contains("--overwrite"));
    assert!(help("log").stdout.contains("log chop -z ZXID FILE"));
    assert!(
        help("get")
            .stdout
            .contains("-x   Output data in hexdump format")
    );
    assert_eq!(help("nosuch").exit, 127);
}
