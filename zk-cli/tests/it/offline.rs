//! The tools over files, beside what Apache's printed of the same files. With
//! `ZK_APACHE_395` and `ZK_JAVA` set, Apache's own tools run too.

use crate::zk::{self, Run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/offline");

/// A directory of its own with copies of these fixtures.
fn directory(names: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in names {
        let copy = directory.path().join(name);
        fs::copy(Path::new(FIXTURES).join(name), copy).unwrap();
    }
    directory
}

fn golden(name: &str) -> String {
    fs::read_to_string(Path::new(FIXTURES).join(name)).unwrap()
}

fn fixture(name: &str) -> String {
    format!("{FIXTURES}/{name}")
}

/// Text without the times that a run takes and the directories of this one.
fn masked(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.replace(&format!("{FIXTURES}/"), "");
        match (line.split_once(" in "), line.split_once("\"timestamp\":")) {
            (_, Some((before, after))) => {
                let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
                format!("{before}\"timestamp\":{after}")
            }
            (Some((before, _)), _) if line.ends_with(" seconds") => before.to_owned(),
            _ => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Runs `zk`, whose output must be what Apache's was, and Apache's now, if
/// there is one.
#[track_caller]
fn check(args: &[&str], expected: &str, class: &str, apache_args: &[&str]) {
    let run = zk::run(args.iter().copied());
    assert_eq!(run.exit, 0, "{run:?}");
    assert_eq!(masked(&run.stdout), masked(&golden(expected)));
    if let Some(output) = apache(class, apache_args) {
        assert_eq!(masked(&run.stdout), masked(&output), "{class}");
    }
}

/// What Apache's tool prints.
fn apache(class: &str, args: &[&str]) -> Option<String> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (jars, java) = (variable("ZK_APACHE_395")?, variable("ZK_JAVA")?);
    let output = Command::new(java)
        .args(["-Duser.timezone=UTC", "-Duser.language=en"])
        .args(["-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8"])
        .args(["-cp", &format!("{jars}/*:{jars}")])
        .arg(format!("org.apache.zookeeper.server.{class}"))
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn logs_are_dumped_as_apache_dumps_them() {
    for name in ["log.1", "log.10b", "log.damaged"] {
        let file = fixture(name);
        let expected = format!("{name}.dump.txt");
        let class = "persistence.TxnLogToolkit";
        check(&["log", "dump", "-d", &file], &expected, class, &[&file]);
    }
}

#[test]
fn snapshots_are_dumped_as_apache_dumps_them() {
    let file = fixture("snapshot.bb");
    let class = "SnapshotFormatter";
    let dump = ["snapshot", "dump"];
    let with = |more: &[&'static str]| [&dump[..], more, &[file.as_str()]].concat();
    check(&with(&[]), "snapshot.bb.dump.txt", class, &[&file]);
    check(
        &with(&["-d"]),
        "snapshot.bb.dump-d.txt",
        class,
        &["-d", &file],
    );
    check(
        &with(&["-json"]),
        "snapshot.bb.json",
        class,
        &["-json", &file],
    );
    let ours = ["snapshot", "summary", &file, "/", "2"];
    let class = "SnapshotRecursiveSummary";
    check(&ours, "snapshot.bb.summary.txt", class, &[&file, "/", "2"]);
}

#[test]
fn snapshots_are_compared_as_apache_compares_them() {
    let (left, right) = (fixture("snapshot.bb"), fixture("snapshot.109"));
    let flags = ["-l", &left, "-r", &right, "-b", "10", "-n", "1"];
    let ours = [&["snapshot", "compare"][..], &flags].concat();
    check(&ours, "compare.txt", "SnapshotComparer", &flags);
}

#[test]
fn compressed_snapshots_read_like_others() {
    let dump = |name: &str| zk::run(["snapshot", "dump", &fixture(name)]);
    let packed = dump("snapshot.0.gz");
    assert_eq!(packed.exit, 0, "{packed:?}");
    assert!(packed.stdout.starts_with("ZNode Details (count=5):\n"));
    assert_eq!(packed.stdout, dump("snapshot.0.snappy").stdout);
}

#[test]
fn a_snapshot_is_json_line_by_line() {
    let run = zk::run(["snapshot", "dump", "-o", "json", &fixture("snapshot.bb")]);
    let lines = run.stdout.lines();
    let values: Vec<serde_json::Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let nodes = values.iter().filter(|value| value["path"].is_string());
    assert_eq!(nodes.count(), 111);
    assert_eq!(values[0]["session"], "0x100001332360004");
    let root = values.iter().find(|value| value["path"] == "/").unwrap();
    assert_eq!(root["stat"]["mzxid"], "0x67");
    assert_eq!(root["acl"][0]["perms"], "cdrwa");
    let end = &values.last().unwrap()["end"];
    assert_eq!(end["lastZxid"], "0xbc");
}

#[test]
fn a_damaged_log_is_found_and_repaired() {
    let directory = directory(&["log.damaged", "log.3c"]);
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (damaged, fixed) = (path("log.damaged"), path("log.damaged.fixed"));
    let verify = |file: &str| zk::run(["log", "verify", file]);
    let run = verify(&damaged);
    assert_eq!(run.exit, 1);
    assert!(run.stdout.contains("11 transactions"), "{run:?}");
    assert!(run.stdout.contains("the checksum is"), "{run:?}");
    assert_eq!(verify(&path("log.3c")).exit, 0);

    let text = |run: &Run| run.stdout.replace(&damaged, "log.damaged");
    let run = zk::run(["log", "recover", "-y", &damaged]);
    assert_eq!(text(&run), golden("log.damaged.recover.txt"));
    let run = verify(&fixed);
    assert_eq!((run.exit, &*run.stderr), (0, ""));
    let again = zk::run(["log", "recover", "-y", &damaged]);
    assert_eq!(again.exit, 1);
    assert!(again.stderr.contains("already exists or not writable"));

    fs::remove_file(&fixed).unwrap();
    let run = zk::run_with_input(&["log", "recover", "-v", &damaged], "x\ny\n");
    assert_eq!(text(&run), golden("log.damaged.recover-v.txt"));
    fs::remove_file(&fixed).unwrap();
    let run = zk::run_with_input(&["log", "recover", &damaged], "abort\n");
    assert!(run.stderr.ends_with("Recovery aborted.\n"), "{run:?}");
}

#[test]
fn a_log_is_chopped() {
    let directory = directory(&["log.3c"]);
    let log = directory.path().join("log.3c");
    let chop = |zxid: &str| zk::run(["log", "chop", "-z", zxid, log.to_str().unwrap()]);
    let run = chop("0x40");
    assert_eq!(run.exit, 0, "{run:?}");
    assert!(
        run.stdout
            .ends_with("Chopping at 40 new log has 5 records\n")
    );
    let chopped = fs::read(directory.path().join("log.3c.chopped64")).unwrap();
    assert_eq!(chopped, fs::read(&log).unwrap()[..485]);
    for (zxid, said) in [
        ("0x47", "EOF reached after 12 txns."),
        ("0x3", "This log does not contain zxid 3"),
    ] {
        let run = chop(zxid);
        assert_eq!(run.exit, 2);
        assert!(run.stdout.contains(said), "{run:?}");
        assert!(
            run.stdout
                .ends_with("Got exception: Failed to chop log.3c\n")
        );
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn the_digest_of_a_directory_is_that_of_its_server() {
    let directory = directory(&["snapshot.109", "log.bd", "log.10b"]);
    let run = zk::run(["digest", directory.path().to_str().unwrap(), "-o", "json"]);
    let value: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_default();
    assert_eq!(value["lastZxid"], "0x124", "{run:?}");
    // What Apache computed after it loaded the same files.
    assert_eq!(value["digest"], format!("{:016x}", 279_785_737_562_u64));
    assert_eq!(value["digestMismatches"], 0);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
}

#[test]
fn files_are_verified() {
    let directory = directory(&["snapshot.109", "snapshot.bb", "snapshot.0.gz"]);
    let at = directory.path().to_str().unwrap();
    let run = zk::run(["snapshot", "verify", at]);
    assert_eq!(run.exit, 0, "{run:?}");
    assert!(run.stdout.contains("111 znodes, 4 sessions"), "{run:?}");
    let broken = directory.path().join("snapshot.bb");
    let mut bytes = fs::read(&broken).unwrap();
    bytes[6000] ^= 1;
    fs::write(&broken, bytes).unwrap();
    let run = zk::run(["snapshot", "verify", at]);
    assert_eq!(run.exit, 1);
    assert!(run.stdout.contains("snapshot.bb is no usable snapshot"));
    assert!(run.stderr.ends_with("1 file(s) not sound\n"));
}

/// A data directory with one sound snapshot, under several names, and logs.
fn history(directory: &Path) -> PathBuf {
    let version = directory.join("version-2");
    fs::create_dir(&version).unwrap();
    for zxid in ["1", "2", "3", "4"] {
        let name = format!("snapshot.{zxid}");
        fs::copy(fixture("snapshot.109"), version.join(name)).unwrap();
        fs::copy(fixture("log.3c"), version.join(format!("log.{zxid}"))).unwrap();
    }
    version
}

#[test]
fn cleanup_keeps_what_it_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path().to_str().unwrap();
    for (args, said) in [
        (
            vec![at, "-n", "2"],
            "count should be greater than or equal to 3\nUsage:\n",
        ),
        (
            vec![at, "-n", "x"],
            "'x' can not be parsed to integer.\nUsage:\n",
        ),
        (
            vec![at],
            "Usage:\nPurgeTxnLog dataLogDir [snapDir] -n count\n",
        ),
        (
            vec!["/nosuch", "-n", "3"],
            "Path '/nosuch' does not exist. \nUsage:\n",
        ),
    ] {
        let run = zk::run(["cleanup"].into_iter().chain(args));
        assert_eq!(run.exit, 1);
        assert!(run.stderr.starts_with(said), "{run:?}");
    }
    let version = history(directory.path());
    let run = zk::run(["cleanup", at, "-n", "3"]);
    assert_eq!(run.exit, 0, "{run:?}");
    assert_eq!(run.stdout.lines().count(), 2, "{run:?}");
    for name in ["log.1", "snapshot.1"] {
        let path = version.join(name);
        assert!(run.stdout.contains(&format!("\t{}\n", path.display())));
        assert!(!path.exists());
    }
    assert!(run.stdout.starts_with("Removing file: "));
    assert_eq!(fs::read_dir(&version).unwrap().count(), 6);
}

#[test]
fn passwords_are_digested() {
    let run = zk::run(["digest-password", "super:fixture", "u:p"]);
    assert_eq!(
        run.stdout,
        "super:fixture->super:aUNvlR1MTvkJltEXyKE6RkjAUlk=\nu:p->u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=\n"
    );
}

#[test]
fn words_that_make_no_tool_show_how_to_write_one() {
    for args in [vec!["log"], vec!["log", "dump"], vec!["snapshot", "nosuch"]] {
        let run = zk::run(args.iter().copied());
        assert_eq!(run.exit, 2);
        assert!(
            run.stderr.starts_with(&format!("{} dump", args[0])),
            "{run:?}"
        );
    }
    let run = zk::run(["log", "dump", "/nosuch"]);
    assert_eq!(run.exit, 1);
    assert_eq!(run.stderr, "File doesn't exist or not readable: /nosuch\n");
}

#[test]
fn apaches_arguments_are_taken() {
    let directory = directory(&["log.damaged", "log.3c"]);
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let damaged = path("log.damaged");
    let toolkit = |args: &[&str]| zk::run(["toolkit"].iter().chain(args).copied());
    let run = toolkit(&["txn-log", "-d", &damaged]);
    assert_eq!(run.stdout, golden("log.damaged.dump.txt"));
    let run = toolkit(&["txn-log", "-r", "-y", &damaged]);
    assert!(run.stdout.contains("with 1 fixed CRC error(s)"), "{run:?}");
    let run = toolkit(&["txn-log", "-c", "-z", "0x40", &path("log.3c")]);
    assert_eq!(run.exit, 0, "{run:?}");
    assert_eq!(toolkit(&["txn-log"]).exit, 1);
    assert_eq!(toolkit(&["txn-log", "--help"]).exit, 0);
    let snapshot = fixture("snapshot.bb");
    let run = toolkit(&["snapshot", "-json", &snapshot]);
    assert_eq!(masked(&run.stdout), masked(&golden("snapshot.bb.json")));
    for args in [vec!["snapshot"], vec!["summary"], vec!["compare"]] {
        assert_eq!(toolkit(&args).exit, 2);
    }
    assert_eq!(toolkit(&["purge"]).exit, 1);
}
