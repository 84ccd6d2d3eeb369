//! delete and deleteall.

use super::{Context, Outcome, on, parse, version_flag};
use crate::error::CliError;
use crate::flags::{Flag, flag, value};
use crate::walk;
use zk_client::{Client, Error, ErrorCode, Op};

const DELETE_FLAGS: &[Flag] = &[value("v"), flag("dry-run")];
const DELETE_ALL_FLAGS: &[Flag] = &[value("b"), flag("dry-run")];
const DEFAULT_BATCH: usize = 1000;

pub(super) async fn delete(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, DELETE_FLAGS, words, 2)?;
    if parsed.words.len() > 2 {
        context.output.error(
            "'delete path [version]' has been deprecated. Please use 'delete [-v version] path' \
             instead.",
        );
    }
    let (path, version) = (&parsed.words[1], version_flag(&parsed)?);
    if parsed.has("dry-run") {
        return would_delete(context, path, version).await;
    }
    let answer = context.client.delete(path, version).await;
    answer.map_err(on(path))
}

/// Says what would go, or why it would not.
async fn would_delete(context: &Context<'_>, path: &str, version: i32) -> Outcome {
    let refuse = |code| {
        let path = path.to_owned();
        Err(on(&path)(Error::Server {
            code,
            path: path.clone(),
        }))
    };
    match context.client.exists(path, false).await.map_err(on(path))? {
        None => refuse(ErrorCode::NO_NODE),
        Some(stat) if stat.num_children > 0 => refuse(ErrorCode::NOT_EMPTY),
        Some(stat) if version != -1 && stat.version != version => refuse(ErrorCode::BAD_VERSION),
        Some(_) => {
            context.output.line(path);
            Ok(())
        }
    }
}

pub(super) async fn delete_all(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, DELETE_ALL_FLAGS, words, 2)?;
    let batch = match parsed.value("b").map(str::parse::<i32>) {
        None => DEFAULT_BATCH,
        // 0 and less mean one by one.
        Some(Ok(batch)) => usize::try_from(batch).unwrap_or(0),
        Some(Err(_)) => return Err(CliError::new("-b argument must be an int value")),
    };
    let path = &parsed.words[1];
    let tree = walk::list(context.client, path).await.map_err(on(path))?;
    if parsed.has("dry-run") {
        let paths = tree.iter().rev();
        paths.for_each(|path| context.output.line(path));
        return Ok(());
    }
    if batch == 0 {
        return delete_one_by_one(context.client, &tree).await;
    }
    if delete_in_batches(context.client, &tree, batch)
        .await
        .is_err()
    {
        context
            .output
            .error("Failed to delete some node(s) in the subtree!");
    }
    Ok(())
}

/// Leaves first.
async fn delete_one_by_one(client: &Client, tree: &[String]) -> Outcome {
    for path in tree.iter().rev() {
        client.delete(path, -1).await.map_err(on(path))?;
    }
    Ok(())
}

async fn delete_in_batches(client: &Client, tree: &[String], batch: usize) -> Result<(), Error> {
    let deletes: Vec<Op<'_>> = tree.iter().rev().map(|path| Op::Delete(path, -1)).collect();
    for ops in deletes.chunks(batch) {
        client.multi(ops).await?;
    }
    Ok(())
}
