//! A znode itself: get, set, stat.

use super::{Context, Outcome, hexdump, on, parse, parse_with_watch, print_stat, version_flag};
use crate::error::CliError;
use crate::flags::{Flag, flag, value};
use crate::{input, json, usage};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use std::borrow::Cow;
use zk_client::{CreateOptions, ErrorCode};

const GET_FLAGS: &[Flag] = &[flag("s"), flag("w"), flag("b"), flag("x"), flag("raw")];
const SET_FLAGS: &[Flag] = &[flag("s"), value("v"), flag("b"), value("f"), flag("create")];
const STAT_FLAGS: &[Flag] = &[flag("w")];

pub(super) async fn get(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse_with_watch(context, GET_FLAGS, words, 2)?;
    let parsed = parsed.tell(context, "get path [watch]", "get [-s] [-w] path");
    let path = &parsed.words[1];
    let answer = context.client.get_data(path, parsed.has("w")).await;
    let (data, stat) = answer.map_err(on(path))?;
    if parsed.has("raw") {
        context.output.bytes(data.as_deref().unwrap_or_default());
        return Ok(());
    }
    if context.json {
        let mut value = json::data(data.as_deref());
        value["path"] = path.as_str().into();
        value["stat"] = json::stat(&stat);
        context.value(&value);
        return Ok(());
    }
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
    let parsed = parse(context, SET_FLAGS, words, 2)?;
    let path = &parsed.words[1];
    let data = match (parsed.words.get(2), parsed.value("f")) {
        (Some(text), None) if text == "-" => input::read("-")?,
        (Some(text), None) => text.clone().into_bytes(),
        (None, Some(file)) => input::read(file)?,
        _ => return Err(CliError::usage_of_apache(usage::of("set"))),
    };
    let data = match parsed.has("b") {
        true => decode(&data)?,
        false => data,
    };
    let version = version_flag(&parsed)?;
    let answer = context.client.set_data(path, Some(&data), version).await;
    let answer = match answer {
        Err(error) if parsed.has("create") && error.code() == Some(ErrorCode::NO_NODE) => {
            let options = CreateOptions::default();
            let created = context.client.create(path, Some(&data), &options).await;
            created.map(|(_, stat)| stat)
        }
        answer => answer,
    };
    let stat = answer.map_err(on(path))?;
    if context.json {
        context.value(&json!({ "path": path, "stat": json::stat(&stat) }));
    } else if parsed.has("s") {
        print_stat(context, &stat);
    }
    Ok(())
}

fn decode(data: &[u8]) -> Result<Vec<u8>, CliError> {
    BASE64_STANDARD.decode(data.trim_ascii()).map_err(|error| {
        let text = String::from_utf8_lossy(data);
        CliError::new(format!("{text:?} is no base64: {error}"))
    })
}

pub(super) async fn stat(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse_with_watch(context, STAT_FLAGS, words, 2)?;
    let parsed = parsed.tell(context, "stat path [watch]", "stat [-w] path");
    let path = &parsed.words[1];
    let answer = context.client.exists(path, parsed.has("w")).await;
    match answer.map_err(on(path))? {
        Some(stat) if context.json => {
            context.value(&json!({ "path": path, "stat": json::stat(&stat) }));
            Ok(())
        }
        Some(stat) => {
            print_stat(context, &stat);
            Ok(())
        }
        None => Err(CliError::no_node(path)),
    }
}
