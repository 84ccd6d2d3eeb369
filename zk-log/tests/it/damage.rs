//! Damaged files by the hundred thousand. Whatever happened to them, there is
//! no panic, no hang and no wrong tree: either the state is one that there
//! was, and nothing is lost but what the damage explains, or there is an error
//! that names a file.
//!
//! `ZK_DAMAGE_ROUNDS` says how many images; a failure prints its seed.

use crate::history::{Life, next};
use crate::model::Model;
use crate::support::{Rng, config, dirs, disk, shared};
use std::collections::BTreeMap;
use std::env;
use zk_log::{LogError, LogNext, LogReader, MemStorage, Recovered, RecoverySink, Storage};
use zk_proto::Zxid;
use zk_proto::snapshot::{AclEntry, NodeEntry, SessionEntry, SnapshotDigest};
use zk_proto::txn::LoggedTxn;

type Files = BTreeMap<String, Vec<u8>>;

/// An undamaged directory and what is known about it.
struct Base {
    files: Files,
    states: BTreeMap<Zxid, Model>,
    last: Zxid,
    /// Of every log, its records: where each ends, and its zxid.
    records: BTreeMap<String, Vec<(usize, Zxid)>>,
    /// Logs, oldest first.
    logs: Vec<String>,
}

impl Base {
    /// A history over four logs and three snapshots. With `epochs`, the
    /// second log ends where an epoch does.
    fn new(epochs: bool) -> Self {
        let storage = MemStorage::new();
        let mut life = Life::start(shared(&storage)).unwrap();
        if epochs {
            life.batch(26).unwrap();
        }
        for (batch, snapshot) in [(6, true), (8, false), (7, true), (9, false)] {
            life.batch(batch - 2).unwrap();
            life.batch(2).unwrap();
            if batch < 9 {
                life.log.roll().unwrap();
            }
            if snapshot {
                life.snapshot().unwrap();
            }
        }
        let last = life.promised;
        let states = std::mem::take(&mut life.states);
        drop(life);
        let mut base = Self {
            files: Files::new(),
            states,
            last,
            records: BTreeMap::new(),
            logs: Vec::new(),
        };
        base.load(&storage);
        assert_eq!(base.logs.len(), 4);
        base
    }

    fn load(&mut self, storage: &MemStorage) {
        for name in storage.list(&dirs().log_dir).unwrap() {
            let path = dirs().log_dir.join(&name);
            let bytes = storage.bytes(&path).unwrap().to_vec();
            if name.starts_with("log.") {
                let mut reader = LogReader::open(storage, &path).unwrap();
                reader.start().unwrap();
                let mut records = Vec::new();
                while let LogNext::Record(record) = reader.next().unwrap() {
                    let zxid = record.zxid;
                    records.push((usize::try_from(reader.position()).unwrap(), zxid));
                }
                self.logs.push(name.clone());
                self.records.insert(name.clone(), records);
            }
            self.files.insert(name, bytes);
        }
        self.logs.sort_by_key(|name| self.records[name][0].1);
    }

    fn is_last(&self, log: &str) -> bool {
        self.logs.last().is_some_and(|last| last == log)
    }

    /// The last transaction before this log.
    fn before(&self, log: &str) -> Zxid {
        let at = self.logs.iter().position(|name| name == log).unwrap();
        match at.checked_sub(1) {
            Some(before) => self.records[&self.logs[before]].last().unwrap().1,
            None => Zxid::ZERO,
        }
    }

    /// The last transaction that ends at or before `offset` of a log.
    fn at(&self, log: &str, offset: usize) -> Zxid {
        let records = self.records[log].iter().rev();
        records
            .filter(|(end, _)| *end <= offset)
            .map(|(_, zxid)| *zxid)
            .next()
            .unwrap_or_else(|| self.before(log))
    }

    /// Whether the next log begins an epoch: then nobody can tell whether the
    /// end of this one is missing.
    fn ends_an_epoch(&self, log: &str) -> bool {
        let last = self.records[log].last().unwrap().1;
        !self.is_last(log) && next(last).epoch() != last.epoch()
    }

    /// Where its records end.
    fn end(&self, log: &str) -> usize {
        self.records[log].last().unwrap().0
    }

    /// What may be lost when a log is bad from `offset` on: all from there if
    /// it is the last, and otherwise nothing.
    fn floor_from(&self, log: &str, offset: usize) -> Zxid {
        if self.is_last(log) {
            self.at(log, offset)
        } else {
            self.last
        }
    }

    /// The same when a single place is bad: one record.
    fn floor_of_one(&self) -> Zxid {
        Zxid(self.last.0 - 1)
    }
}

