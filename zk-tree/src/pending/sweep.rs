//! Forgetting what is applied while other changes still wait. A pipeline that
//! is never empty would otherwise remember every znode it ever touched.

use super::{AclSource, Pending, SWEEP_MIN};
use zk_proto::Zxid;

impl Pending {
    /// Forgets what has been applied, by keeping the rest. Costs as much as
    /// there is, and waits until there is twice as much as was left.
    pub(super) fn sweep(&mut self, applied: Zxid) {
        let records = std::mem::take(&mut self.records);
        let text = std::mem::take(&mut self.text);
        let lists = std::mem::take(&mut self.lists);
        let ephemerals = std::mem::take(&mut self.ephemerals);
        self.index.clear();
        let mut moved = vec![None; records.len()];
        for (number, mut record) in records.into_iter().enumerate() {
            if record.zxid <= applied {
                continue;
            }
            if let Some(state) = &mut record.state
                && let AclSource::Pending(list) = state.acl
            {
                state.acl = self.keep_acl(&lists[list as usize]);
            }
            let path = &text[record.path_start..record.path_start + record.path_len];
            moved[number] = Some(self.push(path, record.hash, record.state, record.zxid));
        }
        self.ephemerals = ephemerals
            .iter()
            .filter_map(|record| moved[*record as usize])
            .collect();
        self.ephemerals.sort_unstable();
        self.ephemerals.dedup();
        self.sessions.retain(|_, (zxid, _)| *zxid > applied);
        self.quota.retain(|change| change.zxid > applied);
        self.sweep_at = SWEEP_MIN.max(2 * self.len());
    }
}
