//! All that was set, by key: entries of the file and flags of the JVM are
//! looked up in the registry, read by their kind, and the strongest spelling
//! of each key wins. It refuses to know what the values are for.

use super::error::{ConfigError, Rule};
use super::jvm_flags::{JvmFlags, JvmProperty};
use super::keys::{self, Form, Found, KeySpec, Kind};
use super::nearest::nearest;
use super::notice::Notices;
use super::origin::Origin;
use super::properties::Property;
use super::secret::Secret;
use super::values::{self, Parsed, Value};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::ptr;
use std::time::Duration;

/// One key that was set.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) spec: &'static KeySpec,
    pub(super) suffix: String,
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) origin: Origin,
    strength: Strength,
}

/// Which of several spellings of one key counts; of two equally strong ones
/// the later does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    /// A property of the JVM: the file overwrites it.
    Flag,
    /// In the file under another name.
    Alias,
    /// In the file under its name.
    Name,
}

/// Something to be set, not yet looked up. It may be a secret, and has no
/// `Debug`.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) origin: Origin,
    pub(super) has_latin1: bool,
}

impl Entry {
    pub(super) fn new(key: &str, value: &str, origin: Origin) -> Self {
        Self {
            key: key.to_owned(),
            value: value.to_owned(),
            origin,
            has_latin1: false,
        }
    }

    /// `property` of the file at `path`, trimmed as Apache trims it: control
    /// characters count as blanks.
    pub(super) fn in_file(path: &Path, property: Property) -> Self {
        let trim = |text: &str| text.trim_matches(|c| c <= ' ').to_owned();
        Self {
            key: trim(&property.key),
            value: trim(&property.value),
            origin: Origin::File {
                path: path.to_owned(),
                line: property.line,
            },
            has_latin1: property.has_latin1,
        }
    }
}

/// All keys that were set, by their whole name.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    file: PathBuf,
    by_name: BTreeMap<String, Setting>,
}

impl Settings {
    /// Reads the flags, then the entries, which came from `file`.
    ///
    /// # Errors
    /// A value that its key cannot have.
    pub(super) fn read(
        file: &Path,
        entries: &[Entry],
        flags: &JvmFlags,
        notices: &mut Notices,
    ) -> Result<Self, ConfigError> {
        let mut settings = Self {
            file: file.to_owned(),
            by_name: BTreeMap::new(),
        };
        for property in &flags.properties {
            settings.add_flag(property, notices)?;
        }
        for entry in last_of_each_key(entries, notices) {
            settings.add_entry(entry, notices)?;
        }
        Ok(settings)
    }

    /// The error that these settings together break `rule`.
    pub(super) fn broken(&self, rule: Rule) -> ConfigError {
        let file = self.file.clone();
        ConfigError::Rule { file, rule }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.by_name.values()
    }

