//! The epoch that a leader proposes to three servers that come from two
//! different pasts.

use zk_proto::Epoch;

fn main() {
    let accepted = [Epoch(1), Epoch(2), Epoch(2)];
    assert_eq!(zk_zab::next_epoch(accepted), Some(Epoch(3)));
}
