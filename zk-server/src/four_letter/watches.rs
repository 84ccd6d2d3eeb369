//! The words `wchs`, `wchc` and `wchp` (`WatchCommand`,
//! `WatchManager.dumpWatches`).

use std::fmt::Write as _;
use std::ops::Range;
use zk_proto::SessionId;
use zk_tree::WatchSummary;

/// The whole answer to `wchs`.
pub(super) fn wchs(summary: WatchSummary) -> String {
    let WatchSummary {
        connections,
        paths,
        watches,
    } = summary;
    format!("{connections} connections watching {paths} paths\nTotal watches:{watches}\n")
}

/// Copies of all watches. Paths lie one behind the other in one text: a
/// million watches are to be copied fast, and freed fast.
#[derive(Debug, Default)]
pub(super) struct WatchTable {
    paths: String,
    watches: Vec<(SessionId, Option<Range<usize>>)>,
}

impl WatchTable {
    /// A session that has watches, or had some.
    pub(super) fn list(&mut self, session: SessionId) {
        self.watches.push((session, None));
    }

    pub(super) fn add(&mut self, session: SessionId, path: &str) {
        let start = self.paths.len();
        self.paths.push_str(path);
        self.watches.push((session, Some(start..self.paths.len())));
    }

    /// The whole answer to `wchc`, sorted.
    pub(super) fn wchc(&self) -> String {
        let mut watches = self.watches();
        watches.sort_unstable();
        wchc(&watches)
    }

    /// The whole answer to `wchp`, sorted.
    pub(super) fn wchp(&self) -> String {
        let mut watches = self.watches();
        watches.sort_unstable_by_key(|watch| (watch.path, watch.session));
        wchp(&watches)
    }

    fn watches(&self) -> Vec<Watch<'_>> {
        let watch = |(session, path): &(SessionId, Option<Range<usize>>)| Watch {
            session: *session,
            path: path.clone().map(|range| &self.paths[range]),
        };
        self.watches.iter().map(watch).collect()
    }
}

/// One watch, or a session that had some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Watch<'a> {
    session: SessionId,
    /// `None` for a session whose watches all fired.
    path: Option<&'a str>,
}

/// The paths of each session. The watches of a
/// session stand together.
fn wchc(watches: &[Watch<'_>]) -> String {
    let mut text = String::new();
    for of_session in watches.chunk_by(|one, next| one.session == next.session) {
        put(&mut text, format_args!("0x{:x}", of_session[0].session.0));
        for path in of_session.iter().filter_map(|watch| watch.path) {
            put(&mut text, format_args!("\t{path}"));
        }
    }
    text.push('\n');
    text
}

/// The sessions of each path. The watches of a
/// path stand together.
fn wchp(watches: &[Watch<'_>]) -> String {
    let mut text = String::new();
    for of_path in watches.chunk_by(|one, next| one.path == next.path) {
        let Some(path) = of_path[0].path else {
            continue;
        };
        put(&mut text, format_args!("{path}"));
        for watch in of_path {
            put(&mut text, format_args!("\t0x{:x}", watch.session.0));
        }
    }
    text.push('\n');
    text
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! apache {
        ($word:literal) => {
            include_str!(concat!(
                "../../tests/fixtures/four-letter-words/",
                $word,
                ".txt"
            ))
        };
    }

    fn watch(session: i64, path: Option<&str>) -> Watch<'_> {
        let session = SessionId(session);
        Watch { session, path }
    }

    #[test]
    fn as_apache_prints_them() {
        let summary = WatchSummary {
            connections: 1,
            paths: 3,
            watches: 3,
        };
        assert_eq!(wchs(summary), apache!("wchs"));
        let session = 0x0100_003e_12ce_0000;
        let watches = ["/p", "/a", "/r"].map(|path| watch(session, Some(path)));
        assert_eq!(wchc(&watches), apache!("wchc"));
        assert_eq!(wchp(&watches), apache!("wchp"));
    }

    #[test]
    fn watches_of_several_sessions_are_sorted() {
        let mut table = WatchTable::default();
        for (session, path) in [(2, "/b"), (1, "/b"), (-1, "/a"), (1, "/a")] {
            table.add(SessionId(session), path);
        }
        for session in [3, 1, 2, -1] {
            table.list(SessionId(session));
        }
        let last = "0xffffffffffffffff";
        let by_session = format!("{last}\n\t/a\n0x1\n\t/a\n\t/b\n0x2\n\t/b\n0x3\n\n");
        assert_eq!(table.wchc(), by_session);
        let by_path = format!("/a\n\t{last}\n\t0x1\n/b\n\t0x1\n\t0x2\n\n");
        assert_eq!(table.wchp(), by_path);
        let none = WatchTable::default();
        assert_eq!((none.wchc(), none.wchp()), ("\n".into(), "\n".into()));
    }
}
