//! What requests are made of, drawn at random: paths, data, versions, ACLs.

use super::known::Known;
use crate::support::rng::Rng;
use zk_proto::{Acl, Perms};

/// Few names, so that requests meet.
const NAMES: [&str; 12] = [
    "a",
    "b",
    "c",
    "d",
    "e",
    "long-name-of-a-node",
    "x y",
    "é",
    "日本",
    "q-",
    "0",
    "\u{f900}",
];

/// Paths that some operation or other refuses, each for its own reason.
const BAD_PATHS: [&str; 26] = [
    "",
    "a",
    "a/b",
    "//",
    "/a/",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "/.",
    "/..",
    "/a/..",
    "/a/b/.",
    "/a\0b",
    "\0",
    "/\u{1}",
    "/a/\u{1f}",
    "/\u{7f}",
    "/\u{9f}",
    "/\u{d7ff}/\u{e000}",
    "/\u{f8ff}",
    "/\u{fff0}",
    "/\u{ffff}",
    "/\u{10000}",
    "/😀/x",
    "/a/\u{fffd}",
    "/ok\u{ffef}",
];

/// Znodes that are there from the start.
const SYSTEM: [&str; 6] = [
    "/",
    "/zookeeper",
    "/zookeeper/quota",
    "/zookeeper/config",
    "/zookeeper/quota/a",
    "/zookeeper/none",
];

/// A path, or null.
pub(crate) fn path(rng: &mut Rng, known: &Known) -> Option<String> {
    Some(match rng.weighted(&[55, 25, 12, 5, 4, 1]) {
        0 => existing(rng, known),
        1 => child(rng, known),
        2 => fresh(rng),
        3 => (*rng.pick(&BAD_PATHS)).to_owned(),
        4 => (*rng.pick(&SYSTEM)).to_owned(),
        _ => return None,
    })
}

/// A path for a new znode, most of the time.
pub(crate) fn new_path(rng: &mut Rng, known: &Known) -> Option<String> {
    Some(match rng.weighted(&[15, 55, 22, 5, 2, 1]) {
        0 => existing(rng, known),
        1 => child(rng, known),
        2 => fresh(rng),
        3 => (*rng.pick(&BAD_PATHS)).to_owned(),
        4 => (*rng.pick(&SYSTEM)).to_owned(),
        _ => return None,
    })
}

/// A path that is there, as far as is known.
pub(crate) fn existing(rng: &mut Rng, known: &Known) -> String {
    match known.paths() {
        [] => fresh(rng),
        paths => rng.pick(paths).clone(),
    }
}

fn child(rng: &mut Rng, known: &Known) -> String {
    const DEPTH_MAX: usize = 6;
    let parent = existing(rng, known);
    if parent.matches('/').count() >= DEPTH_MAX {
        return parent;
    }
    format!("{parent}/{}", rng.pick(&NAMES))
}

fn fresh(rng: &mut Rng) -> String {
    let mut path = String::new();
    for _ in 0..rng.weighted(&[0, 70, 25, 5]) {
        path = format!("{path}/{}", rng.pick(&NAMES));
    }
    path
}

pub(crate) fn data(rng: &mut Rng) -> Option<Vec<u8>> {
    match rng.weighted(&[5, 10, 70, 13, 2]) {
        0 => None,
        1 => Some(Vec::new()),
        2 => Some(some_bytes(rng, 40)),
        3 => Some(some_bytes(rng, 1000)),
        _ => Some(some_bytes(rng, 20_000)),
    }
}

fn some_bytes(rng: &mut Rng, max: usize) -> Vec<u8> {
    let count = rng.between(1, max);
    rng.bytes(count)
}

pub(crate) fn version(rng: &mut Rng) -> i32 {
    match rng.weighted(&[60, 25, 12, 3]) {
        0 => -1,
        1 => 0,
        2 => *rng.pick(&[1, 2, 3]),
        _ => *rng.pick(&[-2, i32::MAX, i32::MIN, 100]),
    }
}

pub(crate) fn perms(rng: &mut Rng) -> Perms {
    Perms(match rng.weighted(&[60, 30, 5]) {
        0 => 31,
        1 => *rng.pick(&[1, 2, 3, 4, 8, 12, 16, 17, 19, 23, 27, 30]),
        _ => *rng.pick(&[0, 32, 255, -1, i32::MIN]),
    })
}

/// The list of most new znodes is open, or else nobody could do anything.
pub(crate) fn acl(rng: &mut Rng) -> Option<Vec<Acl<'static>>> {
    match rng.weighted(&[72, 22, 3, 1, 2]) {
        0 => Some(vec![Acl::open()]),
        1 => Some((0..rng.between(1, 3)).map(|_| good_entry(rng)).collect()),
        2 => Some((0..rng.between(1, 3)).map(|_| any_entry(rng)).collect()),
        3 => None,
        _ => Some(Vec::new()),
    }
}

fn good_entry(rng: &mut Rng) -> Acl<'static> {
    const IDS: [(&str, &str); 11] = [
        ("world", "anyone"),
        ("world", "anyone"),
        ("auth", ""),
        ("auth", "ignored"),
        ("digest", "user1:+owfoSBn/am19roBPzR1/MfCblE="),
        ("digest", "user2:rovuXGvrClyj7CjimkVoz6mqPRc="),
        ("digest", "nobody:x"),
        ("ip", "127.0.0.1"),
        ("ip", "127.0.0.0/8"),
        ("ip", "10.1.2.3/32"),
        ("ip", "::1"),
    ];
    let (scheme, id) = *rng.pick(&IDS);
    Acl::new(perms(rng), scheme, id)
}

fn any_entry(rng: &mut Rng) -> Acl<'static> {
    const IDS: [(&str, &str); 33] = [
        ("world", "someone"),
        ("world", ""),
        ("digest", "nocolon"),
        ("digest", ""),
        ("digest", ":"),
        ("digest", "a:"),
        ("digest", ":b"),
        ("digest", "a:b:c"),
        ("ip", ""),
        ("ip", "localhost"),
        ("ip", "1.2.3"),
        ("ip", "1.2.3.4.5"),
        ("ip", "256.1.1.1"),
        ("ip", "1.2.3.4/0"),
        ("ip", "1.2.3.4/33"),
        ("ip", "1.2.3.4/-1"),
        ("ip", "1.2.3.4/"),
        ("ip", "1.2.3.4/x"),
        ("ip", "1.2.3.4/8/8"),
        ("ip", "1.2.3.4/08"),
        ("ip", "1.2.3.+4"),
        ("ip", "0001.2.3.4"),
        ("ip", "::/0"),
        ("ip", "::1/128"),
        ("ip", "::1/129"),
        ("ip", "1::2::3"),
        ("ip", "fe80::1%eth0"),
        ("ip", "::ffff:127.0.0.1"),
        ("super", ""),
        ("sasl", "somebody"),
        ("x509", "CN=somebody"),
        ("host", "example"),
        ("", ""),
    ];
    let (scheme, id) = *rng.pick(&IDS);
    let mut entry = Acl::new(perms(rng), scheme, id);
    match rng.weighted(&[90, 4, 4, 2]) {
        0 => {}
        1 => entry.id.scheme = None,
        2 => entry.id.id = None,
        _ => (entry.id.scheme, entry.id.id) = (None, None),
    }
    entry
}
