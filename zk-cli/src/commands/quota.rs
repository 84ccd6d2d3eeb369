//! listquota, setquota, delquota. A quota of /a is two znodes below
//! /zookeeper/quota/a; no path may have one while one above or below it does.

use super::quota_track::{BYTES, BYTES_HARD, COUNT, COUNT_HARD, Track};
use super::{Context, Outcome, on, parse};
use crate::error::CliError;
use crate::flags::{Flag, Parsed, flag, value};
use crate::walk::Walk;
use serde_json::json;
use zk_client::{Client, CreateOptions, Error, ErrorCode};

const ROOT: &str = "/zookeeper/quota";
const LIMITS: &str = "zookeeper_limits";
const STATS: &str = "zookeeper_stats";

const SET_FLAGS: &[Flag] = &[value("n"), value("b"), value("N"), value("B")];
const DELETE_FLAGS: &[Flag] = &[flag("n"), flag("b"), flag("N"), flag("B")];
const SET_FLAGS_MISSING: &str = "Missing required option: [-n num soft quota, -b bytes soft quota, \
                                 -N num hard quota, -B bytes hard quota]";

/// The number that each flag stands for.
const NAMES: [(&str, &str); 4] = [
    ("n", COUNT),
    ("b", BYTES),
    ("N", COUNT_HARD),
    ("B", BYTES_HARD),
];

fn limits_path(path: &str) -> String {
    format!("{ROOT}{path}/{LIMITS}")
}

fn stats_path(path: &str) -> String {
    format!("{ROOT}{path}/{STATS}")
}

pub(super) async fn list(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, &[], words, 2)?;
    let path = &parsed.words[1];
    let limits = limits_path(path);
    if !context.json {
        let output = context.output;
        output.error(&format!("absolute path is {limits}"));
    }
    let tracks = async {
        let limits = read(context.client, &limits).await?;
        Ok((limits, read(context.client, &stats_path(path)).await?))
    };
    match tracks.await {
        Ok((limits, stats)) if context.json => {
            let (limits, stats) = (limits.json(), stats.json());
            context.value(&json!({ "path": path, "limits": limits, "used": stats }));
            Ok(())
        }
        Ok((limits, stats)) => {
            let output = context.output;
            output.line(&format!("Output quota for {path} {limits}"));
            output.line(&format!("Output stat for {path} {stats}"));
            Ok(())
        }
        Err(error) => no_quota(context, path, error),
    }
}

/// A quota that is not there is no failure.
fn no_quota(context: &Context<'_>, path: &str, error: Error) -> Outcome {
    if error.code() != Some(ErrorCode::NO_NODE) {
        return Err(on(path)(error));
    }
    context
        .output
        .error(&format!("quota for {path} does not exist."));
    Ok(())
}

async fn read(client: &Client, path: &str) -> Result<Track, Error> {
    let (data, _) = client.get_data(path, false).await?;
    Ok(Track::parse(&String::from_utf8_lossy(
        data.as_deref().unwrap_or_default(),
    )))
}

pub(super) async fn set(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse_one_flag(context, SET_FLAGS, words)?;
    if parsed.names().next().is_none() {
        return Err(CliError::new(SET_FLAGS_MISSING));
    }
    let path = &parsed.words[1];
    if path.starts_with(ROOT) {
        let message = format!("cannot set a quota under the path: {ROOT}");
        context.output.error(&message);
        return Ok(());
    }
    let quota = match wanted_quota(&parsed) {
        Ok(quota) => quota,
        Err(message) => {
            context.output.error(message);
            return Ok(());
        }
    };
    let client = context.client;
    let exists = client.exists(path, false).await.map_err(on(path))?;
    if exists.is_none() {
        return Err(CliError::new(format!("{path} does not exist.")));
    }
    check_below(client, path).await?;
    check_above(client, path).await?;
    write(context, path, &quota).await
}

/// The words of a command of whose flags at most one may be given.
fn parse_one_flag(
    context: &Context<'_>,
    flags: &[Flag],
    words: &[String],
) -> Result<Parsed, CliError> {
    let parsed = crate::flags::parse(flags, words).map_err(CliError::new)?;
    let mut names = parsed.names();
    if let Some(first) = names.next()
        && let Some(other) = names.find(|name| *name != first)
    {
        return Err(CliError::new(format!(
            "The option '{other}' was specified but an option from this group has already been \
             selected: '{first}'"
        )));
    }
    drop(names);
    parse(context, flags, words, 2)
}

fn wanted_quota(parsed: &Parsed) -> Result<Track, &'static str> {
    const NO_NUMBER: &str = "NumberFormatException happens when parsing the option value";
    let mut quota = Track::unlimited();
    for (flag, name) in NAMES {
        let Some(text) = parsed.value(flag) else {
            continue;
        };
        let is_count = name == COUNT || name == COUNT_HARD;
        let number = match is_count {
            true => text.parse::<i32>().map(i64::from),
            false => text.parse::<i64>(),
        };
        let number = number.map_err(|_| NO_NUMBER)?;
        if is_count && number <= 0 {
            return Err("the num quota must be greater than zero");
        }
        if number < 0 {
            return Err("the bytes quota must be greater than or equal to zero");
        }
        quota.set(name, number);
    }
    Ok(quota)
}