/// Changes the files; returns the least zxid that must survive, unless the
/// damage is refused, and the file that was touched.
fn damage(rng: &mut Rng, base: &Base, files: &mut Files) -> (Zxid, String) {
    let log = base.logs[rng.below(base.logs.len())].clone();
    let Some(bytes) = files.get(&log).filter(|bytes| !bytes.is_empty()) else {
        return (base.last, log);
    };
    let mut bytes = bytes.clone();
    let size = bytes.len();
    // Mostly where records are, not in the padding.
    let records = base.end(&log).min(size);
    let within = if rng.below(8) == 0 { size } else { records };
    let at = rng.below(within);
    let floor = match rng.below(14) {
        0..=2 => {
            bytes[at] ^= 1 << rng.below(8);
            base.floor_of_one()
        }
        3 => {
            bytes[at] = [0, 0xff, 0x42, rng.next() as u8][rng.below(4)];
            base.floor_of_one()
        }
        4 if !base.ends_an_epoch(&log) => {
            bytes.truncate(at);
            base.floor_from(&log, at)
        }
        5 if !base.ends_an_epoch(&log) => {
            bytes[at..].fill(0);
            base.floor_from(&log, at)
        }
        6 => garbage_tail(rng, base, &log, &mut bytes),
        7 => repeat_record(rng, base, &log, &mut bytes),
        8 => swap_records(rng, base, &log, &mut bytes),
        9 if !base.ends_an_epoch(&log) => stale_sector(rng, base, &log, &mut bytes),
        10 => {
            files.remove(&log);
            return (
                if base.is_last(&log) {
                    base.before(&log)
                } else {
                    base.last
                },
                log,
            );
        }
        11 => {
            bytes = vec![0; [0, 7, 16, 4096][rng.below(4)]];
            if base.is_last(&log) {
                base.before(&log)
            } else {
                base.last
            }
        }
        12 => {
            // Under another name, or a second time under another.
            let zxid = rng.below(60);
            files
                .entry(format!("log.{zxid:x}"))
                .or_insert_with(|| bytes.clone());
            if rng.below(2) == 0 {
                files.remove(&log);
                return (
                    if base.is_last(&log) {
                        base.before(&log)
                    } else {
                        base.last
                    },
                    log,
                );
            }
            base.last
        }
        _ => return damage_snapshot(rng, base, files),
    };
    files.insert(log.clone(), bytes);
    (floor, log)
}

fn garbage_tail(rng: &mut Rng, base: &Base, log: &str, bytes: &mut Vec<u8>) -> Zxid {
    let end = base.end(log).min(bytes.len());
    bytes.truncate(end + rng.below(40) * rng.below(2));
    let garbage = 1 + rng.below(600);
    for _ in 0..garbage {
        bytes.push(rng.next() as u8);
    }
    base.last
}

/// The bytes of one of its records.
fn record(rng: &mut Rng, base: &Base, log: &str) -> std::ops::Range<usize> {
    let ends = &base.records[log];
    let index = rng.below(ends.len());
    let start = index.checked_sub(1).map_or(16, |before| ends[before].0);
    start..ends[index].0
}

fn repeat_record(rng: &mut Rng, base: &Base, log: &str, bytes: &mut Vec<u8>) -> Zxid {
    let range = record(rng, base, log);
    if range.end <= bytes.len() {
        let copy = bytes[range.clone()].to_vec();
        let at = if rng.below(2) == 0 {
            range.end
        } else {
            base.end(log).min(bytes.len())
        };
        bytes.splice(at..at, copy);
    }
    base.last
}

fn swap_records(rng: &mut Rng, base: &Base, log: &str, bytes: &mut [u8]) -> Zxid {
    let first = record(rng, base, log);
    let next = base.records[log]
        .iter()
        .map(|(end, _)| *end)
        .find(|end| *end > first.end);
    if let Some(end) = next.filter(|end| *end <= bytes.len()) {
        bytes[first.start..end].rotate_left(first.len());
    }
    base.last
}

/// A sector that holds what another one should, or zeros.
fn stale_sector(rng: &mut Rng, base: &Base, log: &str, bytes: &mut [u8]) -> Zxid {
    let sectors = bytes.len() / 512;
    if sectors == 0 {
        return base.last;
    }
    let to = 512 * rng.below(sectors);
    if rng.below(3) == 0 {
        bytes[to..to + 512].fill(0);
    } else {
        let from = 512 * rng.below(sectors);
        bytes.copy_within(from..from + 512, to);
    }
    base.floor_from(log, to)
}

