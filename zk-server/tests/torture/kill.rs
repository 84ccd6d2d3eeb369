//! kill -9 under load, round after round, on one directory: every restart
//! succeeds by itself, and nothing that was acknowledged is lost.
//!
//! `ZK_KILL_ROUNDS` says how many rounds, `ZK_KILL_SEED` replays what they
//! decide.

use crate::support::client::{Client, Ticket, create, delete, read};
use crate::support::process::{Launched, Process, assert_sound, write_config};
use crate::support::rng::{Rng, number};
use crate::support::writer::{SESSION_MS, Writer, ephemerals, queue};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zk_proto::{ErrorCode, OpCode, Request, Response, Zxid};

const WRITERS: usize = 4;
/// Znodes that nobody touches; they make a snapshot take its time.
const BALLAST: usize = 2000;

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let rounds = number("ZK_KILL_ROUNDS", 200);
    let (rng, seed) = Rng::from_env("ZK_KILL_SEED");
    let dir = tempfile::tempdir().expect("a directory");
    let mut torture = Torture::new(dir.path().join("data"), rng, seed);
    for round in 0..rounds {
        torture.round(round);
    }
    torture.conclude(rounds);
}

struct Torture {
    data_dir: PathBuf,
    /// Where the logs are; the same directory for every other seed.
    log_dir: PathBuf,
    rng: Rng,
    seed: u64,
    writers: Vec<Writer>,
    guests: Vec<Guest>,
    /// Every path of the queue that there ever was.
    dequeued: BTreeSet<String>,
    sessions: BTreeSet<i64>,
    cuts: u64,
}

/// A session of one round: it comes, makes an ephemeral, and mostly goes.
#[derive(Debug)]
struct Guest {
    ticket: Ticket,
    path: String,
    seen: Zxid,
    created: bool,
    close_sent: bool,
    closed: bool,
}

impl Torture {
    fn new(data_dir: PathBuf, rng: Rng, seed: u64) -> Self {
        std::fs::create_dir(&data_dir).expect("a directory");
        let log_dir = match seed % 2 {
            0 => data_dir.clone(),
            _ => data_dir.with_added_extension("logs"),
        };
        let mut torture = Self {
            data_dir,
            log_dir,
            rng,
            seed,
            writers: Vec::new(),
            guests: Vec::new(),
            dequeued: BTreeSet::new(),
            sessions: BTreeSet::new(),
            cuts: 0,
        };
        let server = Process::start(&torture.config());
        let address = server.address();
        torture.writers = (0..WRITERS)
            .map(|index| Writer::new(address, index, seed))
            .collect();
        let ids = torture.writers.iter().map(|writer| writer.ticket.id.0);
        torture.sessions = ids.collect();
        load_ballast(address);
        assert_sound(&server.kill());
        torture
    }

    /// Small limits, so that files roll and snapshots are written all the
    /// time; other ones each time.
    fn config(&mut self) -> PathBuf {
        let snap_count = self.rng.pick(&[20, 100, 100, 1000]);
        let compression = self.rng.pick(&["", "", "", "gz", "snappy"]);
        let log_limit = self.rng.pick(&[-1, -1, 128]);
        // What was written outlives the process, flushed or not.
        let flush = self.rng.pick(&["yes", "yes", "no"]);
        let log_dir = self.log_dir.display();
        let extra = format!(
            "dataLogDir={log_dir}\nforceSync={flush}\npreAllocSize=64\nsnapCount={snap_count}\nsnapshot.compression.method={compression}\n\
             txnLogSizeLimitInKb={log_limit}\nautopurge.purgeInterval=1\nautopurge.snapRetainCount=3"
        );
        write_config(&self.data_dir, 0, &extra)
    }

    fn round(&mut self, round: usize) {
        let context = format!("ZK_KILL_SEED={} round {round}", self.seed);
        let config = self.config();
        if self.rng.below(6) == 0 {
            self.kill_a_start(&config);
        }
        let server = match Launched::spawn(&config).serving() {
            Ok(server) => server,
            Err((status, said)) => panic!("{context}: no restart ({status}):\n{said}"),
        };
        self.verify(server.address(), &context);
        let patience = Duration::from_micros(self.rng.next() % 120_000);
        let signal = self
            .rng
            .pick(&[Signal::KILL, Signal::KILL, Signal::KILL, Signal::TERM]);
        self.load(&server, patience, signal);
        let (status, said) = server.wait();
        assert_sound(&said);
        assert!(
            signal == Signal::KILL || status.success(),
            "{context}: {status}\n{said}"
        );
    }

    /// Not even while it recovers or writes its first files.
    fn kill_a_start(&mut self, config: &Path) {
        let launched = Launched::spawn(config);
        std::thread::sleep(Duration::from_micros(self.rng.next() % 40_000));
        assert_sound(&launched.kill());
    }

    /// All clients at once until the server is gone.
    fn load(&mut self, server: &Process, patience: Duration, signal: Signal) {
        let address = server.address();
        let seed = self.rng.next();
        std::thread::scope(|scope| {
            let guests = scope.spawn(|| visit(address, Rng::new(seed)));
            let writers: Vec<_> = self.writers.iter_mut().collect();
            for writer in writers {
                scope.spawn(move || {
                    if let Ok(mut client) = writer.resume(address) {
                        writer.run(&mut client);
                    }
                });
            }
            std::thread::sleep(patience);
            server.signal(signal);
            self.guests = guests.join().expect("the guests live");
        });
        self.cuts += 1;
    }

