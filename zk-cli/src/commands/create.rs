//! create: the flags, which of them go together, and the answer on standard
//! error.

use super::{Context, Outcome, on, parse};
use crate::acl_text;
use crate::error::CliError;
use crate::flags::{Flag, Parsed, flag, value};
use crate::{input, json};
use serde_json::json;
use zk_client::{Client, CreateMode, CreateOptions, Error, ErrorCode};
use zk_proto::MAX_TTL_MS;

pub(crate) const FLAGS: &[Flag] = &[
    flag("e"),
    flag("s"),
    flag("c"),
    value("t"),
    flag("p"),
    value("f"),
];

pub(super) async fn create(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(context, FLAGS, words, 2)?;
    let (mode, ttl_ms) = mode(&parsed)?;
    let path = &parsed.words[1];
    let file = parsed.value("f").map(input::read).transpose()?;
    let word = parsed.words.get(2).map(|data| data.as_bytes());
    let data = file.as_deref().or(word);
    let acl = parsed
        .words
        .get(if file.is_some() { 2 } else { 3 })
        .map(|text| acl_text::parse(text, context.output));
    let mut options = CreateOptions::with_ttl(mode, ttl_ms);
    if let Some(acl) = &acl {
        options = options.acl(acl);
    }
    if parsed.has("p") {
        create_parents(context.client, path)
            .await
            .map_err(on(path))?;
    }
    let created = context.client.create(path, data, &options).await;
    let (created, stat) = created.map_err(|error| failure(context, &error, path))?;
    if mode.is_ephemeral() {
        context.made_ephemerals.set(true);
    }
    match context.json {
        true => context.value(&json!({ "path": created, "stat": json::stat(&stat) })),
        false => context.output.error(&format!("Created {created}")),
    }
    Ok(())
}

/// Creates what is missing above `path`: persistent, without data, open.
pub(crate) async fn create_parents(client: &Client, path: &str) -> Result<(), Error> {
    let path = path.trim_end_matches('/');
    for (end, _) in path.match_indices('/').skip(1) {
        let above = &path[..end];
        match client.create(above, None, &CreateOptions::default()).await {
            Err(error) if error.code() == Some(ErrorCode::NODE_EXISTS) => {}
            created => drop(created?),
        }
    }
    Ok(())
}

/// The mode that the flags ask for, and its time to live: -1 for none.
pub(crate) fn mode(parsed: &Parsed) -> Result<(CreateMode, i64), CliError> {
    let [e, s, c, t] = ["e", "s", "c", "t"].map(|name| parsed.has(name));
    let refuse = |text: &str| Err(CliError::new(text));
    if c && (e || s) {
        return refuse(
            "-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.",
        );
    }
    let Ok(ttl_ms) = parsed.value("t").map_or(Ok(-1), str::parse::<i64>) else {
        return refuse("-t argument must be a long value");
    };
    if t && e {
        return refuse("TTLs cannot be used with Ephemeral znodes");
    }
    if t && c {
        return refuse("TTLs cannot be used with Container znodes");
    }
    if t && !(1..=MAX_TTL_MS).contains(&ttl_ms) {
        return refuse(&format!(
            "ttl must be positive and cannot be larger than: {MAX_TTL_MS}"
        ));
    }
    let mode = match (e, s, c, t) {
        (true, true, ..) => CreateMode::EphemeralSequential,
        (true, false, ..) => CreateMode::Ephemeral,
        (_, true, _, true) => CreateMode::PersistentSequentialTtl,
        (_, true, _, false) => CreateMode::PersistentSequential,
        (_, _, true, _) => CreateMode::Container,
        (_, _, _, true) => CreateMode::PersistentTtl,
        _ => CreateMode::Persistent,
    };
    Ok((mode, ttl_ms))
}

/// Two errors are announced by a line of their own.
fn failure(context: &Context<'_>, error: &Error, path: &str) -> CliError {
    match error.code() {
        Some(ErrorCode::EPHEMERAL_ON_LOCAL_SESSION) => context
            .output
            .error("Unable to create ephemeral node on a local session"),
        Some(ErrorCode::INVALID_ACL) => {
            let path = if *error == Error::EmptyAcl { "" } else { path };
            context
                .output
                .error(&crate::error::keeper_text(error, path));
        }
        _ => {}
    }
    on(path)(error.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags;

    fn mode_of(line: &str) -> Result<(CreateMode, i64), String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let parsed = flags::parse(FLAGS, &words).unwrap();
        mode(&parsed).map_err(|error| error.message)
    }

    #[test]
    fn flags_select_the_mode() {
        use CreateMode as M;
        for (flags, mode) in [
            ("", M::Persistent),
            ("-s", M::PersistentSequential),
            ("-e", M::Ephemeral),
            ("-es", M::EphemeralSequential),
            ("-c", M::Container),
        ] {
            assert_eq!(mode_of(flags), Ok((mode, -1)), "{flags}");
        }
        assert_eq!(mode_of("-t 5"), Ok((M::PersistentTtl, 5)));
        assert_eq!(mode_of("-s -t5"), Ok((M::PersistentSequentialTtl, 5)));
    }

    #[test]
    fn flags_that_exclude_each_other() {
        for flags in ["-ce", "-cs", "-e -t 5", "-c -t 5", "-t 0", "-t -1", "-t x"] {
            assert!(mode_of(flags).is_err(), "{flags}");
        }
        assert!(mode_of(&format!("-t {MAX_TTL_MS}")).is_ok());
        assert!(mode_of(&format!("-t {}", MAX_TTL_MS + 1)).is_err());
    }
}
