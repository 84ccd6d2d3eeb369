//! The shapes of faults: a table of what is cut, paused, killed and wiped,
//! given who leads. How a fault is made is not known here.

use crate::netns::Link;
use crate::rng::Rng;
use std::collections::BTreeSet;
use zk_proto::ServerId;

/// A kind of fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// The sizes of the ensembles that it is for.
    sizes: &'static [usize],
    fault: fn(&Cast) -> Fault,
}

/// Who plays which part.
#[derive(Debug, Clone)]
pub(crate) struct Cast {
    pub(crate) leader: ServerId,
    /// The others, in an order that chance decides.
    pub(crate) followers: Vec<ServerId>,
}

/// What happens, at once and until it is repaired.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fault {
    pub(crate) cuts: BTreeSet<Link>,
    pub(crate) paused: BTreeSet<ServerId>,
    pub(crate) killed: BTreeSet<ServerId>,
    /// Killed, emptied and started again at once.
    pub(crate) wiped: BTreeSet<ServerId>,
    pub(crate) afterwards: Afterwards,
}

/// What happens while the fault lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Afterwards {
    /// Nothing more.
    #[default]
    Nothing,
    /// Those that were killed are started again, all at once.
    Restart,
    /// One server after another is killed and started.
    Storm,
    /// Links are cut and mended, servers paused and killed, as chance has it.
    Swizzle,
}

const BOTH: &[usize] = &[3, 5];
const THREE: &[usize] = &[3];
const FIVE: &[usize] = &[5];

/// All of them.
const SHAPES: &[Shape] = &[
    shape("leader-cut", BOTH, |it| cut_off(it, &[it.leader])),
    shape("leader-deaf", BOTH, |it| {
        cut(one_way(&it.followers, &[it.leader]))
    }),
    shape("leader-mute", BOTH, |it| {
        cut(one_way(&[it.leader], &it.followers))
    }),
    shape("follower-cut", BOTH, |it| cut_off(it, &it.followers[..1])),
    shape("follower-deaf", THREE, |it| {
        cut(one_way(&it.all_but(0), &it.followers[..1]))
    }),
    shape("follower-mute", THREE, |it| {
        cut(one_way(&it.followers[..1], &it.all_but(0)))
    }),
    shape("leader-and-follower-apart", BOTH, |it| {
        cut(between(&[it.leader], &it.followers[..1]))
    }),
    shape("leader-unheard-by-one", THREE, |it| {
        cut(one_way(&[it.leader], &it.followers[..1]))
    }),
    shape("leader-deaf-to-one", THREE, |it| {
        cut(one_way(&it.followers[..1], &[it.leader]))
    }),
    shape("followers-apart", BOTH, |it| cut(all_apart(&it.followers))),
    shape("all-apart", BOTH, |it| cut(all_apart(&it.all()))),
    shape("leader-with-one", FIVE, |it| {
        cut_off(it, &[it.leader, it.followers[0]])
    }),
    shape("leader-with-two", FIVE, |it| {
        cut_off(it, &it.followers[..2])
    }),
    shape("minority-with-leader-deaf", FIVE, |it| {
        cut(one_way(&it.followers[1..], &[it.leader, it.followers[0]]))
    }),
    shape("minority-with-leader-mute", FIVE, |it| {
        cut(one_way(&[it.leader, it.followers[0]], &it.followers[1..]))
    }),
    shape("bridge-is-leader", FIVE, |it| {
        cut(between(&it.followers[..2], &it.followers[2..]))
    }),
    shape("bridge-is-follower", FIVE, |it| {
        let near = [it.leader, it.followers[0]];
        cut(between(&near, &it.followers[1..3]))
    }),
    shape("ring", FIVE, |it| cut(ring(&it.all()))),
    shape("leader-pause", BOTH, |it| pause(&[it.leader])),
    shape("follower-pause", THREE, |it| pause(&it.followers[..1])),
    shape("two-followers-pause", FIVE, |it| pause(&it.followers[..2])),
    shape("majority-pause", BOTH, |it| {
        pause(&it.followers[..it.followers.len() / 2 + 1])
    }),
    shape("all-pause", THREE, |it| pause(&it.all())),
    shape("leader-kill", BOTH, |it| kill(&[it.leader])),
    shape("follower-kill", THREE, |it| kill(&it.followers[..1])),
    shape("leader-and-follower-kill", FIVE, |it| {
        kill(&[it.leader, it.followers[0]])
    }),
    shape("majority-kill", FIVE, |it| kill(&it.followers[..3])),
    shape("all-kill", BOTH, |it| Fault {
        afterwards: Afterwards::Restart,
        ..kill(&it.all())
    }),
    shape("leader-wipe", THREE, |it| wipe(&[it.leader])),
    shape("follower-wipe", THREE, |it| wipe(&it.followers[..1])),
    shape("two-followers-wipe", FIVE, |it| wipe(&it.followers[..2])),
    shape("leader-cut-and-follower-kill", FIVE, |it| Fault {
        killed: set(&it.followers[..1]),
        ..cut_off(it, &[it.leader])
    }),
    shape("storm", BOTH, |_| during(Afterwards::Storm)),
    shape("swizzle", BOTH, |_| during(Afterwards::Swizzle)),
];

