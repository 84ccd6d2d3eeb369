//! Which known key a mistyped one was meant to be. It refuses to know what
//! the keys mean.

/// The candidate closest to `key`, letter case ignored, if it is close enough
/// to be a plausible slip: one edit in three letters.
pub(super) fn nearest<'a>(key: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let key = lower(key);
    let limit = (key.len() / 3).max(1);
    candidates
        .map(|candidate| (distance(&key, &lower(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn lower(text: &str) -> Vec<char> {
    text.to_lowercase().chars().collect()
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps
/// of neighbours each cost one.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut cost = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(before[j - 2] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 5] = [
        "dataDir",
        "dataLogDir",
        "clientPort",
        "tickTime",
        "maxCnxns",
    ];

    fn meant(key: &str) -> Option<&'static str> {
        nearest(key, KEYS.into_iter())
    }

    #[test]
    fn finds_slips() {
        assert_eq!(meant("tickTme"), Some("tickTime"));
        assert_eq!(meant("ticktime"), Some("tickTime"));
        assert_eq!(meant("clinetPort"), Some("clientPort"));
        assert_eq!(meant("data_dir"), Some("dataDir"));
        assert_eq!(meant("dataLogdirs"), Some("dataLogDir"));
    }

    #[test]
    fn leaves_strangers_alone() {
        assert_eq!(meant("heapSize"), None);
        assert_eq!(meant(""), None);
    }

    #[test]
    fn counts_edits() {
        let edits = |a, b| distance(&lower(a), &lower(b));
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("abc", ""), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("ab", "ba"), 1);
    }
}
