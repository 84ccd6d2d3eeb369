//! The trees of all servers, which become equal when nobody writes.

use super::{EQUAL_WITHIN, Run};
use crate::clients::{self, GUESTS, LIVE};
use crate::dump::{self, Nodes};
use crate::history::{Act, ClientId, Key, Op, Saw};
use std::collections::BTreeSet;
use std::io;
use std::time::Instant;
use zk_proto::ServerId;

impl Run {
    /// Waits until all servers show the same tree, without guests.
    pub(super) fn await_equal_trees(&self, round: Option<u32>) -> Nodes {
        let give_up = Instant::now() + EQUAL_WITHIN;
        loop {
            let difference = match self.trees(round) {
                Ok(trees) => match self.compare(&trees) {
                    None => return trees.into_iter().next().expect("a server"),
                    Some(difference) => difference,
                },
                Err(error) => error.to_string(),
            };
            self.assert_no_failure("comparing trees");
            assert!(
                Instant::now() < give_up,
                "{}: no equal trees after {EQUAL_WITHIN:?}: {difference}",
                self.context()
            );
        }
    }

    fn trees(&self, round: Option<u32>) -> io::Result<Vec<Nodes>> {
        let ids = self.site.ids().iter();
        ids.map(|id| self.tree(*id, round)).collect()
    }

    /// The tree of a server; what it shows of the keys is in the history too.
    fn tree(&self, id: ServerId, round: Option<u32>) -> io::Result<Nodes> {
        let mut wire = self.open(id)?;
        let invoked = self.board.clock.now();
        let closed = self.board.look(|state| state.closed.clone());
        let dump = dump::dump(&mut wire)?;
        let answered = self.board.clock.now();
        wire.close()?;
        let back = closed.iter().find(|path| dump.nodes.contains_key(*path));
        assert_eq!(back, None, "{}: its session was closed", self.context());
        let keys = self.keys(round).into_iter();
        for key in keys {
            self.board.record(Op {
                client: ClientId(1000 + u32::try_from(id.0).expect("it is small")),
                server: id,
                key,
                act: Act::SyncRead,
                invoked,
                answered,
                saw: seen_in(&dump.nodes, key),
                zxid: dump.zxid,
            });
        }
        Ok(dump.nodes)
    }

    /// The keys of a round, or of all.
    pub(super) fn keys(&self, round: Option<u32>) -> Vec<Key> {
        let all: BTreeSet<Key> = self.board.look(|state| {
            let keys = state.ops.iter().map(|op| op.key);
            keys.filter(|key| round.is_none_or(|round| round == key.round))
                .collect()
        });
        all.into_iter().collect()
    }

    /// What differs, or has to go or to stay.
    fn compare(&self, trees: &[Nodes]) -> Option<String> {
        let (first, rest) = trees.split_first()?;
        let difference = rest.iter().find_map(|tree| dump::difference(first, tree));
        let guest = || {
            let mut below = first
                .keys()
                .filter(|path| path.starts_with(&format!("{GUESTS}/")));
            below.next().map(|path| format!("{path} is left"))
        };
        let live = first
            .keys()
            .filter(|path| path.starts_with(&format!("{LIVE}/")));
        assert_eq!(
            live.count(),
            self.sessions(),
            "{}: every session lives, and so do their ephemerals",
            self.context()
        );
        difference.or_else(guest)
    }
}

/// What a tree shows of a key.
fn seen_in(nodes: &Nodes, key: Key) -> Saw {
    let Some(node) = nodes.get(&key.path()) else {
        return Saw::NoNode;
    };
    let data = node.data.as_deref().unwrap_or_default();
    Saw::Data {
        value: clients::value(data).expect("a client wrote it"),
        version: node.stat.version,
        mzxid: node.stat.mzxid,
    }
}
