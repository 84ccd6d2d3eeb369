//! The ensemble: sync, config, reconfig.

use super::{Context, Outcome, on, parse, print_stat};
use crate::error::CliError;
use crate::flags::{Flag, Parsed, flag, value};
use crate::{json, usage};
use serde_json::json;
use std::time::Duration;
use zk_client::Error;

const CONFIG_FLAGS: &[Flag] = &[flag("s"), flag("w"), flag("c")];
const RECONFIG_FLAGS: &[Flag] = &[
    flag("s"),
    value("v"),
    value("file"),
    value("members"),
    value("add"),
    value("remove"),
];
const SYNC_LIMIT: Duration = Duration::from_secs(30);

pub(super) async fn sync(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, &[], words, 2)?;
    let path = &parsed.words[1];
    let answer = tokio::time::timeout(SYNC_LIMIT, context.client.sync(path)).await;
    match answer {
        Ok(Ok(())) => context.output.line("Sync is OK"),
        Ok(Err(error @ Error::Path { .. })) => return Err(on(path)(error)),
        Ok(Err(error)) => {
            let code = error.code().unwrap_or_default().0;
            context.output.line(&format!("Sync has failed. rc={code}"));
        }
        Err(_) => return Err(CliError::new("sync took longer than 30 s")),
    }
    Ok(())
}

pub(super) async fn config(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, CONFIG_FLAGS, words, 1)?;
    let answer = context.client.get_config(parsed.has("w")).await;
    let (config, stat) = answer.map_err(on("/zookeeper/config"))?;
    let config = String::from_utf8_lossy(config.as_deref().unwrap_or(b"null"));
    if context.json {
        let members: Vec<&str> = config.lines().collect();
        let clients = connect_string(&config);
        let stat = json::stat(&stat);
        context.value(&json!({ "config": members, "connect": clients, "stat": stat }));
        return Ok(());
    }
    if parsed.has("c") {
        context.output.line(&connect_string(&config));
    } else {
        context.output.line(&config);
    }
    if parsed.has("s") {
        print_stat(context, &stat);
    }
    Ok(())
}

/// The configuration's version, and the client addresses of its servers.
fn connect_string(config: &str) -> String {
    let lines = config.lines().filter_map(|line| line.split_once('='));
    let mut version = "";
    let mut addresses = Vec::new();
    for (key, value) in lines {
        let (key, value) = (key.trim(), value.trim());
        if key == "version" {
            version = value;
        }
        if key.starts_with("server.") {
            addresses.push(client_address(value));
        }
    }
    format!("{version} {}", addresses.join(","))
}

/// What stands behind the semicolon of a server's line; a port alone means
/// any address.
fn client_address(server: &str) -> String {
    match server.split_once(';') {
        None => String::new(),
        Some((_, address)) if address.contains(':') => address.to_owned(),
        Some((_, port)) => format!("0.0.0.0:{port}"),
    }
}

pub(super) async fn reconfig(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, RECONFIG_FLAGS, words, 1)?;
    let version = check_reconfig(&parsed)?;
    let lower = |name| parsed.value(name).map(str::to_lowercase);
    let members = match parsed.value("file") {
        Some(file) => Some(members_of(file)?),
        None => lower("members"),
    };
    let (joining, leaving) = (lower("add"), lower("remove"));
    let answer = context
        .client
        .reconfig(
            joining.as_deref(),
            leaving.as_deref(),
            members.as_deref(),
            version,
        )
        .await;
    let (config, stat) = answer.map_err(on(""))?;
    let config = String::from_utf8_lossy(config.as_deref().unwrap_or_default());
    context
        .output
        .line(&format!("Committed new configuration:\n{config}"));
    if parsed.has("s") {
        print_stat(context, &stat);
    }
    Ok(())
}

/// Which flags go together; answers the version that the change expects.
fn check_reconfig(parsed: &Parsed) -> Result<i64, CliError> {
    let [file, members] = ["file", "members"].map(|name| parsed.has(name));
    let step = parsed.has("add") || parsed.has("remove");
    if !(file || members || step) {
        return Err(CliError::new(usage::of("reconfig")));
    }
    let version = match parsed.value("v") {
        None => -1,
        Some(text) => i64::from_str_radix(text, 16)
            .map_err(|_| CliError::new("-v must be followed by a long (configuration version)"))?,
    };
    if (file || members) && step {
        return Err(CliError::new(
            "Can't use -file or -members together with -add or -remove (mixing incremental and \
             non-incremental modes is not allowed)",
        ));
    }
    if file && members {
        return Err(CliError::new(
            "Can't use -file and -members together (conflicting non-incremental modes)",
        ));
    }
    Ok(version)
}

/// The lines of a dynamic configuration file that name members. The leader
/// checks them.
fn members_of(file: &str) -> Result<String, CliError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| CliError::new(format!("Error processing {file}: {error}")))?;
    let is_member = |line: &&str| {
        ["server.", "group.", "weight."]
            .iter()
            .any(|key| line.starts_with(key))
    };
    let members: Vec<&str> = text.lines().map(str::trim).filter(is_member).collect();
    Ok(members.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_connect_to_what_the_configuration_says() {
        let config = "server.1=a:2888:3888:participant;0.0.0.0:2181\n\
                      server.2=b:2888:3888:observer;2182\nserver.3=c:1:2\nversion=100000000";
        assert_eq!(
            connect_string(config),
            "100000000 0.0.0.0:2181,0.0.0.0:2182,"
        );
        assert_eq!(connect_string(""), " ");
    }
}
