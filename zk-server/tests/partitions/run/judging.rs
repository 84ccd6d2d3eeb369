//! What the clients saw, judged and measured.

use super::{Run, Window};
use crate::history::{Act, Moment, Op};
use crate::report::Line;
use crate::shapes::{Afterwards, Fault, Shape};
use crate::{linear, order};
use std::time::Duration;

impl Run {
    /// Nobody acknowledged a write, or a sync, who could not know that it is
    /// one: it was sent when the server had lost the majority.
    pub(super) fn judge_refusals(&self, fault: &Fault, window: Window) {
        let Some(serving) = fault.serving(self.site.ids()) else {
            return;
        };
        let wrong = self.board.look(|state| {
            let alone = |op: &&Op| {
                op.invoked > window.broken
                    && op.answered < window.end
                    && !op.is_unknown()
                    && op.act != Act::Read
                    && !serving.contains(&op.server)
            };
            state.ops.iter().find(alone).copied()
        });
        if let Some(op) = wrong {
            panic!("{}: cut off, and it answers:\n  {op}", self.context());
        }
    }

    /// Whether the history is what it must be.
    pub(super) fn judge(&self, round: Option<u32>) {
        self.assert_no_failure("the end of a round");
        let ops = self.board.look(|state| state.ops.clone());
        if let Err(what) = order::check(&ops) {
            panic!("{}: {what}", self.context());
        }
        for key in self.keys(round) {
            let own: Vec<Op> = ops.iter().filter(|op| op.key == key).copied().collect();
            if let Err(violation) = linear::check(&own) {
                panic!(
                    "{}: {} is not linearizable\n{}",
                    self.context(),
                    key.path(),
                    violation.text
                );
            }
        }
    }

    /// What is to be told of a fault.
    pub(super) fn line(
        &self,
        shape: &Shape,
        fault: &Fault,
        window: Window,
        repair: (Moment, Duration),
    ) -> Line {
        let (repaired, healed) = repair;
        let serving = fault.serving(self.site.ids());
        let is_able = |op: &&Op| serving.as_ref().is_none_or(|it| it.contains(&op.server));
        let is_stale = |op: &&Op| {
            let during = window.broken..window.end;
            op.act == Act::Read && !is_able(op) && during.contains(&op.answered)
        };
        let (acks, stale) = self.board.look(|state| {
            let writes = state.ops.iter().filter(|op| op.has_written());
            let acks: Vec<Moment> = writes.filter(is_able).map(|op| op.answered).collect();
            let stale = state
                .ops
                .iter()
                .filter(is_stale)
                .map(|op| op.answered)
                .max();
            (acks, stale)
        });
        let gap = match fault.afterwards {
            Afterwards::Restart => first(&acks, repaired).map(|at| at.since(repaired)),
            Afterwards::Nothing => Some(gap(acks, window.begin, window.end)),
            Afterwards::Storm | Afterwards::Swizzle => {
                Some(gap(acks, window.begin, repaired.after(healed)))
            }
        };
        let limit = self.plan.limit() + Duration::from_millis(300);
        let can_serve = serving.is_none_or(|it| !it.is_empty());
        Line {
            name: shape.name,
            length: window.end.since(window.begin),
            gap: gap.filter(|_| can_serve),
            limit: (fault.afterwards == Afterwards::Nothing).then_some(limit),
            stale: stale.map(|at| at.since(window.broken)),
            healed,
        }
    }
}

fn first(acks: &[Moment], since: Moment) -> Option<Moment> {
    acks.iter().copied().filter(|at| *at >= since).min()
}

/// The longest time without an acknowledgement that is not over before the
/// one moment and has begun before the other.
fn gap(mut acks: Vec<Moment>, from: Moment, to: Moment) -> Duration {
    acks.sort();
    let begin = acks.partition_point(|at| *at < from);
    let end = acks.partition_point(|at| *at < to);
    let mut last = acks[..begin].last().copied().unwrap_or(from);
    let mut longest = Duration::ZERO;
    for at in acks[begin..end].iter().copied().chain([to]) {
        longest = longest.max(at.since(last));
        last = at;
    }
    longest
}