const fn shape(name: &'static str, sizes: &'static [usize], fault: fn(&Cast) -> Fault) -> Shape {
    Shape { name, sizes, fault }
}

/// The shapes for an ensemble of this size, in an order that chance decides:
/// all once, and then all again, as many as there are to be. Of the names
/// that are asked for only, if there are any.
pub(crate) fn deck(
    size: usize,
    rounds: Option<usize>,
    only: &[String],
    rng: &mut Rng,
) -> Vec<Shape> {
    let fits = |shape: &&Shape| {
        shape.sizes.contains(&size) && (only.is_empty() || only.iter().any(|it| it == shape.name))
    };
    let all: Vec<Shape> = SHAPES.iter().filter(fits).copied().collect();
    assert!(!all.is_empty() || !only.is_empty(), "shapes of {size}");
    let rounds = rounds.unwrap_or(all.len());
    let mut deck = Vec::new();
    while deck.len() < rounds && !all.is_empty() {
        let mut more = all.clone();
        rng.shuffle(&mut more);
        deck.append(&mut more);
    }
    deck.truncate(rounds);
    deck
}

impl Shape {
    pub(crate) fn fault(&self, cast: &Cast) -> Fault {
        (self.fault)(cast)
    }
}

impl Cast {
    fn all(&self) -> Vec<ServerId> {
        let mut all = self.followers.clone();
        all.push(self.leader);
        all
    }

    fn all_but(&self, follower: usize) -> Vec<ServerId> {
        let but = self.followers[follower];
        self.all().into_iter().filter(|id| *id != but).collect()
    }
}

impl Fault {
    /// The servers that may answer writes while it lasts: those that can lead
    /// a majority, and those that can follow one that can. What is not known,
    /// or changes, is `None`.
    pub(crate) fn serving(&self, servers: &[ServerId]) -> Option<BTreeSet<ServerId>> {
        if self.afterwards != Afterwards::Nothing {
            return None;
        }
        let gone = |id: ServerId| self.killed.contains(&id) || self.paused.contains(&id);
        let meet = |a: ServerId, b: ServerId| {
            let is_cut = self.cuts.contains(&(a, b)) || self.cuts.contains(&(b, a));
            a == b || !(is_cut || gone(a) || gone(b))
        };
        let can_lead = |id: &&ServerId| {
            let with = servers.iter().filter(|other| meet(**id, **other));
            !gone(**id) && with.count() > servers.len() / 2
        };
        let leaders: Vec<_> = servers.iter().filter(can_lead).collect();
        let serves = |id: &&ServerId| leaders.iter().any(|leader| meet(**id, **leader));
        Some(servers.iter().filter(serves).copied().collect())
    }
}

fn cut(cuts: BTreeSet<Link>) -> Fault {
    Fault {
        cuts,
        ..Fault::default()
    }
}

fn pause(servers: &[ServerId]) -> Fault {
    Fault {
        paused: set(servers),
        ..Fault::default()
    }
}

