//! Znodes copied, here or between ensembles.

use super::import::existing;
use super::place::Place;
use super::transfer::{Existing, Kind, Node, Writer};
use super::{parse, progress, tell_refused};
use crate::commands::create::create_parents;
use crate::commands::{Context, Outcome, on};
use crate::crawl::{Crawl, Wanted};
use crate::error::{CliError, kind};
use crate::flags::{Flag, Parsed, flag};
use crate::paths;

pub(super) const ARGUMENTS: &str = "[-r] [-p] [-a] [--skip | --overwrite] source target";
pub(super) const HELP: &str = "\
  -r           with all that lies below
  -p           create what is missing above the target
  -a           with access control lists; else the copies are open
  --skip       leave znodes alone that are there already
  --overwrite  set their data
  Source and target are paths, or host:port/path for another ensemble.
  Ephemeral znodes stay out.";
const FLAGS: &[Flag] = &[
    flag("r"),
    flag("p"),
    flag("a"),
    flag("skip"),
    flag("overwrite"),
];

pub(super) async fn cp(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(FLAGS, words, 2..=2)?;
    let source = Place::find(context, &parsed.words[0])?;
    let target = Place::find(context, &parsed.words[1])?;
    let copied = copy(context, &parsed, &source, &target).await;
    source.leave().await;
    target.leave().await;
    copied
}

async fn copy(context: &Context<'_>, parsed: &Parsed, source: &Place, target: &Place) -> Outcome {
    refuse_loops(parsed, &source.path, &target.path)?;
    let wanted = Wanted {
        data: true,
        acl: parsed.has("a"),
    };
    let levels = if parsed.has("r") { usize::MAX } else { 0 };
    let crawl = Crawl::new(&source.client, &source.path, wanted);
    let mut crawl = crawl.without_system().no_deeper(levels);
    // The source is looked at before the target is touched.
    let mut batch = crawl.next().await.map_err(on(&source.path))?;
    let failed = on(&target.path);
    if parsed.has("p") {
        create_parents(&target.client, &target.path)
            .await
            .map_err(&failed)?;
    }
    if existing(parsed) == Existing::Refuse && target.path != "/" {
        let there = target.client.exists(&target.path, false).await;
        if there.map_err(&failed)?.is_some() {
            return Err(CliError {
                kind: kind::NODE_EXISTS,
                ..CliError::new(format!("Node already exists: {}", target.path))
            });
        }
    }
    let mut writer = Writer::new(&target.client, existing(parsed));
    let progress = progress::bar("cp", None);
    while let Some(found) = batch {
        for found in found {
            let path = paths::join(&target.path, paths::below(&source.path, &found.path));
            let is_root = found.path == source.path;
            if path == "/" || found.stat.ephemeral_owner != 0 && !is_root {
                continue;
            }
            let node = Node {
                path,
                data: found.data,
                acl: found.acl,
                kind: Kind::Persistent,
            };
            writer.add(node).await.map_err(&failed)?;
        }
        progress.set_position(writer.written());
        batch = crawl.next().await.map_err(on(&source.path))?;
    }
    let count = writer.finish().await.map_err(&failed)?;
    progress.finish_and_clear();
    context.output.error(&format!("{count} znode(s) copied"));
    tell_refused(context, &crawl)
}

/// A subtree copied into itself would never end.
fn refuse_loops(parsed: &Parsed, source: &str, target: &str) -> Outcome {
    let is_here = parsed.words.iter().all(|word| !word.contains(':'));
    let inside = target.strip_prefix(source.trim_end_matches('/'));
    match is_here && parsed.has("r") && inside.is_some_and(|rest| rest.starts_with('/')) {
        true => Err(CliError::usage(format!("{target} lies within {source}"))),
        false => Ok(()),
    }
}
