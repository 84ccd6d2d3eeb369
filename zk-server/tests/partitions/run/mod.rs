//! A run: one fault after the other under load, each repaired, and the
//! judgement of what the clients saw.

mod breaking;
mod judging;
mod trees;

use crate::board::{Board, Phase};
use crate::clients::{self, Client, GUESTS, Habit, Home, KEYS, LIVE};
use crate::dump;
use crate::history::{Act, ClientId, Key, Moment, Op};
use crate::report::Report;
use crate::rng::Rng;
use crate::shapes::Shape;
use crate::site::Site;
use crate::wire::{self, Wire};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use zk_proto::{ErrorCode, ServerId};

/// syncLimit of every server.
const SYNC_LIMIT: u32 = 4;
/// Clients that go anywhere.
const ROAMERS: u32 = 3;
/// How many znodes nobody touches, so that a snapshot has some size.
const BALLAST: usize = 200;
/// A majority serves again within this time, on the busiest machine.
const SERVES_WITHIN: Duration = Duration::from_secs(20);
/// After a repair, all servers do.
const ALL_SERVE_WITHIN: Duration = Duration::from_secs(40);
/// All trees are equal then.
const EQUAL_WITHIN: Duration = Duration::from_secs(30);
/// Writes at every server before there is a fault.
const WARM: usize = 3;

/// What is decided before a run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) size: i64,
    pub(crate) seed: u64,
    pub(crate) tick_ms: u64,
    pub(crate) shapes: Vec<Shape>,
}

impl Plan {
    /// How long a leader may be silent.
    fn limit(&self) -> Duration {
        Duration::from_millis(self.tick_ms) * SYNC_LIMIT
    }

    fn config(&self, rng: &mut Rng) -> String {
        let snap_count = rng.pick(&[50, 500, 100_000]);
        let commit_log = rng.pick(&[500, 1000]);
        format!(
            "tickTime={}\ninitLimit=10\nsyncLimit={SYNC_LIMIT}\nmaxClientCnxns=0\n\
             minSessionTimeout=500\nmaxSessionTimeout=60000\n4lw.commands.whitelist=*\n\
             admin.enableServer=false\npreAllocSize=64\nsnapCount={snap_count}\n\
             commitLogCount={commit_log}\n",
            self.tick_ms
        )
    }
}

/// A run on its way.
#[derive(Debug)]
pub(crate) struct Run {
    plan: Plan,
    rng: Rng,
    site: Site,
    board: Arc<Board>,
    clients: Vec<JoinHandle<()>>,
    report: Report,
}

/// The time of one fault.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// Before anything was broken.
    begin: Moment,
    /// Everything is broken.
    broken: Moment,
    /// Before anything was repaired.
    end: Moment,
}

impl Run {
    /// Starts servers and clients, and waits until all serve.
    pub(crate) fn start(plan: Plan) -> Self {
        let mut rng = Rng::new(plan.seed);
        let mut site = Site::new(plan.size, &plan.config(&mut rng));
        site.start_all();
        site.cast(ALL_SERVE_WITHIN);
        set_up(site.ids()[0]).expect("an ensemble that serves");
        let mut run = Self {
            board: Arc::new(Board::new()),
            clients: Vec::new(),
            report: Report::default(),
            plan,
            rng,
            site,
        };
        run.start_clients();
        run
    }

    fn start_clients(&mut self) {
        let pinned = self.site.ids().iter().map(|id| Home::At(*id));
        let readers = pinned.clone().map(|home| (home, Habit::Reads));
        let writers = pinned.chain((0..ROAMERS).map(|_| Home::Anywhere));
        let writers = writers.map(|home| (home, Habit::Everything));
        for (id, (home, habit)) in (1..).zip(writers.chain(readers)) {
            let (network, board) = (self.site.network.clone(), self.board.clone());
            let id = ClientId(id);
            let client = Client::start(id, (home, habit), self.plan.seed, network, board);
            self.clients.push(client);
        }
        let (network, board) = (self.site.network.clone(), self.board.clone());
        // Short, so that it is seen how sessions expire.
        let timeout_ms = i32::try_from(self.plan.tick_ms * 4).expect("a short time");
        let guests = clients::start_guests(self.plan.seed, timeout_ms, network, board);
        self.clients.push(guests);
    }

    /// All rounds, and the end: everything is killed once more.
    pub(crate) fn run(mut self) {
        for (round, shape) in (0..).zip(self.plan.shapes.clone()) {
            println!("  round {round}: {}", shape.name);
            self.round(round, &shape);
        }
        self.conclude();
        println!("{}", self.report);
    }

    fn round(&mut self, round: u32, shape: &Shape) {
        let mut cast = self.site.cast(ALL_SERVE_WITHIN);
        self.rng.shuffle(&mut cast.followers);
        self.begin_round(round);
        let fault = shape.fault(&cast);
        let window = self.fault(shape, &fault);
        self.site.repair();
        let repaired = self.board.clock.now();
        let healed = self.await_all(repaired);
        self.rest();
        self.site.assert_sound();
        self.await_equal_trees(Some(round));
        let line = self.line(shape, &fault, window, (repaired, healed));
        self.report.add(line);
        self.judge_refusals(&fault, window);
        self.judge(Some(round));
    }

