//! Summaries for each namespace: each name right below the root
//! (`PathUtils.getTopNamespace`). It refuses to know what is summed up.

use super::striped::Striped;
use super::summary::SummaryValues;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};

/// Namespaces beyond this many, and names longer than [`NAME_MAX`] bytes, are
/// not counted: clients choose them, and must not fill the memory.
const NAMES_MAX: usize = 1000;
const NAME_MAX: usize = 256;

/// Summaries by namespace, which several threads add to.
#[derive(Debug, Default)]
pub(crate) struct Namespaces(Striped<Mutex<HashMap<Box<str>, SummaryValues>>>);

impl Namespaces {
    /// Adds to a namespace.
    pub(crate) fn add(&self, namespace: &str, values: SummaryValues) {
        let mut known = self.0.local().lock();
        if let Some(sum) = known.get_mut(namespace) {
            *sum = sum.merge(values);
        } else if known.len() < NAMES_MAX && namespace.len() <= NAME_MAX {
            known.insert(namespace.into(), values);
        }
    }

    /// What was added so far, in order of the names.
    pub(crate) fn values(&self) -> BTreeMap<String, SummaryValues> {
        let mut all = BTreeMap::new();
        for stripe in self.0.iter() {
            for (name, values) in &*stripe.lock() {
                let sum: &mut SummaryValues = all.entry(name.to_string()).or_default();
                *sum = sum.merge(*values);
            }
        }
        all
    }

    /// Sets everything to zero. As in Apache, the names stay.
    pub(crate) fn reset(&self) {
        for stripe in self.0.iter() {
            for values in stripe.lock().values_mut() {
                *values = SummaryValues::default();
            }
        }
    }
}

/// The namespace of a path; `None` for that of the root.
pub(crate) fn namespace(path: &str) -> Option<&str> {
    std::str::from_utf8(name_of(path.as_bytes())?).ok()
}

/// The namespace of a path of bytes.
fn name_of(path: &[u8]) -> Option<&[u8]> {
    let name = path.strip_prefix(b"/")?;
    // Names are short: a plain loop is faster than a search made for texts.
    let end = name.iter().position(|&byte| byte == b'/');
    Some(&name[..end.unwrap_or(name.len())]).filter(|name| !name.is_empty())
}

/// Length of a path in UTF-16 units, which is what Apache counts.
pub(crate) fn utf16_len(path: &[u8]) -> u64 {
    if path.is_ascii() {
        return path.len() as u64;
    }
    let text = String::from_utf8_lossy(path);
    text.encode_utf16().count() as u64
}

/// Bytes of a name that a tally keeps by itself.
const INLINE: usize = 32;

/// What one batch adds, gathered while the namespace stays the same.
#[derive(Debug, Default)]
pub(crate) struct NamespaceTally {
    name: [u8; INLINE],
    len: usize,
    values: SummaryValues,
}

impl NamespaceTally {
    /// Notes `value` for the namespace of `path`.
    pub(crate) fn note(&mut self, into: &Namespaces, path: &[u8], value: u64) {
        let Some(name) = name_of(path) else {
            return;
        };
        let value = SummaryValues::of(value, 1);
        if name.len() > INLINE {
            add_bytes(into, name, value);
            return;
        }
        if self.name[..self.len] != *name {
            self.flush(into);
            self.name[..name.len()].copy_from_slice(name);
            self.len = name.len();
        }
        self.values = self.values.merge(value);
    }

    /// Hands over what was gathered.
    pub(crate) fn flush(&mut self, into: &Namespaces) {
        let values = std::mem::take(&mut self.values);
        if values.count > 0 {
            add_bytes(into, &self.name[..self.len], values);
        }
    }
}

/// Paths of znodes are text; nothing else has a namespace.
fn add_bytes(into: &Namespaces, name: &[u8], values: SummaryValues) {
    if let Ok(name) = std::str::from_utf8(name) {
        into.add(name, values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_component_is_the_namespace() {
        assert_eq!(namespace("/a"), Some("a"));
        assert_eq!(namespace("/a/b/c"), Some("a"));
        assert_eq!(namespace("/"), None);
        assert_eq!(namespace(""), None);
        assert_eq!(namespace("a/b"), None);
        assert_eq!(utf16_len("/ä𝄞".as_bytes()), 4);
    }

    #[test]
    fn a_tally_hands_over_by_name() {
        let namespaces = Namespaces::default();
        let mut tally = NamespaceTally::default();
        let long = format!("/{}", "n".repeat(40));
        for (path, value) in [("/a", 3), ("/a/b", 4), ("/", 9), ("/c", 2), (&long, 41)] {
            tally.note(&namespaces, path.as_bytes(), value);
        }
        tally.flush(&namespaces);
        tally.flush(&namespaces);
        let values = namespaces.values();
        let sums: Vec<_> = values
            .iter()
            .map(|(name, of)| (name.len(), of.count, of.sum))
            .collect();
        assert_eq!(sums, [(1, 2, 7), (1, 1, 2), (40, 1, 41)]);
    }

    #[test]
    fn clients_cannot_fill_the_memory() {
        let namespaces = Namespaces::default();
        let one = SummaryValues::of(1, 1);
        namespaces.add(&"x".repeat(NAME_MAX + 1), one);
        for number in 0..NAMES_MAX * 2 {
            namespaces.add(&number.to_string(), one);
        }
        namespaces.add("0", one);
        let values = namespaces.values();
        assert_eq!(values.len(), NAMES_MAX);
        assert_eq!(values["0"].count, 2);
    }

    #[test]
    fn names_outlive_a_reset() {
        let namespaces = Namespaces::default();
        namespaces.add("a", SummaryValues::of(5, 1));
        namespaces.reset();
        let zero = BTreeMap::from([("a".to_string(), SummaryValues::default())]);
        assert_eq!(namespaces.values(), zero);
    }
}