    /// The members of a family such as `server.*`.
    pub(super) fn family(&self, name: &str) -> impl Iterator<Item = &Setting> {
        self.iter().filter(move |setting| setting.spec.name == name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Setting> {
        debug_assert!(keys::find(name).is_some(), "{name} is not in the registry");
        self.by_name.get(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match &self.get(name)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        match &self.get(name)?.value {
            Value::Secret(secret) => Some(secret.clone()),
            _ => None,
        }
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        match self.get(name).map(|setting| &setting.value) {
            Some(Value::Bool(on)) => *on,
            _ => default,
        }
    }

    pub(super) fn int(&self, name: &str) -> Option<i32> {
        match self.get(name)?.value {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn port(&self, name: &str) -> Option<u16> {
        self.int(name)?.try_into().ok()
    }

    pub(super) fn long(&self, name: &str) -> Option<i64> {
        match self.get(name)?.value {
            Value::Int(value) => Some(value.into()),
            Value::Long(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        match self.get(name)?.value {
            Value::Number(value) => Some(value),
            _ => None,
        }
    }

    /// A time in milliseconds; what is below zero is zero.
    pub(super) fn millis(&self, name: &str, default: u64) -> Duration {
        let millis = self.long(name);
        Duration::from_millis(millis.map_or(default, |value| value.try_into().unwrap_or(0)))
    }

    /// A value of at least `least`; a smaller one is raised with a word.
    pub(super) fn at_least(
        &self,
        name: &str,
        least: i64,
        default: i64,
        notices: &mut Notices,
    ) -> i64 {
        let Some(value) = self.long(name) else {
            return default;
        };
        if value < least {
            let origin = &self.by_name[name].origin;
            notices.warn(format!(
                "{origin}: {name}={value} is too small: {least} is used"
            ));
        }
        value.max(least)
    }

    fn add_entry(&mut self, entry: &Entry, notices: &mut Notices) -> Result<(), ConfigError> {
        let Some((found, strength)) = look_up_entry(&entry.key) else {
            notices.warn(unknown(&entry.origin, &entry.key));
            return Ok(());
        };
        if let (Form::Bare(_), Origin::File { .. }) = (found.spec.form, &entry.origin) {
            notices.info(format!(
                "{}: {} acts here; Apache ZooKeeper reads it only from -D{} in JVMFLAGS",
                entry.origin, entry.key, found.spec.name,
            ));
        }
        if entry.has_latin1 && !matches!(found.spec.form.kind(), Kind::Secret) {
            notices.warn(format!(
                "{}: {} has characters that are read as ISO-8859-1, as Java does: write \\uXXXX",
                entry.origin, entry.key,
            ));
        }
        self.set(found, strength, entry, notices)
    }

    fn add_flag(
        &mut self,
        property: &JvmProperty,
        notices: &mut Notices,
    ) -> Result<(), ConfigError> {
        let origin = Origin::Environment(property.variable);
        match look_up_flag(&property.name) {
            Flag::Known(found) => {
                let entry = Entry::new(&property.name, &property.value, origin);
                self.set(found, Strength::Flag, &entry, notices)?;
            }
            Flag::OnlyInFile(name) => notices.warn(format!(
                "{origin}: -D{} has no effect: {name} is read from the configuration file only",
                property.name,
            )),
            Flag::Unknown(name) => notices.warn(unknown(&origin, name)),
            Flag::Foreign => notices.info(format!(
                "{origin}: -D{} has no effect: it is no property of ZooKeeper",
                property.name,
            )),
        }
        Ok(())
    }

    fn set(
        &mut self,
        found: Found<'_>,
        strength: Strength,
        entry: &Entry,
        notices: &mut Notices,
    ) -> Result<(), ConfigError> {
        let name = found.spec.full_name(found.suffix);
        let Some(value) = read_value(found.spec, entry, notices)? else {
            // As in Apache, it still overwrites what is weaker.
            self.by_name
                .retain(|other, before| *other != name || before.strength > strength);
            return Ok(());
        };
        let setting = Setting {
            spec: found.spec,
            suffix: found.suffix.to_owned(),
            key: entry.key.clone(),
            value,
            origin: entry.origin.clone(),
            strength,
        };
        let (wins, loses) = match self.by_name.remove(&name) {
            Some(before) if before.strength > strength => (before, Some(setting)),
            before => (setting, before),
        };
        if let Some(loses) = loses.filter(|loses| loses.strength != Strength::Flag) {
            notices.warn(overruled(
                &loses.origin,
                &loses.key,
                &wins.origin,
                &wins.key,
            ));
        }
        self.by_name.insert(name, wins);
        Ok(())
    }
}

/// `java.util.Properties` keeps the last value of a repeated key.
fn last_of_each_key<'a>(entries: &'a [Entry], notices: &mut Notices) -> Vec<&'a Entry> {
    let mut last: HashMap<&str, &Entry> = HashMap::new();
    for entry in entries {
        if let Some(before) = last.insert(&entry.key, entry) {
            notices.warn(overruled(
                &before.origin,
                &before.key,
                &entry.origin,
                &entry.key,
            ));
        }
    }
    let counts = |entry: &&Entry| {
        last.get(&*entry.key)
            .is_some_and(|kept| ptr::eq(*kept, *entry))
    };
    entries.iter().filter(counts).collect()
}

fn overruled(loses: &Origin, key: &str, wins: &Origin, winner: &str) -> String {
    format!("{loses}: {key} has no effect: {wins} sets {winner} again")
}

fn read_value(
    spec: &KeySpec,
    entry: &Entry,
    notices: &mut Notices,
) -> Result<Option<Value>, ConfigError> {
    let shown = shown(spec, entry);
    match values::parse(spec.form.kind(), &entry.value) {
        Ok(Parsed::Sure(value)) => Ok(Some(value)),
        Ok(Parsed::Doubtful(value, why)) => {
            notices.warn(format!("{}: {}={shown} {why}", entry.origin, entry.key));
            Ok(Some(value))
        }
        Ok(Parsed::Ignored(expected)) => {
            notices.warn(format!(
                "{}: {}={shown} is not {expected}: the default is kept",
                entry.origin, entry.key,
            ));
            Ok(None)
        }
        Err(expected) => Err(ConfigError::Value {
            origin: entry.origin.clone(),
            key: entry.key.clone(),
            value: shown,
            expected: expected.to_owned(),
        }),
    }
}

fn shown(spec: &KeySpec, entry: &Entry) -> String {
    match spec.form.kind() {
        Kind::Secret => "<redacted>".to_owned(),
        _ => entry.value.clone(),
    }
}

/// A key of the file: by its name, by another, or with the prefix that makes
/// it a JVM property.
fn look_up_entry(key: &str) -> Option<(Found<'_>, Strength)> {
    if let Some(found) = keys::find(key) {
        let by_name = found.spec.full_name(found.suffix) == key;
        let strength = if by_name {
            Strength::Name
        } else {
            Strength::Alias
        };
        return Some((found, strength));
    }
    let found = keys::find(key.strip_prefix("zookeeper.")?)?;
    let is_property = !matches!(found.spec.form, Form::Config(_));
    is_property.then_some((found, Strength::Alias))
}

enum Flag<'a> {
    Known(Found<'a>),
    OnlyInFile(&'a str),
    Unknown(&'a str),
    Foreign,
}

/// A property of the JVM. A bare one that carries the prefix is taken too: in
/// the file it would be.
fn look_up_flag(name: &str) -> Flag<'_> {
    let ours = name.strip_prefix("zookeeper.");
    let found = keys::find(ours.unwrap_or(name));
    match (ours, found.map(|found| (found, found.spec.form))) {
        (Some(ours), Some((_, Form::Config(_)))) => Flag::OnlyInFile(ours),
        (Some(_), Some((found, _))) | (None, Some((found, Form::Bare(_) | Form::Either(_)))) => {
            Flag::Known(found)
        }
        (Some(ours), None) => Flag::Unknown(ours),
        (None, _) => Flag::Foreign,
    }
}

fn unknown(origin: &Origin, key: &str) -> String {
    let titles: Vec<String> = keys::all().map(KeySpec::title).collect();
    let aliases = keys::all().flat_map(|spec| spec.aliases.iter().copied());
    let bare = key.strip_prefix("zookeeper.").unwrap_or(key);
    let meant = nearest(bare, titles.iter().map(String::as_str).chain(aliases));
    let hint = meant.map_or_else(String::new, |name| format!(", did you mean {name}?"));
    format!("{origin}: unknown key {key} has no effect{hint}")
}
