//! Random requests: every operation, mostly sensible.

use super::call::Call;
use super::known::Known;
use super::{draw, multis, mutate};
use crate::support::rng::Rng;
use zk_proto::{
    AddWatchRequest, Buffer, CreateRequest, CreateTtlRequest, DeleteRequest, MAX_TTL_MS, OpCode,
    PathRequest, ReadRequest, ReconfigRequest, Request, SetAclRequest, SetDataRequest, SetWatches,
    SetWatches2, Ustr, WatcherRequest, Zxid,
};

/// More znodes than this, and deletes become more frequent than creates.
const ZNODES_MANY: usize = 300;

type Maker = fn(&mut Rng, &Known, i64) -> Call;

const MAKERS: [(usize, Maker); 24] = [
    (100, create),
    (60, create2),
    (30, create_container),
    (40, create_ttl),
    (110, delete),
    (120, set_data),
    (35, set_acl),
    (80, exists),
    (80, get_data),
    (40, get_children),
    (40, get_children2),
    (40, get_acl),
    (20, sync),
    (15, ping),
    (80, multis::multi),
    (40, multis::multi_read),
    (25, check_watches),
    (30, remove_watches),
    (50, add_watch),
    (12, set_watches),
    (12, set_watches2),
    (10, who_am_i),
    (20, get_ephemerals),
    (30, rarely),
];

/// A request that does not end the connection. `zxid` is about the last one.
pub(crate) fn any(rng: &mut Rng, known: &Known, zxid: i64) -> Call {
    let call = if known.paths().len() > ZNODES_MANY && rng.percent(40) {
        delete(rng, known, zxid)
    } else {
        let weights = MAKERS.map(|(weight, _)| weight);
        MAKERS[rng.weighted(&weights)].1(rng, known, zxid)
    };
    let mut call = if rng.per_mille(25) {
        mutate::body(rng, call)
    } else {
        call
    };
    if rng.per_mille(3) {
        call.xid = Some(*rng.pick(&[0, -2, -4, -8, -77, i32::MAX, i32::MIN]));
    }
    call
}

/// A request behind which the server closes the connection.
pub(crate) fn last(rng: &mut Rng, known: &Known) -> Call {
    match rng.weighted(&[4, 3, 1]) {
        0 => {
            let op = *rng.pick(&[0, 10, 23, 99, 108, -1, -2, -12, i32::MAX, i32::MIN, 7919]);
            Call::raw(OpCode(op), rng.bytes(8))
        }
        1 => multis::lone_check(rng, known),
        _ => Call::raw(OpCode(*rng.pick(&[0, 10, 99])), Vec::new()),
    }
}

fn ustr(path: &Option<String>) -> Option<Ustr<'_>> {
    path.as_deref().map(Ustr::from)
}

fn buffer(data: &Option<Vec<u8>>) -> Option<Buffer<'_>> {
    data.as_deref().map(Buffer)
}

pub(crate) fn plain_flags(rng: &mut Rng) -> i32 {
    flags(rng, &[0, 0, 0, 1, 1, 2, 3])
}

/// What createContainer may have. With the flags of an ephemeral Apache takes
/// it for one as long as it is pending.
pub(crate) fn container_flags(rng: &mut Rng) -> i32 {
    match flags(rng, &[4]) {
        1 | 3 => 0,
        flags => flags,
    }
}

/// Flags that are right for the operation, and some that are not.
pub(crate) fn flags(rng: &mut Rng, usual: &[i32]) -> i32 {
    if rng.percent(95) {
        *rng.pick(usual)
    } else {
        *rng.pick(&[0, 1, 2, 3, 4, 5, 6, 7, -1, 8, 100, i32::MIN])
    }
}

fn create_as(rng: &mut Rng, known: &Known, op: OpCode, flags: fn(&mut Rng) -> i32) -> Call {
    let path = draw::new_path(rng, known);
    let data = draw::data(rng);
    let record = CreateRequest {
        path: ustr(&path),
        data: buffer(&data),
        acl: draw::acl(rng),
        flags: flags(rng),
    };
    Call::new(&Request::Create(op, record)).about(path.as_deref())
}

fn create(rng: &mut Rng, known: &Known, _: i64) -> Call {
    create_as(rng, known, OpCode::CREATE, plain_flags)
}

fn create2(rng: &mut Rng, known: &Known, _: i64) -> Call {
    create_as(rng, known, OpCode::CREATE2, plain_flags)
}

fn create_container(rng: &mut Rng, known: &Known, _: i64) -> Call {
    create_as(rng, known, OpCode::CREATE_CONTAINER, container_flags)
}

