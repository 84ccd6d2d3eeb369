//! A znode itself: get, set, stat.

use super::{Context, Outcome, hexdump, on, parse, parse_with_watch, print_stat, version_flag};
use crate::error::CliError;
use crate::flags::{Flag, flag, value};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::borrow::Cow;

const GET_FLAGS: &[Flag] = &[flag("s"), flag("w"), flag("b"), flag("x")];
const SET_FLAGS: &[Flag] = &[flag("s"), value("v"), flag("b")];
const STAT_FLAGS: &[Flag] = &[flag("w")];

pub(super) async fn get(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse_with_watch(GET_FLAGS, words, 2)?;
    let parsed = parsed.tell(context, "get path [watch]", "get [-s] [-w] path");
    let path = &parsed.words[1];
    let answer = context.client.get_data(path, parsed.has("w")).await;
    let (data, stat) = answer.map_err(on(path))?;
    let data = data.as_deref().unwrap_or(b"null");
    let text = match (parsed.has("x"), parsed.has("b")) {
        (true, _) => Cow::Owned(hexdump::table(data)),
        (_, true) => Cow::Owned(BASE64_STANDARD.encode(data)),
        _ => String::from_utf8_lossy(data),
    };
    context.output.line(&text);
    if parsed.has("s") {
        print_stat(context, &stat);
    }
    Ok(())
}

pub(super) async fn set(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(SET_FLAGS, words, 3)?;
    let (path, text) = (&parsed.words[1], &parsed.words[2]);
    let data = match parsed.has("b") {
        true => BASE64_STANDARD
            .decode(text)
            .map_err(|error| CliError::new(format!("{text:?} is no base64: {error}")))?,
        false => text.clone().into_bytes(),
    };
    let version = version_flag(&parsed)?;
    let answer = context.client.set_data(path, Some(&data), version).await;
    let stat = answer.map_err(on(path))?;
    if parsed.has("s") {
        print_stat(context, &stat);
    }
    Ok(())
}

pub(super) async fn stat(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse_with_watch(STAT_FLAGS, words, 2)?;
    let parsed = parsed.tell(context, "stat path [watch]", "stat [-w] path");
    let path = &parsed.words[1];
    let answer = context.client.exists(path, parsed.has("w")).await;
    match answer.map_err(on(path))? {
        Some(stat) => {
            print_stat(context, &stat);
            Ok(())
        }
        None => Err(CliError::new(format!("Node does not exist: {path}"))),
    }
}