    /// Makes the keys and waits until every server has done some writes.
    fn begin_round(&mut self, round: u32) {
        self.make_keys(round);
        let before = self.board.look(|state| state.ops.len());
        self.board.set_phase(Phase::Work(round));
        let ids = self.site.ids().to_vec();
        self.expect(ALL_SERVE_WITHIN, "every server takes writes", |state| {
            let writes = state.ops[before..].iter().filter(|op| op.has_written());
            let at = |id: &ServerId| writes.clone().filter(|op| op.server == *id).count();
            ids.iter().all(|id| at(id) >= WARM)
        });
    }

    /// The keys that are never deleted. Who makes them is a client like any.
    fn make_keys(&self, round: u32) {
        let mut wire = self.open(self.site.ids()[0]).expect("it serves");
        let home = Key::home(round);
        let made = wire.call(&wire::create(&home, b"", 0)).expect("it serves");
        assert!(made.code().is_ok(), "{home} answers {:?}", made.code());
        for index in 0..KEYS / 2 {
            let (key, act) = (Key { round, index }, Act::Create(self.board.new_value()));
            let Act::Create(value) = act else { continue };
            let invoked = self.board.clock.now();
            let (path, data) = (key.path(), clients::data(value));
            let answer = wire.call(&wire::create(&path, &data, 0));
            let answer = answer.expect("it serves");
            let saw = clients::interpret(act, &answer).expect("it is made");
            self.board.record(Op {
                client: ClientId(0),
                server: self.site.ids()[0],
                key,
                act,
                invoked,
                answered: self.board.clock.now(),
                saw: saw.expect("it is made"),
                zxid: answer.header.zxid,
            });
        }
        // The session would expire anyway.
        let _ = wire.close();
    }

    /// Waits until every server has acknowledged a write that was sent after
    /// this moment; how long that took.
    fn await_all(&self, since: Moment) -> Duration {
        let ids = self.site.ids();
        self.expect(
            ALL_SERVE_WITHIN,
            "every server takes writes again",
            |state| {
                let after = |id| state.served.get(id).is_some_and(|at| *at > since);
                ids.iter().all(after)
            },
        );
        self.board.clock.now().since(since)
    }

    /// Waits until no client has anything on its way.
    fn rest(&self) {
        self.board.set_phase(Phase::Rest);
        let count = self.sessions();
        self.expect(ALL_SERVE_WITHIN, "all clients rest", |state| {
            state.resting.len() == count
        });
    }

    /// How many sessions live as long as the run.
    fn sessions(&self) -> usize {
        self.site.ids().len() * 2 + ROAMERS as usize
    }

    fn open(&self, id: ServerId) -> io::Result<Wire> {
        let wire = Wire::open(clients::address(id), 10_000, Duration::from_secs(10))?;
        self.board.begins(wire.ticket.id);
        Ok(wire)
    }

    /// Everything is killed without load: what is there then is what was.
    fn conclude(&mut self) {
        let before = self.await_equal_trees(None);
        self.site.kill_all();
        self.site.start_all();
        self.site.cast(ALL_SERVE_WITHIN);
        let after = self.await_equal_trees(None);
        if let Some(difference) = dump::difference(&before, &after) {
            panic!(
                "{}: killed, and no more the same: {difference}",
                self.context()
            );
        }
        self.judge(None);
        self.site.assert_sound();
        self.board.set_phase(Phase::End);
        for client in self.clients.drain(..) {
            client.join().expect("a client does not panic");
        }
        let (ops, writes) = self.board.look(|state| {
            let writes = state.ops.iter().filter(|op| op.has_written());
            (state.ops.len(), writes.count())
        });
        println!("  {ops} operations, {writes} acknowledged writes");
        // Servers that did nothing prove nothing.
        let rounds = self.plan.shapes.len();
        assert!(
            writes >= 50 * rounds,
            "only {writes} writes in {rounds} rounds"
        );
    }

    #[track_caller]
    fn expect(
        &self,
        patience: Duration,
        what: &str,
        is_so: impl FnMut(&crate::board::State) -> bool,
    ) {
        if !self.board.wait(patience, is_so) {
            self.assert_no_failure(what);
            panic!("{}: not within {patience:?}: {what}", self.context());
        }
    }

    #[track_caller]
    fn assert_no_failure(&self, when: &str) {
        let failures = self.board.look(|state| state.failures.clone());
        assert!(
            failures.is_empty(),
            "{}, {when}: {failures:#?}",
            self.context()
        );
    }

    /// What replays it.
    fn context(&self) -> String {
        let now = self.board.clock.now();
        format!("ZK_PARTITION_SEED={} at {now}", self.plan.seed)
    }
}

impl Drop for Run {
    /// The clients end first, also after a failure: they are in the networks.
    fn drop(&mut self) {
        self.board.set_phase(Phase::End);
        self.site.kill_all();
        for client in self.clients.drain(..) {
            // What went wrong has been told.
            let _ = client.join();
        }
    }
}

/// The directories that all rounds use, and the ballast.
fn set_up(server: ServerId) -> io::Result<()> {
    let mut wire = Wire::open(clients::address(server), 10_000, Duration::from_secs(10))?;
    let paths = [LIVE, GUESTS, "/ballast"].map(str::to_owned);
    let ballast = (0..BALLAST).map(|at| format!("/ballast/{at}"));
    let paths: Vec<_> = paths.into_iter().chain(ballast).collect();
    let requests: Vec<_> = paths
        .iter()
        .map(|path| wire::create(path, &[b'b'; 500], 0))
        .collect();
    let answers = wire.call_all(&requests)?;
    assert!(answers.iter().all(|it| it.code() == ErrorCode::OK));
    wire.close()
}
