//! Every key that Apache ZooKeeper 3.9 knows, as a table: how it is spelt,
//! how its value is read, who needs it and what this server does with it. It
//! refuses to know what the values turn into.
//!
//! Apache has two worlds of keys. `QuorumPeerConfig` reads some from the
//! configuration file and nowhere else. All others are system properties of
//! the JVM, most of them `zookeeper.<name>`; a key of the file that
//! `QuorumPeerConfig` does not know becomes such a property, so these may be
//! set in the file too. [`Form`] says to which world a key belongs.

mod admin;
mod auth;
mod clients;
mod ensemble;
mod limits;
mod process;
mod storage;
mod tls;

/// One key, or one family of keys such as `server.N`.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// Its spelling in `zoo.cfg`. A family ends in `*`, which stands for
    /// whatever follows.
    pub name: &'static str,
    /// Other spellings that mean the same, among them names which Apache
    /// documents although its code reads another.
    pub aliases: &'static [&'static str],
    /// Who needs it.
    pub group: Group,
    /// Where it may be set, and how its value is read.
    pub form: Form,
    /// What this server does with it.
    pub effect: Effect,
    /// A valid value that is not the default.
    pub sample: &'static str,
}

/// How many users need a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Stands in most configuration files.
    NearlyAll,
    /// Stands in some.
    Some,
    /// Hardly ever seen.
    AlmostNone,
}

/// Where a key may be set, and how its value is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// In the configuration file only.
    Config(Kind),
    /// In the file, or as the JVM property `zookeeper.<name>`.
    Property(Kind),
    /// In Apache as the JVM property `<name>` only; here in the file too.
    Bare(Kind),
    /// In the file, or as either JVM property, with and without `zookeeper.`.
    Either(Kind),
}

/// How a value is read. The strict kinds make a bad value an error, as
/// `QuorumPeerConfig` does; the others keep the default, as Apache's readers
/// of system properties do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Strict, 32 bits, decimal.
    Int,
    /// Strict, 64 bits, decimal.
    Long,
    /// Strict, 0 to 65535.
    Port,
    /// Strict, `true` or `false` in any case.
    Bool,
    /// Strict, with a fraction.
    Number,
    /// Strict, one of these words in any case; then what to say if it is not.
    Choice(&'static [&'static str], &'static str),
    /// 32 bits, also hexadecimal and octal.
    LenientInt,
    /// 64 bits, also hexadecimal and octal.
    LenientLong,
    /// 64 bits, decimal.
    LenientDecimal,
    /// With a fraction.
    LenientNumber,
    /// On if it is `true` in any case, off otherwise.
    Flag,
    /// On if it is exactly this word, off otherwise.
    OnlyOn(&'static str),
    /// Off if it is exactly this word, on otherwise.
    OnlyOff(&'static str),
    /// Anything.
    Text,
    /// Anything, never to be printed.
    Secret,
}

/// What this server does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// What Apache does.
    Acts,
    /// Nothing, and nothing is missing for it; says why.
    Accepted(&'static str),
    /// Nothing yet; names what is not served.
    NotYet(&'static str),
    /// What Apache does, by a server of an ensemble; a standalone one has no
    /// use for it.
    Ensemble,
    /// As [`Effect::Accepted`], of what concerns ensembles only.
    EnsembleAccepted(&'static str),
    /// As [`Effect::NotYet`], of what concerns ensembles only.
    EnsembleNotYet(&'static str),
}

/// A key that was looked up.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Its row in the table.
    pub spec: &'static KeySpec,
    /// What stands for the `*` of a family; empty for a single key.
    pub suffix: &'a str,
}

impl Form {
    /// How the value is read.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Config(kind) | Self::Property(kind) | Self::Bare(kind) | Self::Either(kind) => {
                kind
            }
        }
    }
}

