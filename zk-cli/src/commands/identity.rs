//! Who one is, and the end of the session: addauth, whoami, close.

use super::{Context, Outcome, on, parse};
use serde_json::json;

pub(super) async fn add_auth(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, &[], words, 2)?;
    let auth = parsed.words.get(2).map(|auth| auth.as_bytes());
    // A refusal is told by an event, and by every command after it.
    let _ = context.client.add_auth(&parsed.words[1], auth).await;
    Ok(())
}

pub(super) async fn who_am_i(context: &Context<'_>) -> Outcome {
    let ids = context.client.who_am_i().await.map_err(on(""))?;
    if context.json {
        let ids = ids.iter();
        let ids = ids.map(|id| json!({ "scheme": id.scheme(), "id": id.id() }));
        context.value(&ids.collect());
        return Ok(());
    }
    context.output.line("Auth scheme: User");
    for id in ids {
        let line = format!("{}: {}", id.scheme(), id.id());
        context.output.line(&line);
    }
    Ok(())
}

pub(super) async fn close(context: &Context<'_>) -> Outcome {
    context.client.close().await.map_err(on(""))
}
