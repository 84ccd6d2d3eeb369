//! The words `wchs`, `wchc` and `wchp` (`WatchCommand`,
//! `WatchManager.dumpWatches`).

use std::fmt::Write as _;
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

/// One watch, or a session that had some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Watch<'a> {
    pub(super) session: SessionId,
    /// `None` for a session whose watches all fired.
    pub(super) path: Option<&'a str>,
}

/// The whole answer to `wchc`: the paths of each session. The watches of a
/// session stand together.
pub(super) fn wchc(watches: &[Watch<'_>]) -> String {
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

/// The whole answer to `wchp`: the sessions of each path. The watches of a
/// path stand together.
pub(super) fn wchp(watches: &[Watch<'_>]) -> String {
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
