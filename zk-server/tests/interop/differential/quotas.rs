//! Quotas set and taken away again, as the shell does it.

use super::actions::AUDITOR;
use super::call::Call;
use super::draw;
use super::world::World;
use zk_proto::{Acl, Buffer, CreateRequest, DeleteRequest, OpCode, Request};

/// As many as there may be at once.
const QUOTAS_MAX: usize = 12;

impl World {
    /// Whether there are quotas, or were.
    pub(crate) fn has_quotas(&self) -> bool {
        self.operations >= self.quotas_from
    }

    /// Gives a znode a quota, or takes one away.
    pub(crate) fn change_quotas(&mut self) {
        if !self.has_quotas() {
            return;
        }
        if self.quotas.len() >= QUOTAS_MAX || !self.quotas.is_empty() && self.rng.percent(40) {
            let at = self.rng.below(self.quotas.len());
            let path = self.quotas.swap_remove(at);
            let nodes = ["zookeeper_stats", "zookeeper_limits"];
            let mut nodes = nodes.map(|name| format!("/zookeeper/quota{path}/{name}"));
            if self.rng.percent(30) {
                nodes.reverse();
            }
            let calls: Vec<_> = nodes.iter().map(|node| delete(node)).collect();
            return self.one_by_one(&calls);
        }
        let path = draw::existing(&mut self.rng, &self.known);
        if path.starts_with("/zookeeper") {
            return;
        }
        let mut calls = Vec::new();
        let ends = path.char_indices().skip(1).filter(|(_, c)| *c == '/');
        for end in ends.map(|(at, _)| at).chain([path.len()]) {
            calls.push(create(&format!("/zookeeper/quota{}", &path[..end]), ""));
        }
        let limits = self.limits();
        calls.push(create(
            &format!("/zookeeper/quota{path}/zookeeper_limits"),
            &limits,
        ));
        let stats = format!("/zookeeper/quota{path}/zookeeper_stats");
        calls.push(create(&stats, "count=0,bytes=0"));
        self.one_by_one(&calls);
        self.quotas.push(path);
    }

    fn limits(&mut self) -> String {
        let [count, bytes, hard_count, hard_bytes] =
            [5, 3000, 8, 5000].map(|most| match self.rng.percent(30) {
                true => -1,
                false => i64::try_from(self.rng.below(most)).expect("a small number"),
            });
        match self.rng.below(3) {
            0 => format!("count={count},bytes={bytes}"),
            _ => format!(
                "count={count},bytes={bytes}=;byteHardLimit={hard_bytes};countHardLimit={hard_count}"
            ),
        }
    }

    fn one_by_one(&mut self, calls: &[Call]) {
        for call in calls {
            self.burst(AUDITOR, std::slice::from_ref(call));
        }
    }
}

/// Nobody else is to touch it: Apache's server ends when such a znode holds
/// anything but numbers.
fn create(path: &str, data: &str) -> Call {
    let record = CreateRequest {
        path: Some(path.into()),
        data: Some(Buffer(data.as_bytes())),
        acl: Some(vec![Acl::new(zk_proto::Perms::ALL, "digest", "nobody:x")]),
        flags: 0,
    };
    Call::new(&Request::Create(OpCode::CREATE, record))
}

fn delete(path: &str) -> Call {
    Call::new(&Request::Delete(DeleteRequest {
        path: Some(path.into()),
        version: -1,
    }))
}
