//! The changes of a znode or a subtree, as they come.

use super::{number, parse, path};
use crate::commands::{Context, Outcome, on};
use crate::error::{CliError, kind};
use crate::flags::{Flag, flag, value};
use crate::json;
use serde_json::json;
use zk_client::{AddWatchMode, ErrorCode, Event, EventType, KeeperState};

pub(super) const ARGUMENTS: &str = "[-1] [-d] [--count n] [path]";
pub(super) const HELP: &str = "\
  -1         the znode and its children only, not all that lies below
  -d         with the data after each change
  --count n  end after so many changes
  A lost connection is told, and changes that happened meanwhile are not seen:
  after `connected` the state of things is to be read anew.";
const FLAGS: &[Flag] = &[flag("1"), flag("d"), value("count")];

pub(super) async fn watch(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(FLAGS, words, 0..=1)?;
    let root = path(context, &parsed, 0);
    let mut left = number(&parsed, "count", u64::MAX)?;
    let mode = match parsed.has("1") {
        true => AddWatchMode::Persistent,
        false => AddWatchMode::PersistentRecursive,
    };
    let stream = context.client.watch(&root, mode).await;
    let mut stream = stream.map_err(on(&root))?;
    while left > 0 {
        context.output.flush();
        let Some(event) = stream.next().await else {
            break;
        };
        match event.kind {
            EventType::None => tell_state(context, &event)?,
            _ => {
                show(context, &event, parsed.has("d")).await?;
                left -= 1;
            }
        }
    }
    Ok(())
}

async fn show(context: &Context<'_>, event: &Event, with_data: bool) -> Outcome {
    let path = event.path.as_deref().unwrap_or_default();
    let is_there = event.kind == EventType::NodeCreated || event.kind == EventType::NodeDataChanged;
    let data = match with_data && is_there {
        true => match context.client.get_data(path, false).await {
            Ok((data, _)) => Some(data),
            Err(error) if error.code() == Some(ErrorCode::NO_NODE) => None,
            Err(error) => return Err(on(path)(error)),
        },
        false => None,
    };
    if context.json {
        let mut value = match &data {
            Some(data) => json::data(data.as_deref()),
            None => json!({}),
        };
        value["type"] = format!("{:?}", event.kind).into();
        value["path"] = path.into();
        value["zxid"] = format!("0x{:x}", event.zxid.0).into();
        context.value(&value);
        return Ok(());
    }
    let text = data.map(|data| {
        let data = data.unwrap_or_default();
        format!(" {}", String::from_utf8_lossy(&data))
    });
    context.output.line(&format!(
        "0x{:x} {:?} {path}{}",
        event.zxid.0,
        event.kind,
        text.unwrap_or_default()
    ));
    Ok(())
}

/// The connection is the reader's business too: it may have missed something.
fn tell_state(context: &Context<'_>, event: &Event) -> Outcome {
    match event.state {
        KeeperState::SyncConnected => context.output.error("connected"),
        KeeperState::Disconnected => context.output.error("disconnected"),
        other => context.output.error(&format!("{other:?}")),
    }
    match event.is_end() {
        true => Err(CliError {
            kind: kind::NO_CONNECTION,
            ..CliError::new("the session is over")
        }),
        false => Ok(()),
    }
}
