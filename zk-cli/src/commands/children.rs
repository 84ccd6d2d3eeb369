//! What lies below a znode: ls, getAllChildrenNumber, getEphemerals.

use super::{Context, Outcome, bracketed, on, parse, parse_with_watch, print_stat};
use crate::error::CliError;
use crate::flags::{Flag, flag};
use crate::walk::Walk;
use crate::{json, usage};
use serde_json::json;

const LS_FLAGS: &[Flag] = &[flag("?"), flag("s"), flag("w"), flag("R")];
const LS_HELP: &str = "\
usage: ls [options] path
 -?   help
 -R   recurse
 -s   stat
 -w   watch";

pub(super) async fn ls(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse_with_watch(context, LS_FLAGS, words, 1)?;
    if parsed.parsed.has("?") {
        context.output.line(LS_HELP);
    }
    let parsed = parsed.tell(context, "ls path [watch]", "ls [-w] path");
    let Some(path) = parsed.words.get(1) else {
        return Err(CliError::usage_of_apache(usage::of("ls")));
    };
    let watch = parsed.has("w");
    if parsed.has("R") {
        return ls_recursive(context, path, watch).await;
    }
    let (mut names, stat) = if parsed.has("s") {
        let answer = context.client.get_children_and_stat(path, watch).await;
        answer.map(|(names, stat)| (names, Some(stat)))
    } else {
        let answer = context.client.get_children(path, watch).await;
        answer.map(|names| (names, None))
    }
    .map_err(on(path))?;
    names.sort_unstable();
    if context.json {
        let stat = stat.as_ref().map(json::stat);
        context.value(&match stat {
            Some(stat) => json!({ "path": path, "children": names, "stat": stat }),
            None => json!({ "path": path, "children": names }),
        });
        return Ok(());
    }
    context.output.line(&bracketed(&names));
    if let Some(stat) = stat {
        print_stat(context, &stat);
    }
    Ok(())
}

async fn ls_recursive(context: &Context<'_>, path: &str, watch: bool) -> Outcome {
    let mut walk = Walk::start(context.client, path, watch)
        .await
        .map_err(on(path))?;
    while let Some(found) = walk.next().await.map_err(on(path))? {
        match context.json {
            true => context.value(&json!({ "path": found })),
            false => context.output.line(&found),
        }
    }
    Ok(())
}

pub(super) async fn count(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, &[], words, 2)?;
    let path = &parsed.words[1];
    let count = context.client.get_all_children_number(path).await;
    let count = count.map_err(on(path))?;
    match context.json {
        true => context.value(&json!({ "path": path, "descendants": count })),
        false => context.output.line(&count.to_string()),
    }
    Ok(())
}

pub(super) async fn ephemerals(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, &[], words, 1)?;
    let path = parsed.words.get(1).map_or("/", String::as_str);
    let paths = context.client.get_ephemerals(path).await;
    let paths = paths.map_err(on(path))?;
    match context.json {
        true => context.value(&json!({ "path": path, "ephemerals": paths })),
        false => context.output.line(&bracketed(&paths)),
    }
    Ok(())
}