    /// Everything that was acknowledged is there.
    fn verify(&mut self, address: SocketAddr, context: &str) {
        let mut fresh = Vec::new();
        for writer in &self.writers {
            let mut client = writer.resume(address).expect("the server lives");
            let found = writer.found_by(&mut client);
            let mut owned = ephemerals(&mut client);
            owned.sort();
            let mut progress = writer.progress.lock();
            progress.settle(found, context);
            assert_eq!(owned, progress.ephemerals(), "{context}");
            fresh.append(&mut progress.queued);
        }
        self.verify_queue(address, &fresh, context);
        for guest in std::mem::take(&mut self.guests) {
            let id = guest.ticket.id.0;
            assert!(
                self.sessions.insert(id),
                "{context}: session {id:x} was given out twice"
            );
            guest.verify(address, context);
        }
    }

    /// All that was acknowledged is there, and no number came twice.
    fn verify_queue(&mut self, address: SocketAddr, fresh: &[String], context: &str) {
        let mut client = self.writers[0].resume(address).expect("the server lives");
        let there: BTreeSet<String> = queue(&mut client).into_iter().collect();
        let lost = fresh.iter().find(|path| !there.contains(*path));
        assert_eq!(lost, None, "{context}: it was acknowledged");
        let again = there.intersection(&self.dequeued).next();
        assert_eq!(again, None, "{context}: it was deleted in an earlier round");
        let deletes: Vec<_> = there.iter().map(|path| delete(path, -1)).collect();
        client.send(&deletes).expect("the server lives");
        for _ in &deletes {
            let answer = client.next().expect("the server lives");
            assert_eq!(answer.header.err, ErrorCode::OK, "{context}");
        }
        self.dequeued.extend(there);
    }

    fn conclude(mut self, rounds: usize) {
        let config = self.config();
        let server = Process::start(&config);
        self.verify(server.address(), "at the end");
        assert_sound(&server.terminate());
        let answers: u64 = self
            .writers
            .iter()
            .map(|it| it.progress.lock().answers)
            .sum();
        println!(
            "{rounds} rounds, {} sessions, {answers} writes acknowledged",
            self.sessions.len()
        );
        // A server that did nothing proves nothing.
        assert!(
            answers > 20 * rounds as u64,
            "only {answers} writes were acknowledged"
        );
        assert_eq!(self.cuts, rounds as u64);
    }
}

fn load_ballast(address: SocketAddr) {
    let mut client = Client::open(address, SESSION_MS).expect("a session");
    client.ok(&create("/guests", b"", 0));
    client.ok(&create("/ballast", b"", 0));
    let paths: Vec<_> = (0..BALLAST).map(|at| format!("/ballast/{at}")).collect();
    let requests: Vec<_> = paths
        .iter()
        .map(|path| create(path, &[b'b'; 200], 0))
        .collect();
    client.send(&requests).expect("the server lives");
    for _ in &requests {
        assert!(client.next().expect("the server lives").header.err.is_ok());
    }
    client.close();
}

/// Guests, one after the other, until the server is gone.
fn visit(address: SocketAddr, mut rng: Rng) -> Vec<Guest> {
    let mut guests = Vec::new();
    loop {
        let Ok(mut client) = Client::open(address, SESSION_MS) else {
            return guests;
        };
        let mut guest = Guest {
            path: format!("/guests/{:x}", client.ticket.id.0),
            ticket: client.ticket.clone(),
            seen: Zxid::ZERO,
            created: false,
            close_sent: false,
            closed: false,
        };
        let done = guest.stay(&mut client, rng.below(5) != 0);
        guest.seen = client.last_zxid;
        guests.push(guest);
        if done.is_err() {
            return guests;
        }
    }
}

impl Guest {
    fn stay(&mut self, client: &mut Client, leave: bool) -> std::io::Result<()> {
        let answer = client.call(&create(&self.path, b"", 1))?;
        assert_eq!(answer.header.err, ErrorCode::OK);
        self.created = true;
        if leave {
            self.close_sent = true;
            client.call(&Request::CloseSession)?;
            self.closed = true;
        }
        Ok(())
    }

    fn verify(self, address: SocketAddr, context: &str) {
        let client = Client::resume(address, &self.ticket, self.seen).expect("the server lives");
        let context = format!("{context}: {self:?}");
        assert!(client.is_none() || !self.closed, "{context}: it came back");
        assert!(
            client.is_some() || self.close_sent,
            "{context}: the session is lost"
        );
        let Some(mut client) = client else {
            let mut other = Client::open(address, SESSION_MS).expect("a session");
            let code = other.err(&Request::Exists(read(&self.path)));
            assert_eq!(
                code,
                ErrorCode::NO_NODE,
                "{context}: it outlived its session"
            );
            return other.close();
        };
        let answer = client
            .call(&Request::Exists(read(&self.path)))
            .expect("the server lives");
        if answer.header.err.is_ok() {
            let Response::Stat(stat) = answer.record(OpCode::EXISTS) else {
                panic!("no Stat");
            };
            assert_eq!(stat.ephemeral_owner, self.ticket.id.0, "{context}");
        } else {
            assert!(!self.created, "{context}: the ephemeral is lost");
        }
        client.close();
    }
}
