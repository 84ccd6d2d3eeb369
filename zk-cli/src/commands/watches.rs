//! addWatch and removewatches. Their events are the shell's to print.

use super::{Context, Outcome, on, parse};
use crate::error::CliError;
use crate::flags::{Flag, Parsed, flag, value};
use crate::usage;
use zk_client::{AddWatchMode, WatcherType};

const ADD_FLAGS: &[Flag] = &[value("m")];
const REMOVE_FLAGS: &[Flag] = &[
    flag("c"),
    flag("d"),
    flag("p"),
    flag("r"),
    flag("a"),
    flag("l"),
];

pub(super) async fn add(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, ADD_FLAGS, words, 2)?;
    let mode = match parsed.value("m").map(str::to_uppercase).as_deref() {
        None | Some("PERSISTENT_RECURSIVE") => Some(AddWatchMode::PersistentRecursive),
        Some("PERSISTENT") => Some(AddWatchMode::Persistent),
        Some(_) => None,
    };
    let (Some(mode), [_, path]) = (mode, parsed.words.as_slice()) else {
        return Err(CliError::new(usage::of("addWatch")));
    };
    let answer = context.client.add_watch(path, mode).await;
    answer.map_err(on(path))
}

pub(super) async fn remove(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, REMOVE_FLAGS, words, 2)?;
    let (path, local) = (&parsed.words[1], parsed.has("l"));
    let kind = watcher_type(&parsed);
    let answer = context.client.remove_watches(path, kind, local).await;
    answer.map_err(on(path))
}

/// The first of these flags counts; none means any watch.
fn watcher_type(parsed: &Parsed) -> WatcherType {
    [
        ("c", WatcherType::Children),
        ("d", WatcherType::Data),
        ("p", WatcherType::Persistent),
        ("r", WatcherType::PersistentRecursive),
    ]
    .into_iter()
    .find(|(name, _)| parsed.has(name))
    .map_or(WatcherType::Any, |(_, kind)| kind)
}
