//! A subtree into an archive.

use super::archive_file::{Target, archived};
use super::{parse, progress, tell_refused};
use crate::commands::{Context, Outcome, on};
use crate::crawl::{Crawl, Wanted};
use crate::flags::Flag;

pub(super) const ARGUMENTS: &str = "path file|-";
pub(super) const HELP: &str = "\
  Writes data and access control lists of the znode and all below it to a file
  (MessagePack), - for standard output. Ephemeral znodes, and /zookeeper, stay
  out. A client cannot see which znodes are containers or have a time to live:
  `snapshot export` can.";
const FLAGS: &[Flag] = &[];

pub(super) async fn export(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(FLAGS, words, 2..=2)?;
    let (root, file) = (context.path(&parsed.words[0]), &parsed.words[1]);
    let exists = context.client.exists(&root, false).await;
    if exists.map_err(on(&root))?.is_none() {
        return Err(crate::error::CliError::no_node(&root));
    }
    let wanted = Wanted {
        data: true,
        acl: true,
    };
    let mut crawl = Crawl::new(context.client, &root, wanted).without_system();
    let mut target = Target::create(file)?;
    let progress = progress::bar("export", None);
    let mut ephemerals = 0u64;
    while let Some(found) = crawl.next().await.map_err(on(&root))? {
        progress.inc(found.len() as u64);
        for found in found {
            if found.stat.ephemeral_owner != 0 && found.path != root {
                ephemerals += 1;
                continue;
            }
            target.push(&archived(&root, found))?;
        }
    }
    let count = target.finish()?;
    progress.finish_and_clear();
    let left_out = match ephemerals {
        0 => String::new(),
        ephemerals => format!(", {ephemerals} ephemeral znode(s) left out"),
    };
    context
        .output
        .error(&format!("{count} znode(s) exported{left_out}"));
    tell_refused(context, &crawl)
}