async fn check_below(client: &Client, path: &str) -> Outcome {
    let own = format!("{ROOT}{path}");
    let mut walk = match Walk::start(client, &own, false).await {
        Ok(walk) => walk,
        Err(error) if error.code() == Some(ErrorCode::NO_NODE) => return Ok(()),
        Err(error) => return Err(on(path)(error)),
    };
    while let Some(found) = walk.next().await.map_err(on(path))? {
        let Some(holder) = found.strip_suffix(LIMITS) else {
            continue;
        };
        let holder = holder.trim_end_matches('/');
        if holder != own {
            let holder = &holder[ROOT.len()..];
            let message = format!("{path} has a child {holder} which has a quota");
            return Err(CliError::new(message));
        }
    }
    Ok(())
}

async fn check_above(client: &Client, path: &str) -> Outcome {
    for (at, _) in path.match_indices('/').skip(1) {
        let above = &path[..at];
        let exists = client.exists(&limits_path(above), false).await;
        if exists.map_err(on(path))?.is_some() {
            let message = format!("{path} has a parent {above} which has a quota");
            return Err(CliError::new(message));
        }
    }
    Ok(())
}

/// Creates the quota, or changes in the one that is there what was asked for.
async fn write(context: &Context<'_>, path: &str, quota: &Track) -> Outcome {
    let written = write_quota(context.client, path, quota).await;
    let (limits, stats) = written.map_err(on(path))?;
    let exceeded = |soft, hard, used| {
        let over = |name| limits.get(name) > -1 && limits.get(name) < stats.get(used);
        over(soft) || over(hard)
    };
    let warn = |what, used| {
        let used = stats.get(used);
        context.output.line(&format!(
            "[Warning]: the {what} quota you create is less than the existing {what}:{used}"
        ));
    };
    if exceeded(COUNT, COUNT_HARD, COUNT) {
        warn("count", COUNT);
    }
    if exceeded(BYTES, BYTES_HARD, BYTES) {
        warn("bytes", BYTES);
    }
    Ok(())
}

async fn write_quota(client: &Client, path: &str, quota: &Track) -> Result<(Track, Track), Error> {
    let (limits, stats) = (limits_path(path), stats_path(path));
    if client.exists(&limits, false).await?.is_none() {
        create_parents(client, path).await?;
        create(client, &limits, Some(quota)).await?;
        let mut unused = Track::default();
        unused.set(COUNT, 0);
        unused.set(BYTES, 0);
        create(client, &stats, Some(&unused)).await?;
        return Ok((read(client, &limits).await?, read(client, &stats).await?));
    }
    let mut changed = read(client, &limits).await?;
    for (_, name) in NAMES {
        if quota.get(name) > -1 {
            changed.set(name, quota.get(name));
        }
    }
    let used = read(client, &stats).await?;
    let text = changed.to_string();
    client.set_data(&limits, Some(text.as_bytes()), -1).await?;
    Ok((changed, used))
}

async fn create_parents(client: &Client, path: &str) -> Result<(), Error> {
    let full = format!("{ROOT}{path}");
    let ends = full.match_indices('/').map(|(at, _)| at).skip(1);
    for end in ends.chain([full.len()]) {
        match create(client, &full[..end], None).await {
            Err(error) if error.code() == Some(ErrorCode::NODE_EXISTS) => {}
            outcome => outcome?,
        }
    }
    Ok(())
}

async fn create(client: &Client, path: &str, track: Option<&Track>) -> Result<(), Error> {
    let text = track.map(Track::to_string);
    let data = text.as_deref().map(str::as_bytes);
    let created = client.create(path, data, &CreateOptions::default()).await;
    created.map(drop)
}

pub(super) async fn delete(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse_one_flag(context, DELETE_FLAGS, words)?;
    let path = &parsed.words[1];
    let limits = limits_path(path);
    let exists = context.client.exists(&limits, false).await;
    if exists.map_err(on(path))?.is_none() {
        let message = format!("Quota does not exist for {path}");
        context.output.line(&message);
        return Ok(());
    }
    let deleted = match parsed.names().next() {
        Some(_) => delete_limits(context.client, &limits, &parsed).await,
        None => delete_quota(context.client, &format!("{ROOT}{path}")).await,
    };
    deleted.or_else(|error| no_quota(context, path, error))
}

async fn delete_limits(client: &Client, limits: &str, parsed: &Parsed) -> Result<(), Error> {
    let mut track = read(client, limits).await?;
    for (flag, name) in NAMES {
        if parsed.has(flag) {
            track.set(name, -1);
        }
    }
    let text = track.to_string();
    let set = client.set_data(limits, Some(text.as_bytes()), -1).await;
    set.map(drop)
}

/// Deletes the quota's own znodes, then those above it that lead nowhere else.
async fn delete_quota(client: &Client, own: &str) -> Result<(), Error> {
    for name in client.get_children(own, false).await? {
        client.delete(&format!("{own}/{name}"), -1).await?;
    }
    let mut path = own;
    while path != ROOT && client.get_children(path, false).await?.is_empty() {
        client.delete(path, -1).await?;
        path = path.rsplit_once('/').map_or(ROOT, |(parent, _)| parent);
    }
    Ok(())
}
