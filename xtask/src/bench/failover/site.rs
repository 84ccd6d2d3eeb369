//! One ensemble under faults: each is made under writes, and then everything is made whole again.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::cases::{Case, Ground, How, Whom};
use super::writers::Writers;
use crate::bench::ensemble::{PATIENCE, SERVERS, fresh};
use crate::bench::machine;
use crate::bench::measure::{self, Measures};
use crate::ensemble::{Ensemble, Networks, Program, ServerId};
use crate::error::{Error, Result};

/// How long writes go on before a fault.
const BEFORE: Duration = Duration::from_secs(2);

/// How long writes must have gone on after the longest gap for the measurement to end.
const AFTER: Duration = Duration::from_millis(1500);

/// A gap that is open for longer is not over.
const OPEN: Duration = Duration::from_millis(200);

/// A gap is not waited for longer than this.
const GAP_MAX: Duration = Duration::from_secs(40);

/// An ensemble, and the networks that its servers are in if they are not on loopback.
#[derive(Debug)]
pub(super) struct Site {
    /// Above the networks, so that the servers are ended before their networks are removed.
    pub(super) ensemble: Ensemble,
    networks: Option<Networks>,
}

impl Site {
    /// An ensemble on an empty directory, which is not started.
    pub(super) fn new(home: &Path, program: &Program, ground: Ground) -> Result<Self> {
        let settings = ground.settings();
        if ground != Ground::Networks {
            let ensemble = fresh(home, program, &settings)?;
            return Ok(Self {
                ensemble,
                networks: None,
            });
        }
        machine::clear(home)?;
        let networks = Networks::make(u32::try_from(SERVERS).expect("a few servers"))?;
        let ensemble = Ensemble::on_networks(home, &networks, program, &settings)?;
        Ok(Self {
            ensemble,
            networks: Some(networks),
        })
    }

    /// One fault under writes, and the ensemble made whole again.
    pub(super) fn round(&mut self, case: &Case) -> Result<Measures> {
        let roles = self.ensemble.await_equal(PATIENCE)?;
        let target = match case.whom {
            Whom::Leader | Whom::All => roles.leader(),
            Whom::Follower => roles.followers().last().copied(),
        };
        let target = target.ok_or_else(|| Error::wrong("no server for the fault"))?;
        let writers = Writers::start(&self.ensemble.addresses());
        thread::sleep(BEFORE);
        let before = writers.count();
        if before == 0 {
            return Err(Error::wrong("no write was acknowledged before the fault"));
        }
        let gap = match case.whom {
            Whom::All => self.all(&writers)?,
            Whom::Leader | Whom::Follower => self.one(target, case, &writers)?,
        };
        if gap >= GAP_MAX {
            println!("no write for {gap:?}: {}", self.ensemble.roles());
        }
        writers.stop()?;
        self.heal(target, case)?;
        let mut measures = Measures::new();
        measures.set(&measure::GAP, gap.as_secs_f64() * 1e3);
        let per_second = before as f64 / BEFORE.as_secs_f64();
        measures.set(&measure::THROUGHPUT, per_second);
        Ok(measures)
    }

    /// One server fails: the longest gap from the last acknowledgement before that.
    fn one(&mut self, target: ServerId, case: &Case, writers: &Writers) -> Result<Duration> {
        let server = self.ensemble.server(target);
        writers.avoid(server.address());
        let since = Instant::now();
        match case.how {
            How::Kill => server.signal(Signal::KILL)?,
            How::Stop => server.signal(Signal::TERM)?,
            How::Pause => server.pause()?,
            How::Cut(cut) => self.networks()?.cut(target, cut)?,
        }
        Ok(observe(writers, since, case.observed))
    }

    /// All servers fail and are started again: how long until the first write.
    fn all(&mut self, writers: &Writers) -> Result<Duration> {
        for server in &self.ensemble.servers {
            server.signal(Signal::KILL)?;
        }
        for server in &mut self.ensemble.servers {
            server.kill()?;
        }
        self.ensemble.start()?;
        let since = Instant::now();
        loop {
            if let Some(first) = writers.first_after(since) {
                return Ok(first - since);
            }
            if since.elapsed() >= GAP_MAX {
                return Ok(since.elapsed());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn heal(&mut self, target: ServerId, case: &Case) -> Result<()> {
        let server = self.ensemble.server(target);
        match (case.whom, case.how) {
            (Whom::All, _) => {}
            (_, How::Kill | How::Stop) => server.end(Signal::KILL)?,
            (_, How::Pause) => server.resume()?,
            (_, How::Cut(_)) => self.networks()?.mend()?,
        }
        self.ensemble.start()?;
        self.ensemble.await_serving(PATIENCE)?;
        Ok(())
    }

    fn networks(&self) -> Result<&Networks> {
        let networks = self.networks.as_ref();
        networks.ok_or_else(|| Error::wrong("only networks can be cut"))
    }
}

/// Waits until writes have gone on for a while after the longest gap.
fn observe(writers: &Writers, since: Instant, at_least: Duration) -> Duration {
    loop {
        thread::sleep(Duration::from_millis(50));
        let gap = writers.longest_gap(since);
        let is_over = gap.end.elapsed() >= AFTER;
        let is_open = writers.first_after(Instant::now() - OPEN).is_none();
        let enough = since.elapsed() >= at_least && is_over && !is_open;
        if enough || gap.length >= GAP_MAX {
            return gap.length;
        }
    }
}