/// A time to live, right for the flags most of the time.
pub(crate) fn any_ttl(rng: &mut Rng, flags: i32) -> i64 {
    if matches!(flags, 5 | 6) && rng.percent(80) {
        return *rng.pick(&[1, 1000, 86_400_000, MAX_TTL_MS]);
    }
    *rng.pick(&[0, 1, -1, 5000, MAX_TTL_MS + 1, i64::MAX, i64::MIN])
}

/// None with which Apache's server logs a transaction that kills it.
fn ttl(rng: &mut Rng, flags: i32) -> i64 {
    match any_ttl(rng, flags) {
        deadly if deadly < 0 && !matches!(flags, 5 | 6) => 1,
        ttl => ttl,
    }
}

fn create_ttl(rng: &mut Rng, known: &Known, _: i64) -> Call {
    let path = draw::new_path(rng, known);
    let data = draw::data(rng);
    let flags = flags(rng, &[5, 5, 6]);
    let record = CreateTtlRequest {
        path: ustr(&path),
        data: buffer(&data),
        acl: draw::acl(rng),
        flags,
        ttl: ttl(rng, flags),
    };
    Call::new(&Request::CreateTtl(record)).about(path.as_deref())
}

fn delete(rng: &mut Rng, known: &Known, _: i64) -> Call {
    let path = draw::path(rng, known);
    let record = DeleteRequest {
        path: ustr(&path),
        version: draw::version(rng),
    };
    Call::new(&Request::Delete(record)).deleting(path.as_deref())
}

fn set_data(rng: &mut Rng, known: &Known, _: i64) -> Call {
    let path = draw::path(rng, known);
    let data = draw::data(rng);
    let record = SetDataRequest {
        path: ustr(&path),
        data: buffer(&data),
        version: draw::version(rng),
    };
    Call::new(&Request::SetData(record)).about(path.as_deref())
}

fn set_acl(rng: &mut Rng, known: &Known, _: i64) -> Call {
    let path = draw::path(rng, known);
    let record = SetAclRequest {
        path: ustr(&path),
        acl: draw::acl(rng),
        version: draw::version(rng),
    };
    Call::new(&Request::SetAcl(record)).about(path.as_deref())
}

fn read(rng: &mut Rng, known: &Known, op: OpCode) -> Call {
    let path = draw::path(rng, known);
    let record = ReadRequest {
        path: ustr(&path),
        watch: rng.percent(40),
    };
    Call::record(op, &record).about(path.as_deref())
}

fn exists(rng: &mut Rng, known: &Known, _: i64) -> Call {
    read(rng, known, OpCode::EXISTS)
}

fn get_data(rng: &mut Rng, known: &Known, _: i64) -> Call {
    read(rng, known, OpCode::GET_DATA)
}

fn get_children(rng: &mut Rng, known: &Known, _: i64) -> Call {
    read(rng, known, OpCode::GET_CHILDREN)
}

fn get_children2(rng: &mut Rng, known: &Known, _: i64) -> Call {
    read(rng, known, OpCode::GET_CHILDREN2)
}

fn about_path(rng: &mut Rng, known: &Known, op: OpCode) -> Call {
    let path = draw::path(rng, known);
    let record = PathRequest { path: ustr(&path) };
    Call::record(op, &record).about(path.as_deref())
}

fn get_acl(rng: &mut Rng, known: &Known, _: i64) -> Call {
    about_path(rng, known, OpCode::GET_ACL)
}

fn sync(rng: &mut Rng, known: &Known, _: i64) -> Call {
    let path = echoed(draw::path(rng, known));
    let record = PathRequest { path: ustr(&path) };
    Call::record(OpCode::SYNC, &record).about(path.as_deref())
}

/// A path that is sent back. Apache writes characters beyond U+FFFF as two
/// surrogates of three bytes each, which is no UTF-8 and not copied.
fn echoed(path: Option<String>) -> Option<String> {
    path.map(|path| path.replace(|c| c > '\u{ffff}', "x"))
}

fn get_ephemerals(rng: &mut Rng, known: &Known, _: i64) -> Call {
    if rng.percent(40) {
        let path = rng.pick(&[Some("/"), Some(""), None, Some("/a"), Some("a")]);
        let path = path.map(Ustr::from);
        return Call::new(&Request::GetEphemerals(PathRequest { path }));
    }
    about_path(rng, known, OpCode::GET_EPHEMERALS)
}