fn kill(servers: &[ServerId]) -> Fault {
    Fault {
        killed: set(servers),
        ..Fault::default()
    }
}

fn wipe(servers: &[ServerId]) -> Fault {
    Fault {
        wiped: set(servers),
        ..Fault::default()
    }
}

fn during(afterwards: Afterwards) -> Fault {
    Fault {
        afterwards,
        ..Fault::default()
    }
}

/// Some servers and all others lose each other.
fn cut_off(cast: &Cast, some: &[ServerId]) -> Fault {
    let others = cast.all().into_iter().filter(|id| !some.contains(id));
    cut(between(some, &others.collect::<Vec<_>>()))
}

fn one_way(from: &[ServerId], to: &[ServerId]) -> BTreeSet<Link> {
    let links = from.iter().flat_map(|a| to.iter().map(|b| (*a, *b)));
    links.filter(|(a, b)| a != b).collect()
}

fn between(some: &[ServerId], others: &[ServerId]) -> BTreeSet<Link> {
    &one_way(some, others) | &one_way(others, some)
}

fn all_apart(servers: &[ServerId]) -> BTreeSet<Link> {
    one_way(servers, servers)
}

/// Everyone sees two neighbours.
fn ring(servers: &[ServerId]) -> BTreeSet<Link> {
    let next = servers.iter().cycle().skip(1);
    let neighbours: BTreeSet<Link> = servers
        .iter()
        .zip(next)
        .flat_map(|(a, b)| [(*a, *b), (*b, *a)])
        .collect();
    &all_apart(servers) - &neighbours
}

fn set(servers: &[ServerId]) -> BTreeSet<ServerId> {
    servers.iter().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cast(size: i64) -> Cast {
        Cast {
            leader: ServerId(size),
            followers: (1..size).map(ServerId).collect(),
        }
    }

    fn serving(name: &str, size: i64) -> Vec<i64> {
        let shape = SHAPES.iter().find(|it| it.name == name).expect("a shape");
        let servers: Vec<_> = (1..=size).map(ServerId).collect();
        let serving = shape.fault(&cast(size)).serving(&servers);
        serving
            .expect("it is known")
            .into_iter()
            .map(|it| it.0)
            .collect()
    }

    #[test]
    fn who_may_serve_is_whoever_has_a_majority() {
        assert_eq!(serving("leader-cut", 3), [1, 2]);
        assert_eq!(serving("leader-deaf", 3), [1, 2]);
        assert_eq!(serving("follower-mute", 3), [2, 3]);
        assert_eq!(serving("leader-and-follower-apart", 3), [1, 2, 3]);
        assert_eq!(serving("followers-apart", 3), [1, 2, 3]);
        assert_eq!(serving("all-apart", 5), [0; 0]);
        assert_eq!(serving("leader-with-one", 5), [2, 3, 4]);
        assert_eq!(serving("minority-with-leader-deaf", 5), [2, 3, 4]);
        assert_eq!(serving("bridge-is-leader", 5), [1, 2, 3, 4, 5]);
        assert_eq!(serving("ring", 5), [1, 2, 3, 4, 5]);
        assert_eq!(serving("majority-pause", 5), [0; 0]);
        assert_eq!(serving("leader-cut-and-follower-kill", 5), [2, 3, 4]);
    }

    #[test]
    fn a_minority_is_wiped() {
        for size in [3, 5] {
            for shape in deck(size, None, &[], &mut Rng::new(1)) {
                let fault = shape.fault(&cast(size as i64));
                assert!(fault.wiped.len() <= size / 2, "{}", shape.name);
            }
        }
    }

    #[test]
    fn decks_hold_every_shape_and_names_are_distinct() {
        let names = |deck: &[Shape]| deck.iter().map(|it| it.name).collect::<BTreeSet<_>>();
        let mut rng = Rng::new(7);
        let deck_of = |rounds, rng: &mut Rng| deck(5, rounds, &[], rng);
        let once = deck_of(None, &mut rng);
        assert_eq!(names(&once).len(), once.len());
        assert_eq!(names(&deck_of(Some(60), &mut rng)), names(&once));
        assert_eq!(deck_of(Some(3), &mut rng).len(), 3);
    }
}