impl KeySpec {
    /// What all keys of the family begin with, if it is one.
    #[must_use]
    pub fn family(&self) -> Option<&'static str> {
        self.name.strip_suffix('*')
    }

    /// The name for people: `server.N` for the family `server.*`.
    #[must_use]
    pub fn title(&self) -> String {
        self.family()
            .map_or_else(|| self.name.to_owned(), |prefix| format!("{prefix}N"))
    }

    /// The whole name of the key that `suffix` completes.
    #[must_use]
    pub fn full_name(&self, suffix: &str) -> String {
        let prefix = self.family().unwrap_or(self.name);
        format!("{prefix}{suffix}")
    }

    fn is_called(&self, key: &str) -> bool {
        self.name == key || self.aliases.contains(&key)
    }

    const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }
}

/// All rows.
pub fn all() -> impl Iterator<Item = &'static KeySpec> {
    [
        clients::KEYS,
        storage::KEYS,
        limits::KEYS,
        auth::KEYS,
        tls::KEYS,
        admin::KEYS,
        ensemble::KEYS,
        process::KEYS,
    ]
    .into_iter()
    .flatten()
}

/// The row for `key`, spelt as in the file without `zookeeper.` before it.
#[must_use]
pub fn find(key: &str) -> Option<Found<'_>> {
    let single = all().find(|spec| spec.is_called(key));
    if let Some(spec) = single {
        return Some(Found { spec, suffix: "" });
    }
    all().find_map(|spec| {
        let suffix = key.strip_prefix(spec.family()?)?;
        Some(Found { spec, suffix })
    })
}

const fn row(
    group: Group,
    name: &'static str,
    form: Form,
    sample: &'static str,
    effect: Effect,
) -> KeySpec {
    KeySpec {
        name,
        aliases: &[],
        group,
        form,
        effect,
        sample,
    }
}

const fn acts(group: Group, name: &'static str, form: Form, sample: &'static str) -> KeySpec {
    row(group, name, form, sample, Effect::Acts)
}

const fn ensemble(group: Group, name: &'static str, form: Form, sample: &'static str) -> KeySpec {
    row(group, name, form, sample, Effect::Ensemble)
}

const fn needless(
    group: Group,
    name: &'static str,
    form: Form,
    sample: &'static str,
    reason: &'static str,
) -> KeySpec {
    row(group, name, form, sample, Effect::EnsembleAccepted(reason))
}

const fn missing(
    group: Group,
    name: &'static str,
    form: Form,
    sample: &'static str,
    what: &'static str,
) -> KeySpec {
    row(group, name, form, sample, Effect::EnsembleNotYet(what))
}

const fn accepted(
    group: Group,
    name: &'static str,
    form: Form,
    sample: &'static str,
    reason: &'static str,
) -> KeySpec {
    row(group, name, form, sample, Effect::Accepted(reason))
}

const fn not_yet(
    group: Group,
    name: &'static str,
    form: Form,
    sample: &'static str,
    what: &'static str,
) -> KeySpec {
    row(group, name, form, sample, Effect::NotYet(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_spelling_is_unique() {
        let mut seen = HashSet::new();
        for spelling in all().flat_map(|spec| spec.aliases.iter().chain([&spec.name])) {
            assert!(seen.insert(*spelling), "{spelling} stands twice");
        }
    }

    #[test]
    fn no_spelling_carries_the_prefix() {
        for spec in all() {
            assert!(!spec.name.starts_with("zookeeper."), "{}", spec.name);
        }
    }

    #[test]
    fn reasons_are_sentences_inside_a_line() {
        for spec in all() {
            if let Effect::Accepted(reason)
            | Effect::NotYet(reason)
            | Effect::EnsembleAccepted(reason)
            | Effect::EnsembleNotYet(reason) = spec.effect
            {
                assert!(
                    !reason.is_empty() && !reason.ends_with('.'),
                    "{}",
                    spec.name
                );
            }
        }
    }

    #[test]
    fn families_leave_single_keys_alone() {
        assert_eq!(find("metricsProvider.httpPort").unwrap().suffix, "");
        let found = find("server.12").unwrap();
        assert_eq!((found.spec.name, found.suffix), ("server.*", "12"));
        assert_eq!(found.spec.title(), "server.N");
        assert!(find("serverX").is_none());
    }
}
