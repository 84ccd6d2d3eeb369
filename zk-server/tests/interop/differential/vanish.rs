//! Containers and znodes with a time to live, which go by themselves.

use super::actions::{AUDITOR, MORTAL};
use super::call::Call;
use super::world::World;
use crate::support::twins::Twins;
use zk_proto::{
    Acl, AddWatchRequest, CreateRequest, CreateTtlRequest, DeleteRequest, MultiOp, OpCode, Request,
};

const CONFIG: &str = "tickTime=500\nmaxSessionTimeout=36000000\nmaxClientCnxns=0\n\
    extendedTypesEnabled=true\nforceSync=no\nznode.container.checkIntervalMs=200\n";

#[test]
fn what_nobody_needs_vanishes_alike() {
    let Some(twins) = Twins::start(CONFIG) else {
        return;
    };
    let mut world = World::new(twins, 1, MORTAL + 1);
    world.begin();
    let watch = AddWatchRequest {
        path: Some("/".into()),
        mode: 1,
    };
    world.burst(0, &[Call::new(&Request::AddWatch(watch))]);

    // Used, and not any more.
    world.burst(
        AUDITOR,
        &[container("/used"), ttl("/used/child", 3_600_000)],
    );
    world.burst(AUDITOR, &[container("/unused")]);
    vanishes(&mut world, &[delete("/used/child")]);

    // One inside the other: the inner goes first, then the outer.
    world.burst(AUDITOR, &[container("/outer"), container("/outer/inner")]);
    world.burst(AUDITOR, &[ttl("/outer/inner/x", 3_600_000)]);
    let before = world.zxids()[0];
    world.burst(AUDITOR, &[delete("/outer/inner/x")]);
    world.wait_for(before + 3);

    // Its time comes.
    vanishes(&mut world, &[ttl("/short", 1)]);
    // Not while it has a child, so the child is the first.
    let before = world.zxids()[0];
    let both = [("/parent", 1), ("/parent/child", 300)];
    let both = both.map(|(path, ttl)| MultiOp::CreateTtl(record(path, ttl)));
    world.burst(AUDITOR, &[Call::new(&Request::Multi(both.to_vec()))]);
    world.wait_for(before + 3);
    world.burst(0, &[Call::new(&Request::Ping)]);
    let znodes = world.audit();
    // The root, four of the system, and the container that was never used.
    assert_eq!(znodes, 5);
}

/// These calls, and then one transaction that nobody asked for.
fn vanishes(world: &mut World, calls: &[Call]) {
    let before = world.zxids()[0];
    world.burst(AUDITOR, calls);
    let asked = i64::try_from(calls.len()).expect("few");
    world.wait_for(before + asked + 1);
    world.burst(0, &[Call::new(&Request::Ping)]);
}

fn container(path: &str) -> Call {
    let record = CreateRequest {
        path: Some(path.into()),
        data: None,
        acl: Some(vec![Acl::open()]),
        flags: 4,
    };
    Call::new(&Request::Create(OpCode::CREATE_CONTAINER, record))
}

fn ttl(path: &str, ttl: i64) -> Call {
    Call::new(&Request::CreateTtl(record(path, ttl)))
}

fn record(path: &str, ttl: i64) -> CreateTtlRequest<'_> {
    CreateTtlRequest {
        path: Some(path.into()),
        data: None,
        acl: Some(vec![Acl::open()]),
        flags: 5,
        ttl,
    }
}

fn delete(path: &str) -> Call {
    Call::new(&Request::Delete(DeleteRequest {
        path: Some(path.into()),
        version: -1,
    }))
}
