//! `cargo xtask provision`: what the interop tests need beyond cargo, found or fetched.
//!
//! Parts are independent: a Java runtime, Apache ZooKeeper 3.9.5 and 3.8.0 as directories of
//! jars, a Python with kazoo, and iproute2. Each is either a path or a sentence that says why it is not
//! here, and tests learn of them through environment variables only. A variable that is already
//! set wins, so a machine without a network can bring its own. What is fetched is cached under
//! `target/provision` and comes through the machine's ordinary package clients.

mod apache_380;
mod apache_395;
mod apt;
mod cache;
mod iproute2;
mod java;
mod probe;
mod python;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::workspace::Workspace;

/// Something that tests need and cargo does not bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A `java` binary.
    Java,
    /// A Python interpreter that can import kazoo.
    Python,
    /// A directory with the jars of Apache ZooKeeper 3.9.5.
    Apache395,
    /// A directory with the jars of Apache ZooKeeper 3.8.0.
    Apache380,
    /// The `ip` of iproute2, with which networks are made.
    Iproute2,
}

/// Whether missing parts are to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Fetch and install what is missing.
    Install,
    /// Look at what is there.
    Look,
}

/// Each part: where it is, or why it is not there.
#[derive(Debug)]
pub(crate) struct Provisions {
    parts: Vec<(Part, std::result::Result<PathBuf, String>)>,
}

/// Provides every part, says what is missing and prints shell exports.
pub(crate) fn run() -> Result<()> {
    let provisions = Provisions::gather(&Workspace::load()?.root, Policy::Install);
    for (part, path) in &provisions.parts {
        match path {
            Ok(path) => println!("export {}='{}'", part.variable(), path.display()),
            Err(reason) => println!("# no {}: {reason}", part.name()),
        }
    }
    match provisions.missing(&Part::ALL) {
        None => Ok(()),
        Some(reasons) => Err(Error::wrong(reasons)),
    }
}

/// Sees to it that `ip` of iproute2 is on the search path.
pub(crate) fn iproute() -> Result<()> {
    iproute2::provide(Policy::Install).map(drop)
}

impl Part {
    /// In the order of provision: later parts are tried out with the earlier ones.
    pub(crate) const ALL: [Self; 5] = [
        Self::Java,
        Self::Python,
        Self::Apache395,
        Self::Apache380,
        Self::Iproute2,
    ];

    /// The name that a crate's `[package.metadata.stages]` uses.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Java => "java",
            Self::Python => "python",
            Self::Apache395 => "apache-395",
            Self::Apache380 => "apache-380",
            Self::Iproute2 => "iproute2",
        }
    }

    /// The part of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// The environment variable through which tests find the part.
    fn variable(self) -> &'static str {
        match self {
            Self::Java => "ZK_JAVA",
            Self::Python => "ZK_PYTHON",
            Self::Apache395 => "ZK_APACHE_395",
            Self::Apache380 => "ZK_APACHE_380",
            Self::Iproute2 => "ZK_IP",
        }
    }
}

impl Provisions {
    /// Finds every part and, if the policy says so, fetches what is missing.
    pub(crate) fn gather(root: &Path, policy: Policy) -> Self {
        let cache = root.join("target").join("provision");
        let mut gathered = Self { parts: Vec::new() };
        for part in Part::ALL {
            let path = gathered.provide(part, &cache, policy);
            gathered
                .parts
                .push((part, path.map_err(|error| error.to_string())));
        }
        gathered
    }

    /// Sets the variables of the parts that are there.
    pub(crate) fn apply(&self, command: &mut Command) {
        let present = self
            .parts
            .iter()
            .filter_map(|(part, path)| Some((part, path.as_ref().ok()?)));
        command.envs(present.map(|(part, path)| (part.variable(), path)));
    }

    /// Which of the needed parts are missing and why, as one sentence.
    pub(crate) fn missing(&self, needs: &[Part]) -> Option<String> {
        let needed = self.parts.iter().filter(|(part, _)| needs.contains(part));
        let reasons: Vec<_> = needed
            .filter_map(|(part, path)| {
                Some(format!("no {}: {}", part.name(), path.as_ref().err()?))
            })
            .collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    fn provide(&self, part: Part, cache: &Path, policy: Policy) -> Result<PathBuf> {
        if let Some(path) = set_by_user(part) {
            return existing(part, PathBuf::from(path));
        }
        match part {
            Part::Java => java::provide(policy),
            Part::Python => python::provide(cache, policy),
            Part::Apache395 => apache_395::provide(cache, policy, self.path(Part::Java)),
            Part::Apache380 => apache_380::provide(cache, policy, self.path(Part::Java)),
            Part::Iproute2 => iproute2::provide(policy),
        }
    }

    /// Where a part is, if it is there.
    pub(crate) fn path(&self, part: Part) -> Option<&Path> {
        let (_, path) = self.parts.iter().find(|(own, _)| *own == part)?;
        path.as_deref().ok()
    }
}

fn set_by_user(part: Part) -> Option<OsString> {
    std::env::var_os(part.variable()).filter(|value| !value.is_empty())
}

fn existing(part: Part, path: PathBuf) -> Result<PathBuf> {
    if path.exists() {
        return Ok(path);
    }
    let variable = part.variable();
    Err(Error::wrong(format!(
        "{variable} names {}, which does not exist",
        path.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provisions() -> Provisions {
        let java = (Part::Java, Ok(PathBuf::from("/java")));
        let python = (Part::Python, Err("not root".to_owned()));
        Provisions {
            parts: vec![java, python],
        }
    }

    #[test]
    fn what_is_missing_is_named_with_its_reason() {
        let provisions = provisions();
        assert_eq!(provisions.missing(&[Part::Java]), None);
        let reasons = provisions.missing(&Part::ALL);
        assert_eq!(reasons.as_deref(), Some("no python: not root"));
    }

    #[test]
    fn only_what_is_there_is_exported() {
        let mut command = Command::new("true");
        provisions().apply(&mut command);
        let variables: Vec<_> = command.get_envs().collect();
        assert_eq!(variables, [("ZK_JAVA".as_ref(), Some("/java".as_ref()))]);
    }

    #[test]
    fn names_are_distinct() {
        for part in Part::ALL {
            assert_eq!(Part::named(part.name()), Some(part));
        }
        assert_eq!(Part::named("perl"), None);
    }
}
