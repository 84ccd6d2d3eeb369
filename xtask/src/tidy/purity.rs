//! The pure crates hold no clock, thread, socket, file or randomness.
//!
//! They are state machines that a simulator drives from one seed; whatever reads the world
//! outside makes a run that cannot be repeated. The rule covers `src/` up to a file's unit tests
//! and leaves out `testing` modules, which only tests use.

use super::Finding;
use super::paths::{self, NamedPath};
use super::sources::Source;

/// Directories whose code is pure.
const PURE: [&str; 5] = [
    "zk-proto/src/",
    "zk-tree/src/",
    "zk-election/src/",
    "zk-zab/src/",
    "zk-server/src/peer/",
];

/// Crates that bring a runtime or randomness with them.
const CRATES: [&str; 6] = [
    "tokio",
    "tokio_util",
    "rand",
    "getrandom",
    "fastrand",
    "mio",
];

/// The one place in pure code that may name tokio: the optional adapter for its codecs.
const CODEC: &str = "zk-proto/src/codec.rs";

pub(super) fn check(source: &Source) -> Vec<Finding> {
    if !is_pure(&source.path) {
        return Vec::new();
    }
    let named = paths::named(without_tests(&source.code));
    let findings = named.iter().filter_map(|path| judge(source, path));
    findings.collect()
}

fn is_pure(path: &str) -> bool {
    let tests =
        path.ends_with("/tests.rs") || path.contains("/tests/") || path.contains("/testing/");
    !tests && PURE.iter().any(|pure| path.starts_with(pure))
}

/// The code above the unit tests, which by house rule come last.
fn without_tests(code: &str) -> &str {
    let tests = code.match_indices("#[cfg(test)]").find(|(at, marker)| {
        let next = code[at + marker.len()..].trim_start();
        next.starts_with("mod ") && !next.lines().next().unwrap_or_default().ends_with(';')
    });
    tests.map_or(code, |(at, _)| &code[..at])
}

fn judge(source: &Source, path: &NamedPath) -> Option<Finding> {
    let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
    let what = impurity(&segments)?;
    if source.path == CODEC && segments[0].starts_with("tokio") {
        return None;
    }
    let message = format!(
        "`{}` in a pure crate: {what} belong to the drivers at the edge",
        segments.join("::")
    );
    Some(Finding::new(&source.path, path.line, message))
}

/// What the path reaches for, if pure code may not have it.
fn impurity(segments: &[&str]) -> Option<&'static str> {
    match segments {
        ["std", "fs", ..] => Some("files"),
        ["std", "thread", ..] => Some("threads"),
        ["std", "net", rest @ ..] if !is_address(rest) => Some("sockets"),
        [.., "Instant" | "SystemTime", "now"] => Some("clocks"),
        [first, ..] if CRATES.contains(first) => Some("runtimes and randomness"),
        _ => None,
    }
}

/// Addresses are data; only sockets and name lookups reach outside.
fn is_address(rest: &[&str]) -> bool {
    rest.first().is_some_and(|name| {
        name.starts_with("Ip") || name.starts_with("SocketAddr") || *name == "AddrParseError"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn lines(path: &str, text: &str) -> Vec<usize> {
        let source = Source::new(path.to_owned(), text.to_owned());
        check(&source)
            .into_iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn the_world_outside_is_found() {
        let text = "use std::{fs, io};\nuse std::net::{IpAddr, TcpStream};\n\
                    fn f() { Instant::now(); }\nuse tokio::spawn;\nuse std::thread;\n";
        assert_eq!(lines("zk-tree/src/a.rs", text), [1, 2, 3, 4, 5]);
        assert_eq!(lines("zk-server/src/peer/a.rs", text), [1, 2, 3, 4, 5]);
        assert!(lines("zk-server/src/driver/a.rs", text).is_empty());
    }

    #[test]
    fn data_and_words_are_not() {
        let text = "use std::net::{IpAddr, SocketAddr};\nuse std::time::Instant;\n\
                    // std::fs\nfn f() { g(\"std::fs::read\"); }\n";
        assert!(lines("zk-zab/src/a.rs", text).is_empty());
    }

    #[test]
    fn unit_tests_and_the_codec_may() {
        let text = "fn f() {}\n#[cfg(test)]\nmod tests {\n use std::fs;\n}\n";
        assert!(lines("zk-proto/src/a.rs", text).is_empty());
        assert!(lines("zk-proto/src/codec.rs", "use tokio_util::codec::Decoder;").is_empty());
        assert_eq!(
            lines("zk-proto/src/a.rs", "use tokio_util::codec::Decoder;"),
            [1]
        );
        let early = "#[cfg(test)]\nmod tests;\nuse std::fs;\n";
        assert_eq!(lines("zk-proto/src/a.rs", early), [3]);
    }
}
