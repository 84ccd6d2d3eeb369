//! getAcl and setAcl.

use super::{Context, Outcome, on, parse, print_stat, version_flag};
use crate::acl_text;
use crate::error::keeper_text;
use crate::flags::{Flag, flag, value};
use crate::json;
use crate::walk::Walk;
use serde_json::json;
use zk_client::{Acl, Error};

const GET_FLAGS: &[Flag] = &[flag("s")];
const SET_FLAGS: &[Flag] = &[flag("s"), value("v"), flag("R")];

pub(super) async fn get(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, GET_FLAGS, words, 2)?;
    let path = &parsed.words[1];
    let (acl, stat) = context.client.get_acl(path).await.map_err(on(path))?;
    if context.json {
        let (acl, stat) = (json::acl(&acl), json::stat(&stat));
        context.value(&json!({ "path": path, "acl": acl, "stat": stat }));
        return Ok(());
    }
    for entry in &acl {
        context.output.line(&acl_text::entry(entry));
    }
    if parsed.has("s") {
        print_stat(context, &stat);
    }
    Ok(())
}

pub(super) async fn set(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, SET_FLAGS, words, 3)?;
    let (path, text) = (&parsed.words[1], &parsed.words[2]);
    let acl = acl_text::parse(text, context.output);
    let version = version_flag(&parsed)?;
    if parsed.has("R") {
        return set_recursive(context, path, &acl, version).await;
    }
    let answer = context.client.set_acl(path, &acl, version).await;
    let stat = answer.map_err(on(path))?;
    if parsed.has("s") {
        print_stat(context, &stat);
    }
    Ok(())
}

/// A znode that refuses is named on standard output, without an end of line,
/// and does not stop the rest: so does Apache's shell.
async fn set_recursive(
    context: &Context<'_>,
    root: &str,
    acl: &[Acl<'_>],
    version: i32,
) -> Outcome {
    let mut walk = Walk::start(context.client, root, false)
        .await
        .map_err(on(root))?;
    while let Some(path) = walk.next().await.map_err(on(root))? {
        if let Err(error) = context.client.set_acl(&path, acl, version).await {
            let path = if error == Error::EmptyAcl { "" } else { &path };
            context.output.text(&keeper_text(&error, path));
        }
    }
    Ok(())
}
