//! Recorded figures: what ran where and when, and every round of every scenario, as JSON.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::machine;
use super::measure::Measures;
use crate::error::{Error, Result};

/// Everything that one run of the comparison found.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) date: String,
    pub(super) machine: String,
    pub(super) command: String,
    /// The versions as the servers tell them, by side.
    pub(super) versions: BTreeMap<Side, String>,
    /// By scenario and side: the rounds in the order in which they ran.
    pub(super) scenarios: BTreeMap<String, BTreeMap<Side, Vec<Measures>>>,
}

/// Whose figures.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub(super) enum Side {
    /// Apache ZooKeeper 3.9.5.
    Apache,
    /// The server of this workspace.
    Ours,
}

impl Record {
    /// A record without figures, of what runs here and now.
    pub(super) fn begin() -> Result<Self> {
        let words = std::env::args().skip(1);
        let command = std::iter::once("cargo xtask".to_owned()).chain(words);
        Ok(Self {
            date: machine::date()?,
            machine: machine::describe(),
            command: command.collect::<Vec<_>>().join(" "),
            ..Self::default()
        })
    }

    /// Adds a round.
    pub(super) fn add(&mut self, scenario: &str, side: Side, round: Measures) {
        let sides = self.scenarios.entry(scenario.to_owned()).or_default();
        sides.entry(side).or_default().push(round);
    }

    /// The rounds of one side, possibly none.
    pub(super) fn rounds(&self, scenario: &str, side: Side) -> &[Measures] {
        let sides = self.scenarios.get(scenario);
        sides
            .and_then(|sides| sides.get(&side))
            .map_or(&[], Vec::as_slice)
    }

    /// Takes over another record's figures of one side.
    pub(super) fn adopt(&mut self, other: &Self, side: Side) {
        if let Some(version) = other.versions.get(&side) {
            let recorded = format!("{version}, recorded {}", other.date);
            self.versions.insert(side, recorded);
        }
        for scenario in other.scenarios.keys() {
            for round in other.rounds(scenario, side) {
                self.add(scenario, side, round.clone());
            }
        }
    }

    /// Reads a record that [`Self::save`] wrote.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|error| Error::io("read", path, error))?;
        serde_json::from_str(&text)
            .map_err(|error| Error::wrong(format!("cannot read {}: {error}", path.display())))
    }

    /// Writes the record.
    pub(super) fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).expect("strings and numbers only");
        fs::write(path, text + "\n").map_err(|error| Error::io("write", path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::measure::CPU;

    fn record(side: Side) -> Record {
        let mut round = Measures::new();
        round.set(&CPU, 1.25);
        let mut record = Record {
            date: "2000-01-01".to_owned(),
            ..Record::default()
        };
        record.versions.insert(side, "1".to_owned());
        record.add("read-64x1", side, round);
        record
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("figures.json");
        let written = record(Side::Apache);
        written.save(&path).unwrap();
        assert_eq!(Record::open(&path).unwrap(), written);
    }

    #[test]
    fn only_the_wanted_side_is_adopted() {
        let mut ours = record(Side::Ours);
        ours.adopt(&record(Side::Apache), Side::Apache);
        ours.adopt(&record(Side::Ours), Side::Apache);
        assert_eq!(ours.rounds("read-64x1", Side::Apache).len(), 1);
        assert_eq!(ours.rounds("read-64x1", Side::Ours).len(), 1);
        assert_eq!(ours.versions[&Side::Apache], "1, recorded 2000-01-01");
        assert!(ours.rounds("read-32x16", Side::Ours).is_empty());
    }
}