fn ping(rng: &mut Rng, _: &Known, _: i64) -> Call {
    let mut call = Call::new(&Request::Ping);
    call.xid = rng.percent(50).then_some(-2);
    call
}

fn who_am_i(_: &mut Rng, _: &Known, _: i64) -> Call {
    Call::new(&Request::WhoAmI)
}

fn watcher(rng: &mut Rng, known: &Known, op: OpCode) -> Call {
    let path = match known.watched() {
        Some(watched) if rng.percent(80) => Some(watched[rng.below(watched.len())].clone()),
        _ => draw::path(rng, known),
    };
    let kind = rng.weighted(&[1, 20, 20, 20, 20, 20, 1]);
    let odd = *rng.pick(&[-1, 7, i32::MAX]);
    let record = WatcherRequest {
        path: ustr(&path),
        watcher_type: if rng.per_mille(10) {
            odd
        } else {
            i32::try_from(kind).expect("a small number")
        },
    };
    Call::record(op, &record).about(path.as_deref())
}

fn check_watches(rng: &mut Rng, known: &Known, _: i64) -> Call {
    watcher(rng, known, OpCode::CHECK_WATCHES)
}

fn remove_watches(rng: &mut Rng, known: &Known, _: i64) -> Call {
    watcher(rng, known, OpCode::REMOVE_WATCHES)
}

fn add_watch(rng: &mut Rng, known: &Known, _: i64) -> Call {
    let path = draw::path(rng, known);
    let record = AddWatchRequest {
        path: ustr(&path),
        mode: match rng.weighted(&[48, 48, 4]) {
            0 => 0,
            1 => 1,
            _ => *rng.pick(&[2, -1, i32::MAX]),
        },
    };
    Call::new(&Request::AddWatch(record)).about(path.as_deref())
}

fn paths(rng: &mut Rng, known: &Known) -> Vec<String> {
    (0..rng.below(5))
        .filter_map(|_| echoed(draw::path(rng, known)))
        .collect()
}

fn list(paths: &[String]) -> Vec<Ustr<'_>> {
    paths.iter().map(|path| path.as_str().into()).collect()
}

fn relative_zxid(rng: &mut Rng, zxid: i64) -> Zxid {
    let back = i64::try_from(rng.below(200)).expect("a small number");
    Zxid(match rng.weighted(&[80, 10, 5, 5]) {
        0 => zxid - back,
        1 => zxid,
        2 => 0,
        _ => *rng.pick(&[i64::MAX, -1, i64::MIN]),
    })
}

fn set_watches(rng: &mut Rng, known: &Known, zxid: i64) -> Call {
    let lists = [paths(rng, known), paths(rng, known), paths(rng, known)];
    let [data, exist, child] = lists.each_ref().map(|paths| Some(list(paths)));
    let record = SetWatches {
        relative_zxid: relative_zxid(rng, zxid),
        data,
        exist: exist.filter(|_| !rng.percent(2)),
        child,
    };
    Call::new(&Request::SetWatches(record))
}

fn set_watches2(rng: &mut Rng, known: &Known, zxid: i64) -> Call {
    let lists = [(); 5].map(|()| paths(rng, known));
    let [data, exist, child, persistent, recursive] =
        lists.each_ref().map(|paths| Some(list(paths)));
    let record = SetWatches2 {
        relative_zxid: relative_zxid(rng, zxid),
        data,
        exist,
        child,
        persistent,
        recursive: recursive.filter(|_| !rng.percent(2)),
    };
    Call::new(&Request::SetWatches2(record))
}

fn rarely(rng: &mut Rng, known: &Known, _: i64) -> Call {
    match rng.below(5) {
        0 | 1 => about_path(rng, known, OpCode::GET_ALL_CHILDREN_NUMBER),
        2 => {
            let call = about_path(rng, known, OpCode::DELETE_CONTAINER);
            call.clone().deleting(call.path.as_deref())
        }
        3 => Call::new(&Request::CreateSession(*rng.pick(&[
            600_000,
            30_000_000,
            i32::MAX,
        ]))),
        _ => reconfig(rng),
    }
}

fn reconfig(rng: &mut Rng) -> Call {
    let servers = [
        None,
        Some(""),
        Some("server.2=127.0.0.1:1:2;3"),
        Some("2"),
        Some("x"),
    ];
    let mut one = || rng.pick(&servers).map(Ustr::from);
    let (joining, leaving, members) = (one(), one(), one());
    Call::new(&Request::Reconfig(ReconfigRequest {
        joining,
        leaving,
        members,
        config_id: *rng.pick(&[-1, 0, 5]),
    }))
}
