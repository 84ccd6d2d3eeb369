//! Changes of the members (RELIABILITY: I12, I19; PROTOCOL 16).

mod leader;
mod learner;
mod new_leader;

use crate::support::Lead;
use zk_zab::{Action, Packet};

const NOTHING: [&str; 0] = [];

#[track_caller]
fn has(actions: &[String], wanted: &[&str]) {
    for wanted in wanted {
        assert!(
            actions.iter().any(|it| it == wanted),
            "{wanted}: {actions:?}"
        );
    }
}

/// What it sends now, to anybody.
fn sent(lead: &mut Lead) -> Vec<Packet> {
    let actions = std::iter::from_fn(|| lead.machine.poll_action());
    let packets = actions.filter_map(|it| match it {
        Action::Send { packet, .. } => Some(packet),
        _ => None,
    });
    packets.collect()
}
