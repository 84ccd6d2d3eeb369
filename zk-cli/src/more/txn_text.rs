//! Writes of a transaction as text, one a line, in the words of the commands:
//!
//! ```text
//! # a comment
//! check /config 3
//! set /config 'new data'
//! create -e /leader me
//! delete -v 0 /old
//! ```

use crate::acl_text;
use crate::commands::create::{FLAGS as CREATE_FLAGS, mode};
use crate::commands::{Context, version_flag};
use crate::error::CliError;
use crate::flags::{self, Flag, Parsed, value};
use crate::words;
use zk_client::{Acl, CreateMode, CreateOptions, Op};

const VERSION_FLAG: &[Flag] = &[value("v")];

/// One write.
#[derive(Debug)]
pub(super) struct Write {
    /// As the user wrote it, for messages.
    pub(super) text: String,
    pub(super) path: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Create {
        mode: CreateMode,
        ttl_ms: i64,
        data: Option<Vec<u8>>,
        acl: Vec<Acl<'static>>,
    },
    Set(Vec<u8>, i32),
    Delete(i32),
    Check(i32),
}

/// The writes of a text; what stands on a line behind `#`, or nothing, is
/// none.
pub(super) fn parse(context: &Context<'_>, text: &str) -> Result<Vec<Write>, CliError> {
    let mut writes = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let words = words::split(line);
        if words.first().is_none_or(|word| word.starts_with('#')) {
            continue;
        }
        let write = parse_words(context, words);
        writes.push(write.map_err(|error| {
            let message = format!("line {}: {}", at + 1, error.message);
            CliError { message, ..error }
        })?);
    }
    Ok(writes)
}

/// The write that these words make.
pub(super) fn parse_words(context: &Context<'_>, words: Vec<String>) -> Result<Write, CliError> {
    let (flags, wanted) = match words[0].as_str() {
        "create" => (CREATE_FLAGS, 2..=4),
        "set" => (VERSION_FLAG, 3..=3),
        "delete" => (VERSION_FLAG, 2..=2),
        "check" => (VERSION_FLAG, 2..=3),
        other => {
            let message = format!("{other:?} is none of create, set, delete and check");
            return Err(CliError::usage(message));
        }
    };
    let parsed = flags::parse(flags, &words).map_err(CliError::usage)?;
    if !wanted.contains(&parsed.words.len()) {
        return Err(CliError::usage(super::help("txn").unwrap_or_default()));
    }
    Ok(Write {
        path: context.path(&parsed.words[1]),
        what: what(context, &parsed)?,
        text: words.join(" "),
    })
}

fn what(context: &Context<'_>, parsed: &Parsed) -> Result<What, CliError> {
    let word = parsed.words.get(2);
    Ok(match parsed.words[0].as_str() {
        "create" => {
            let (mode, ttl_ms) = mode(parsed)?;
            let acl = parsed.words.get(3);
            let acl = acl.map_or(Vec::new(), |text| acl_text::parse(text, context.output));
            let acl = acl.iter();
            What::Create {
                mode,
                ttl_ms,
                data: word.map(|data| data.clone().into_bytes()),
                acl: acl.map(|acl| owned(acl)).collect(),
            }
        }
        "set" => {
            let data = word.map(|data| data.clone().into_bytes());
            What::Set(data.unwrap_or_default(), version_flag(parsed)?)
        }
        "delete" => What::Delete(version_flag(parsed)?),
        _ => {
            let version = word.or(None).map(|text| text.parse::<i32>());
            match version {
                None => What::Check(version_flag(parsed)?),
                Some(Ok(version)) => What::Check(version),
                Some(Err(_)) => return Err(CliError::usage("check path version")),
            }
        }
    })
}

fn owned(acl: &Acl<'_>) -> Acl<'static> {
    Acl::new(
        acl.perms,
        acl.id.scheme().to_owned(),
        acl.id.id().to_owned(),
    )
}

impl Write {
    /// What the client sends.
    pub(super) fn op(&self) -> Op<'_> {
        match &self.what {
            What::Create {
                mode,
                ttl_ms,
                data,
                acl,
            } => {
                let options = CreateOptions::with_ttl(*mode, *ttl_ms);
                let options = match acl.is_empty() {
                    true => options,
                    false => options.acl(acl),
                };
                Op::Create(&self.path, data.as_deref(), options)
            }
            What::Set(data, version) => Op::SetData(&self.path, Some(data), *version),
            What::Delete(version) => Op::Delete(&self.path, *version),
            What::Check(version) => Op::Check(&self.path, *version),
        }
    }

    pub(super) fn is_ephemeral(&self) -> bool {
        matches!(&self.what, What::Create { mode, .. } if mode.is_ephemeral())
    }
}
