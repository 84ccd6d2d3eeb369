//! The znodes that a scenario finds: a parent, directories, and znodes of 100 bytes in them.

use super::closed::TIMEOUT_MS;
use super::fleet::{Answered, Fleet, Load};
use super::meter::Target;
use super::session::{Kind, Session};
use super::wire;
use crate::error::Result;

/// Makes the parents of so many znodes; what is there from an earlier run stays.
pub(super) fn parents(target: Target, nodes: u32) -> Result<()> {
    let directories = nodes.div_ceil(wire::NODES_PER_DIRECTORY);
    let fixed = [wire::ROOT.to_owned(), wire::EPHEMERAL_PARENT.to_owned()];
    let directories = (0..directories).map(wire::directory_path);
    create(target, fixed.into_iter().chain(directories))
}

/// Makes so many znodes and their parents; what is there from an earlier run stays.
pub(super) fn nodes(target: Target, nodes: u32) -> Result<()> {
    parents(target, nodes)?;
    create(target, (0..nodes).map(wire::node_path))
}

/// Sends everything on one session, which keeps the order.
fn create(target: Target, paths: impl Iterator<Item = String>) -> Result<()> {
    let mut fleet = Fleet::connect(target.address, 1, TIMEOUT_MS)?;
    for path in paths {
        let now = fleet.now();
        fleet.sessions[0].send(&wire::create(&path), Kind::CreateIfAbsent, now);
    }
    fleet.flush(0)?;
    fleet.drain(&mut Ignore)?;
    fleet.close()
}

/// Takes answers for granted once the session has checked them.
struct Ignore;

impl Load for Ignore {
    fn answered(&mut self, _: &mut Session, _: &Answered<'_>) -> Result<()> {
        Ok(())
    }
}
