//! The eleven lines of a Stat (`StatPrinter`), with times as Java prints them.

use crate::java_time::date;
use zk_client::Stat;

/// The lines, each with its end.
pub(crate) fn lines(stat: &Stat) -> String {
    format!(
        "cZxid = 0x{:x}\nctime = {}\nmZxid = 0x{:x}\nmtime = {}\npZxid = 0x{:x}\n\
         cversion = {}\ndataVersion = {}\naclVersion = {}\nephemeralOwner = 0x{:x}\n\
         dataLength = {}\nnumChildren = {}\n",
        stat.czxid.0,
        date(stat.ctime),
        stat.mzxid.0,
        date(stat.mtime),
        stat.pzxid.0,
        stat.cversion,
        stat.version,
        stat.aversion,
        stat.ephemeral_owner,
        stat.data_length,
        stat.num_children,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_client::Zxid;

    #[test]
    fn zxids_and_owners_are_hexadecimal() {
        let stat = Stat {
            czxid: Zxid(0x1_0000_000f),
            ephemeral_owner: -1,
            aversion: -1,
            ..Stat::default()
        };
        let text = lines(&stat);
        assert!(text.starts_with("cZxid = 0x10000000f\n"));
        assert!(text.contains("aclVersion = -1\nephemeralOwner = 0xffffffffffffffff\n"));
        assert_eq!(text.lines().count(), 11);
    }
}
