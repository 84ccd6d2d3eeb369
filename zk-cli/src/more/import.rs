//! A subtree out of an archive.

use super::transfer::{Existing, Writer};
use super::{archive_file, parse, progress};
use crate::commands::create::create_parents;
use crate::commands::{Context, Outcome, on};
use crate::error::{CliError, kind};
use crate::flags::{Flag, Parsed, flag};

pub(super) const ARGUMENTS: &str = "[-p] [--no-acl] [--skip | --overwrite] [--dry-run] file|- path";
pub(super) const HELP: &str = "\
  -p           create what is missing above the path
  --no-acl     open to all, whatever the archive says
  --skip       leave znodes alone that are there already
  --overwrite  set their data and access control lists
  --dry-run    say what the archive would create
  Without these the path must not exist, but for the root.";
const FLAGS: &[Flag] = &[
    flag("p"),
    flag("skip"),
    flag("overwrite"),
    flag("dry-run"),
    flag("no-acl"),
];

pub(super) async fn import(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(FLAGS, words, 2..=2)?;
    let (file, root) = (&parsed.words[0], context.path(&parsed.words[1]));
    let mut items = archive_file::read(file)?;
    let is_dry = parsed.has("dry-run");
    if !is_dry {
        prepare(context, &parsed, &root).await?;
    }
    let mut writer = Writer::new(context.client, existing(&parsed));
    let progress = progress::bar("import", None);
    let failed = on(&root);
    while let Some(batch) = items.recv().await {
        let batch = batch.map_err(|error| CliError::new(format!("{file}: {error}")))?;
        for item in batch {
            let mut node = archive_file::node(&root, item);
            if parsed.has("no-acl") {
                node.acl.clear();
            }
            if is_dry {
                context.output.line(&node.path);
            } else if node.path != "/" {
                writer.add(node).await.map_err(&failed)?;
            }
        }
        progress.set_position(writer.written());
    }
    let count = writer.finish().await.map_err(&failed)?;
    progress.finish_and_clear();
    if !is_dry {
        context.output.error(&format!("{count} znode(s) imported"));
    }
    Ok(())
}

pub(super) fn existing(parsed: &Parsed) -> Existing {
    match (parsed.has("overwrite"), parsed.has("skip")) {
        (true, _) => Existing::Overwrite,
        (_, true) => Existing::Skip,
        _ => Existing::Refuse,
    }
}

async fn prepare(context: &Context<'_>, parsed: &Parsed, root: &str) -> Outcome {
    if parsed.has("p") {
        let made = create_parents(context.client, root).await;
        made.map_err(on(root))?;
    }
    if existing(parsed) == Existing::Refuse && root != "/" {
        let there = context.client.exists(root, false).await;
        if there.map_err(on(root))?.is_some() {
            return Err(CliError {
                kind: kind::NODE_EXISTS,
                ..CliError::new(format!("Node already exists: {root}"))
            });
        }
    }
    Ok(())
}
