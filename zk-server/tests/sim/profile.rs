//! Which faults a run may meet, and how often each. It refuses to know how
//! they are done.

use crate::rng::Rng;

/// What can happen to a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A process is killed.
    Kill,
    /// A machine loses power.
    Power,
    /// A process or machine ends within a step, at an operation of its disk.
    Trip,
    /// An operation of a disk fails.
    Error,
    /// A disk is full for a while.
    Full,
    /// A disk is slow for a while.
    SlowDisk,
    /// A process stands still for a while.
    Pause,
    /// A wall clock jumps.
    Jump,
    /// One server is cut off from all others.
    Isolate,
    /// The servers fall into two parts.
    Split,
    /// Some paths are cut in one direction.
    OneWay,
    /// Connections break.
    Reset,
    /// A machine's messages take long.
    SlowNet,
    /// A client hangs.
    Silence,
    /// A server loses its disk, while all is well.
    Wipe,
    /// All servers end at once.
    All,
}

const ALL: [Fault; 16] = [
    Fault::Kill,
    Fault::Power,
    Fault::Trip,
    Fault::Error,
    Fault::Full,
    Fault::SlowDisk,
    Fault::Pause,
    Fault::Jump,
    Fault::Isolate,
    Fault::Split,
    Fault::OneWay,
    Fault::Reset,
    Fault::SlowNet,
    Fault::Silence,
    Fault::Wipe,
    Fault::All,
];

/// A named choice of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Calm,
    Crash,
    Partition,
    Disk,
    Pause,
    Wipe,
    /// Another choice for every seed.
    Swarm,
}

impl Profile {
    pub(crate) const ALL: [Self; 7] = [
        Self::Calm,
        Self::Crash,
        Self::Partition,
        Self::Disk,
        Self::Pause,
        Self::Wipe,
        Self::Swarm,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Crash => "crash",
            Self::Partition => "partition",
            Self::Disk => "disk",
            Self::Pause => "pause",
            Self::Wipe => "wipe",
            Self::Swarm => "swarm",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Each fault with its weight.
    pub(crate) fn weights(self, rng: &mut Rng) -> Vec<(Fault, u64)> {
        use Fault::{
            All, Error, Full, Isolate, Jump, Kill, OneWay, Pause, Power, Reset, SlowDisk, SlowNet,
            Split, Trip, Wipe,
        };
        let fixed: &[(Fault, u64)] = match self {
            Self::Calm => &[],
            Self::Crash => &[(Kill, 4), (Power, 4), (Trip, 6), (All, 1), (Reset, 1)],
            Self::Partition => &[
                (Isolate, 4),
                (Split, 3),
                (OneWay, 4),
                (Reset, 4),
                (SlowNet, 2),
            ],
            Self::Disk => &[(Trip, 5), (Error, 5), (Full, 2), (SlowDisk, 3), (Power, 3)],
            Self::Pause => &[(Pause, 6), (Jump, 2), (SlowNet, 1), (SlowDisk, 1)],
            Self::Wipe => &[(Wipe, 4), (Kill, 2), (Power, 2), (Isolate, 1)],
            Self::Swarm => return swarm(rng),
        };
        fixed.to_vec()
    }
}

/// Some faults often, some rarely, some not at all: what hides behind a common
/// fault shows where that is missing.
fn swarm(rng: &mut Rng) -> Vec<(Fault, u64)> {
    let drawn = ALL.into_iter().map(|fault| {
        let weight = rng.pick(&[0, 0, 1, 4, 8]);
        (
            fault,
            if fault == Fault::All {
                weight / 4
            } else {
                weight
            },
        )
    });
    let mut weights: Vec<_> = drawn.filter(|(_, weight)| *weight > 0).collect();
    if weights.is_empty() {
        weights.push((Fault::Kill, 1));
    }
    weights
}
