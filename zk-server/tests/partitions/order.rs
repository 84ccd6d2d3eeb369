//! Rules that hold for every answer and need no search: zxids follow real
//! time, over all znodes; a sync catches up with all that anybody was told; a
//! client never goes back; what is read is what its zxid promises.

use crate::history::{Act, ClientId, Key, Moment, Op, Saw, Value};
use std::collections::{BTreeMap, HashMap};
use zk_proto::Zxid;

/// The first rule that is broken, if one is.
pub(crate) fn check(ops: &[Op]) -> Result<(), String> {
    let mut answered: Vec<&Op> = ops.iter().filter(|op| !op.is_unknown()).collect();
    answered.sort_by_key(|op| op.answered);
    zxids_are_distinct(&answered)?;
    clients_never_go_back(&answered)?;
    told_before(ops, &answered)?;
    reads_are_snapshots(&answered)?;
    data_was_written(ops)
}

fn zxids_are_distinct(answered: &[&Op]) -> Result<(), String> {
    let mut writes: HashMap<Zxid, &Op> = HashMap::new();
    for op in answered.iter().filter(|op| op.has_written()) {
        if let Some(other) = writes.insert(op.zxid, op) {
            return Err(format!("two writes of one zxid:\n  {other}\n  {op}"));
        }
    }
    Ok(())
}

fn clients_never_go_back(answered: &[&Op]) -> Result<(), String> {
    let mut last: BTreeMap<ClientId, &Op> = BTreeMap::new();
    for op in answered {
        if let Some(before) = last.insert(op.client, op)
            && before.zxid > op.zxid
        {
            return Err(format!("a client goes back:\n  {before}\n  {op}"));
        }
    }
    Ok(())
}

/// Nobody's write is older, and nobody's read after a sync, than what anybody
/// had been told when it was sent.
fn told_before(ops: &[Op], answered: &[&Op]) -> Result<(), String> {
    let mut told = answered.iter().peekable();
    let mut newest: Option<&Op> = None;
    let mut by_start: Vec<&Op> = ops.iter().filter(|op| !op.is_unknown()).collect();
    by_start.sort_by_key(|op| op.invoked);
    for op in by_start {
        while let Some(before) = told.next_if(|before| before.answered < op.invoked) {
            if newest.is_none_or(|it| it.zxid < before.zxid) {
                newest = Some(before);
            }
        }
        let Some(newest) = newest else { continue };
        let is_late = match op.act {
            Act::SyncRead => op.zxid < newest.zxid,
            Act::Read => false,
            _ => op.has_written() && op.zxid <= newest.zxid,
        };
        if is_late {
            return Err(format!(
                "behind what somebody had been told before it was sent:\n  {newest}\n  {op}"
            ));
        }
    }
    Ok(())
}

/// The data is that of the newest write up to the answer's zxid.
fn reads_are_snapshots(answered: &[&Op]) -> Result<(), String> {
    let mut writes: BTreeMap<(Key, Zxid), &Op> = BTreeMap::new();
    for op in answered.iter().filter(|op| op.has_written()) {
        writes.insert((op.key, op.zxid), op);
    }
    for op in answered {
        let Saw::Data { mzxid, .. } = op.saw else {
            continue;
        };
        if mzxid > op.zxid {
            return Err(format!("newer data than the zxid of its answer:\n  {op}"));
        }
        let up_to = writes.range((op.key, mzxid)..=(op.key, op.zxid));
        let newest = up_to.last().filter(|((_, zxid), _)| *zxid > mzxid);
        if let Some((_, write)) = newest {
            return Err(format!(
                "older data than the zxid of its answer:\n  {write}\n  {op}"
            ));
        }
    }
    Ok(())
}

fn data_was_written(ops: &[Op]) -> Result<(), String> {
    let mut sent: HashMap<Value, Moment> = HashMap::new();
    for op in ops {
        if let Act::Create(value) | Act::Set(value, _) = op.act {
            sent.insert(value, op.invoked);
        }
    }
    let wrong = ops.iter().find(|op| match op.saw {
        Saw::Data { value, .. } => sent.get(&value).is_none_or(|at| *at > op.answered),
        _ => false,
    });
    wrong.map_or(Ok(()), |op| Err(format!("nobody wrote that:\n  {op}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_proto::ServerId;

    fn op(client: u32, act: Act, saw: Saw, zxid: i64, times: (u64, u64)) -> Op {
        Op {
            client: ClientId(client),
            server: ServerId(1),
            key: Key { round: 0, index: 0 },
            act,
            invoked: Moment(times.0),
            answered: Moment(times.1),
            saw,
            zxid: Zxid(zxid),
        }
    }

    fn set(client: u32, zxid: i64, times: (u64, u64)) -> Op {
        let value = Value(zxid.unsigned_abs());
        let saw = Saw::Wrote { version: 1 };
        op(client, Act::Set(value, None), saw, zxid, times)
    }

    fn read(client: u32, act: Act, mzxid: i64, zxid: i64, times: (u64, u64)) -> Op {
        let saw = Saw::Data {
            value: Value(mzxid.unsigned_abs()),
            version: 1,
            mzxid: Zxid(mzxid),
        };
        op(client, act, saw, zxid, times)
    }

    #[test]
    fn right_histories_pass() {
        let ops = [
            set(1, 1, (0, 1)),
            set(1, 2, (2, 3)),
            read(2, Act::Read, 1, 1, (4, 5)),
            read(2, Act::SyncRead, 2, 2, (6, 7)),
        ];
        assert_eq!(check(&ops), Ok(()));
    }

    #[test]
    fn every_rule_can_be_broken() {
        let first = set(1, 5, (0, 1));
        for (other, rule) in [
            (set(2, 5, (0, 1)), "one zxid"),
            (set(1, 4, (2, 3)), "goes back"),
            (set(2, 4, (2, 3)), "had been told"),
            (read(2, Act::SyncRead, 4, 4, (2, 3)), "had been told"),
            (read(2, Act::Read, 4, 5, (2, 3)), "older data"),
            (read(2, Act::Read, 6, 5, (2, 3)), "newer data"),
            (read(2, Act::Read, 3, 4, (2, 3)), "nobody wrote"),
        ] {
            let said = check(&[first, other]).expect_err(rule);
            assert!(said.contains(rule), "{said}");
        }
    }
}
