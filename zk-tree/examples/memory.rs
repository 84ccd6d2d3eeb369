//! What a znode costs: loads a million of them, with 100 bytes of data each,
//! under 1000 parents, and prints bytes and time per znode. Then creates as
//! many by transactions.
//!
//! `cargo run --release --example memory`

use std::time::Instant;
use zk_proto::snapshot::NodeEntry;
use zk_proto::txn::{CreateTxn, LoggedTxn, Txn, TxnHeader};
use zk_proto::{Acl, Buffer, OpCode, SessionId, StatPersisted, Ustr, Zxid};
use zk_tree::{DataTree, TreeConfig};

const PARENTS: u32 = 1000;
const CHILDREN: u32 = 1000;
const DATA: [u8; 100] = [b'x'; 100];
const CONFIG: TreeConfig = TreeConfig {
    hash_seed: 0x5eed,
    extended_types: true,
    digest: true,
};

#[expect(clippy::print_stdout, reason = "an example may print")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut kept = Vec::new();
    for (name, make) in [
        ("loaded", load as fn() -> DataTree),
        ("created", create as fn() -> DataTree),
    ] {
        let before = resident_bytes()?;
        let begin = Instant::now();
        let tree = make();
        let nodes = f64::from(PARENTS * CHILDREN);
        let nanos = begin.elapsed().as_nanos() as f64 / nodes;
        let bytes = (resident_bytes()? - before) as f64 / nodes;
        println!(
            "{name}: {} znodes, {bytes:.1} bytes and {nanos:.0} ns each",
            tree.node_count()
        );
        kept.push(tree);
    }
    Ok(())
}

fn paths() -> impl Iterator<Item = String> {
    let parents = (0..PARENTS).flat_map(|parent| {
        let path = format!("/bench/d{parent:04}");
        let children = (0..CHILDREN).map({
            let path = path.clone();
            move |child| format!("{path}/n{:09}", parent * CHILDREN + child)
        });
        std::iter::once(path).chain(children)
    });
    std::iter::once("/bench".to_owned()).chain(parents)
}

fn load() -> DataTree {
    let mut loader = DataTree::loader(CONFIG);
    for path in std::iter::once(String::new()).chain(paths()) {
        loader
            .node(&NodeEntry {
                path: Ustr::from(path),
                data: Some(Buffer(&DATA)),
                acl: -1,
                stat: StatPersisted::default(),
            })
            .expect("parents come first");
    }
    loader.finish(Zxid(1), None).expect("there is a root")
}

fn create() -> DataTree {
    let mut tree = DataTree::new(CONFIG);
    let acl = vec![Acl::open()];
    for (zxid, path) in (1..).zip(paths()) {
        let txn = LoggedTxn {
            header: TxnHeader {
                client_id: SessionId(1),
                cxid: 1,
                zxid: Zxid(zxid),
                time: zxid,
                kind: OpCode::CREATE,
            },
            txn: Txn::Create(CreateTxn {
                path: Ustr::from(path),
                data: Some(Buffer(&DATA)),
                acl: Some(acl.clone()),
                ephemeral: false,
                parent_cversion: -1,
            }),
            digest: None,
        };
        tree.apply(&txn, &mut |_| {});
    }
    tree
}

/// Second number of `statm`, in pages of 4 KiB.
fn resident_bytes() -> Result<i64, Box<dyn std::error::Error>> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: i64 = statm
        .split(' ')
        .nth(1)
        .ok_or("statm has less than two numbers")?
        .parse()?;
    Ok(pages * 4096)
}
