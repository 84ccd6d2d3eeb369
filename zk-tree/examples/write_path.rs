//! One write from request to event, and a snapshot of the tree after it.

use zk_proto::txn::LoggedTxn;
use zk_proto::{Acl, Buffer, CreateRequest, OpCode, Request, SessionId, Zxid};
use zk_tree::{
    Caller, DataTree, Pending, PrepareConfig, Stamp, TreeConfig, WatchKind, WatcherId, Watches,
};

#[expect(clippy::print_stdout, reason = "an example may print")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seed = 0x5eed; // A server takes a random one.
    let mut tree = DataTree::new(TreeConfig {
        hash_seed: seed,
        extended_types: true,
        digest: true,
    });
    let mut pending = Pending::new(seed);
    let mut watches = Watches::new(seed);
    watches.add(WatcherId(1), Some("/"), WatchKind::Child);

    let request = Request::Create(
        OpCode::CREATE2,
        CreateRequest {
            path: Some("/config".into()),
            data: Some(Buffer(b"verbose")),
            acl: Some(vec![Acl::open()]),
            flags: 0,
        },
    );
    let caller = Caller {
        session: SessionId(1),
        cxid: 1,
        identities: &[],
    };
    let config = PrepareConfig::default();
    for (zxid, request) in (1..).zip([Request::CreateSession(30_000), request]) {
        let stamp = Stamp {
            zxid: Zxid(zxid),
            time_ms: 1_795_251_296_971,
        };
        let mut payload = Vec::new();
        let prepared = zk_tree::prepare(
            &tree,
            &mut pending,
            &config,
            &caller,
            stamp,
            &request,
            &mut payload,
        );
        println!(
            "prepared: {:?}, {} bytes to log",
            prepared.error,
            payload.len()
        );

        let txn = LoggedTxn::decode(&payload)?;
        let applied = tree.apply(&txn, &mut |event| {
            watches.fire(event.kind, event.path, &mut |watcher| {
                println!("{watcher:?} hears of {:?} at {}", event.kind, event.path);
            });
        });
        pending.applied(txn.header.zxid);
        println!("applied: {:?}", applied.outcome);
    }

    let mut snapshot = Vec::new();
    let mut cursor = tree.snapshot_cursor();
    cursor.head(&mut snapshot);
    while cursor.next_chunk(&tree, &mut snapshot, 4096) {}
    let zxid = cursor.zxid();
    let digest = cursor.end(&tree, &mut snapshot);
    println!(
        "snapshot.{:x}: {} bytes, {digest:?}",
        zxid.0,
        snapshot.len()
    );
    Ok(())
}