fn damage_snapshot(rng: &mut Rng, base: &Base, files: &mut Files) -> (Zxid, String) {
    let names: Vec<String> = files
        .keys()
        .filter(|it| it.starts_with("snapshot."))
        .cloned()
        .collect();
    let Some(name) = names.get(rng.below(names.len())).cloned() else {
        return (base.last, "snapshot".to_owned());
    };
    let mut bytes = files.remove(&name).unwrap();
    let at = rng.below(bytes.len());
    match rng.below(9) {
        0..=2 if !bytes.is_empty() => bytes[at] ^= 1 << rng.below(8),
        3 => bytes.truncate(at),
        4 if !bytes.is_empty() => bytes[at..].fill(0),
        5 => bytes.extend((0..1 + rng.below(60)).map(|_| rng.next() as u8)),
        6 => return (base.last, name),
        7 => {
            // Half written under its temporary name, or under another. (Cut
            // exactly behind its first seal it would be a good one, of an
            // older server, with another name.)
            let to = [
                "snapshot.1e.tmp",
                "snapshot.1e",
                "snapshot.1e.gz",
                "snapshot.1e.snappy",
            ];
            let half = at.min(bytes.len().saturating_sub(60));
            files.insert(to[rng.below(4)].to_owned(), bytes[..half].to_vec());
        }
        _ => {
            // A length or count that lies.
            let lie = [-1_i32, i32::MAX, i32::MIN, 0x0100_0000][rng.below(4)];
            if let Some(field) = bytes.get_mut(at..at + 4) {
                field.copy_from_slice(&lie.to_be_bytes());
            }
        }
    }
    files.insert(name.clone(), bytes);
    (base.last, name)
}

fn check(base: &Base, seed: u64) -> bool {
    let mut rng = Rng(seed);
    let mut files = base.files.clone();
    let (mut floor, mut touched) = (base.last, Vec::new());
    for _ in 0..1 + rng.below(8) / 6 {
        let (least, name) = damage(&mut rng, base, &mut files);
        floor = floor.min(least);
        touched.push(name);
    }
    let storage = disk(&files.into_iter().collect::<Vec<_>>());
    let context = format!("seed {seed}, damage to {touched:?}");
    let (recovered, model) = match recover_checked(&storage) {
        Ok(it) => it,
        Err(error) => {
            let text = error.to_string();
            let named = text.contains("/log.")
                || text.contains("/snapshot.")
                || text.contains("no snapshot");
            assert!(named, "{context}: {text}");
            return false;
        }
    };
    let last = recovered.last_zxid;
    let state = base.states.get(&last);
    let state = state.unwrap_or_else(|| panic!("{context}: {last} never was"));
    assert!(
        model.nodes == state.nodes,
        "{context}: wrong tree at {last}"
    );
    if touched.len() == 1 {
        assert!(last >= floor, "{context}: {last} is left, expected {floor}");
        assert!(
            model.sessions == state.sessions,
            "{context}: wrong sessions at {last}"
        );
        // Once repaired, it is whole.
        let (again, same) = recover_checked(&storage).unwrap();
        assert!(
            again.torn.is_none() && same == model,
            "{context}: repaired twice"
        );
    }
    true
}

/// A tree that compares its digest with that of every transaction, as a
/// server does.
///
/// It is the second net: when the newest snapshot is bad *and* the log is
/// missing that ended an epoch, then only the digest shows that there was
/// something in between.
#[derive(Default)]
struct Checked(Model);

fn recover_checked(storage: &MemStorage) -> Result<(Recovered, Model), LogError> {
    let mut sink = Checked::default();
    let recovered = zk_log::recover(storage, &dirs(), &config(), &mut sink)?;
    Ok((recovered, sink.0))
}

impl RecoverySink for Checked {
    fn session(&mut self, session: SessionEntry) -> Result<(), String> {
        self.0.session(session)
    }

    fn acl(&mut self, entry: &AclEntry<'_>) -> Result<(), String> {
        self.0.acl(entry)
    }

    fn node(&mut self, node: &NodeEntry<'_>) -> Result<(), String> {
        self.0.node(node)
    }

    fn snapshot_done(&mut self, zxid: Zxid, digest: Option<SnapshotDigest>) -> Result<(), String> {
        self.0.snapshot_done(zxid, digest)
    }

    fn discard(&mut self) {
        self.0.discard();
    }

    fn txn(&mut self, txn: &LoggedTxn<'_>) -> Result<(), String> {
        self.0.txn(txn)?;
        match txn.digest {
            Some(digest) if digest.tree != self.0.digest() => Err("another digest".to_owned()),
            _ => Ok(()),
        }
    }
}

fn rounds() -> u64 {
    let rounds = env::var("ZK_DAMAGE_ROUNDS").ok();
    rounds.map_or(100_000, |it| {
        it.parse().expect("ZK_DAMAGE_ROUNDS is a number")
    })
}

fn run(epochs: bool) {
    let base = Base::new(epochs);
    let rounds = rounds() / 2;
    let started = (0..rounds).filter(|&seed| check(&base, seed)).count() as u64;
    // Neither may the damage be harmless nor may everything be refused.
    assert!(
        started > rounds / 10 && started < rounds * 9 / 10,
        "{started} of {rounds} started"
    );
}

#[test]
fn damage_within_an_epoch() {
    run(false);
}

#[test]
fn damage_where_epochs_change() {
    run(true);
}
