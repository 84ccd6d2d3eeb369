//! Who stands before whom among sequential znodes. Pure: names in, names out;
//! how to wait for one of them is not known here.

use super::names::{self, LATCH, LOCK, READ, WRITE};

/// Who has to wait for whom.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    /// The markers of all who stand in the line.
    stand: &'static [&'static str],
    /// The markers of those who are waited for.
    block: &'static [&'static str],
    /// Whether somebody may come to stand before one who waits already, as a
    /// writer does who becomes a reader and keeps his number.
    pub(super) admits_ahead: bool,
}

/// One at a time.
pub(super) const EXCLUSIVE: Rule = Rule::one_kind(&[LOCK]);
/// The same for a leader latch.
pub(super) const LATCHED: Rule = Rule::one_kind(&[LATCH]);
/// A reader waits for the writers before it.
pub(super) const READER: Rule = Rule {
    stand: &[READ, WRITE],
    block: &[WRITE],
    admits_ahead: false,
};
/// A writer waits for all before it.
pub(super) const WRITER: Rule = Rule {
    stand: &[READ, WRITE],
    block: &[READ, WRITE],
    admits_ahead: true,
};

impl Rule {
    const fn one_kind(marker: &'static [&'static str]) -> Self {
        Self {
            stand: marker,
            block: marker,
            admits_ahead: false,
        }
    }

    /// Those whom `own` waits for, the nearest last; `None` if `own` itself is
    /// not in the line. Names of no such kind are nobody's.
    pub(super) fn ahead(&self, children: &[String], own: &str) -> Option<Vec<String>> {
        if !children.iter().any(|name| name == own) {
            return None;
        }
        let mine = number(own, self.stand)?;
        let mut ahead: Vec<(i32, &String)> = children
            .iter()
            .filter_map(|name| Some((distance(number(name, self.block)?, mine), name)))
            .filter(|(distance, _)| *distance < 0)
            .collect();
        ahead.sort_unstable();
        Some(ahead.into_iter().map(|(_, name)| name.clone()).collect())
    }

    /// All who stand in the line, the first first.
    pub(super) fn in_order(&self, children: Vec<String>) -> Vec<String> {
        let mut line: Vec<(i32, String)> = children
            .into_iter()
            .filter_map(|name| Some((number(&name, self.stand)?, name)))
            .collect();
        let Some(&(some, _)) = line.first() else {
            return Vec::new();
        };
        line.sort_unstable_by_key(|(number, _)| distance(*number, some));
        line.into_iter().map(|(_, name)| name).collect()
    }
}

fn number(name: &str, markers: &[&str]) -> Option<i32> {
    markers
        .iter()
        .find_map(|marker| names::number(name, marker))
}

/// How far behind another number one is. Numbers wrap around, but those who
/// stand in one line are never half of all numbers apart.
const fn distance(number: i32, from: i32) -> i32 {
    number.wrapping_sub(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_nearest_before_is_the_last_of_those_ahead() {
        let children = names(&[
            "_c_b-lock-0000000004",
            "_c_z-lock-0000000002",
            "_c_a-lock-0000000003",
            "_c_c-lock-0000000009",
        ]);
        assert_eq!(
            EXCLUSIVE.ahead(&children, "_c_b-lock-0000000004").unwrap(),
            ["_c_z-lock-0000000002", "_c_a-lock-0000000003"]
        );
        let first = EXCLUSIVE.ahead(&children, "_c_z-lock-0000000002");
        assert!(first.unwrap().is_empty());
    }

    #[test]
    fn who_is_not_there_has_no_place() {
        assert_eq!(EXCLUSIVE.ahead(&names(&["lock-0000000001"]), "x"), None);
        let foreign = names(&["x", "lock-0000000001"]);
        assert_eq!(EXCLUSIVE.ahead(&foreign, "x"), None);
        let behind_foreign = EXCLUSIVE.ahead(&foreign, "lock-0000000001");
        assert!(behind_foreign.unwrap().is_empty());
    }

    #[test]
    fn readers_wait_for_writers_only() {
        let children = names(&[
            "__READ__0000000001",
            "__WRIT__0000000002",
            "__READ__0000000003",
            "__WRIT__0000000004",
            "__READ__0000000005",
        ]);
        let ahead = |rule: Rule, own: &str| rule.ahead(&children, own).unwrap();
        assert!(ahead(READER, "__READ__0000000001").is_empty());
        assert_eq!(ahead(READER, "__READ__0000000003"), ["__WRIT__0000000002"]);
        assert_eq!(
            ahead(READER, "__READ__0000000005"),
            ["__WRIT__0000000002", "__WRIT__0000000004"]
        );
        assert_eq!(ahead(WRITER, "__WRIT__0000000002"), ["__READ__0000000001"]);
        assert_eq!(ahead(WRITER, "__WRIT__0000000004").len(), 3);
    }

    #[test]
    fn the_line_goes_on_when_numbers_wrap_around() {
        let children = names(&[
            "lock--2147483648",
            "lock-2147483646",
            "lock--2147483647",
            "lock-2147483647",
        ]);
        let in_order = [
            "lock-2147483646",
            "lock-2147483647",
            "lock--2147483648",
            "lock--2147483647",
        ];
        assert_eq!(EXCLUSIVE.in_order(children.clone()), in_order);
        assert_eq!(
            EXCLUSIVE.ahead(&children, "lock--2147483647").unwrap(),
            &in_order[..3]
        );
    }
}
