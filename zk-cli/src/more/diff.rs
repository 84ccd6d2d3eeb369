//! Where two subtrees differ, here or between ensembles.

use super::place::Place;
use super::{parse, tell_refused};
use crate::commands::{Context, Outcome, on};
use crate::crawl::{Crawl, Found, Wanted};
use crate::error::{CliError, kind};
use crate::flags::{Flag, flag};
use crate::paths;
use serde_json::json;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

pub(super) const ARGUMENTS: &str = "[-a] left right";
pub(super) const HELP: &str = "\
  -a   compare access control lists too
  Left and right are paths, or host:port/path for another ensemble. A line for
  each difference: < only left, > only right, ! other data or lists. Exits with
  1 if there is one.";
const FLAGS: &[Flag] = &[flag("a")];

pub(super) async fn diff(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(FLAGS, words, 2..=2)?;
    let left = Place::find(context, &parsed.words[0])?;
    let right = Place::find(context, &parsed.words[1])?;
    let wanted = Wanted {
        data: true,
        acl: parsed.has("a"),
    };
    let differences = compare(context, &left, &right, wanted).await;
    left.leave().await;
    right.leave().await;
    let mut differences = differences?;
    differences.sort();
    for (path, mark) in &differences {
        let shown = if path.is_empty() { "/" } else { path };
        match context.json {
            true => {
                let what = match mark {
                    '<' => "left",
                    '>' => "right",
                    _ => "changed",
                };
                context.value(&json!({ "path": shown, "difference": what }));
            }
            false => context.output.line(&format!("{mark} {shown}")),
        }
    }
    match differences.is_empty() {
        true => Ok(()),
        false => Err(CliError::silent(kind::FAILED)),
    }
}

/// Paths below the two roots, with what is wrong with them. Of the left side
/// no more than a hash of each znode is kept.
async fn compare(
    context: &Context<'_>,
    left: &Place,
    right: &Place,
    wanted: Wanted,
) -> Result<Vec<(String, char)>, CliError> {
    let mut hashes: HashMap<String, u64> = HashMap::new();
    let mut crawl = Crawl::new(&left.client, &left.path, wanted).without_system();
    while let Some(found) = crawl.next().await.map_err(on(&left.path))? {
        let found = found.iter();
        let entry = |it: &Found| (paths::below(&left.path, &it.path).to_owned(), hash(it));
        hashes.extend(found.map(entry));
    }
    tell_refused(context, &crawl)?;
    let mut differences = Vec::new();
    let mut crawl = Crawl::new(&right.client, &right.path, wanted).without_system();
    while let Some(found) = crawl.next().await.map_err(on(&right.path))? {
        for found in found {
            let path = paths::below(&right.path, &found.path);
            match hashes.remove(path) {
                None => differences.push((path.to_owned(), '>')),
                Some(other) if other != hash(&found) => differences.push((path.to_owned(), '!')),
                Some(_) => {}
            }
        }
    }
    tell_refused(context, &crawl)?;
    differences.extend(hashes.into_keys().map(|path| (path, '<')));
    Ok(differences)
}

fn hash(found: &Found) -> u64 {
    let mut hasher = DefaultHasher::new();
    found.data.hash(&mut hasher);
    for acl in &found.acl {
        (acl.perms.0, acl.id.scheme(), acl.id.id()).hash(&mut hasher);
    }
    hasher.finish()
}
