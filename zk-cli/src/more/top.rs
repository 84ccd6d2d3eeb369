//! The znodes that are worth a look when a server is too full: the largest,
//! and those with the most children.

use super::{number, parse, path, tell_refused};
use crate::commands::{Context, Outcome, on};
use crate::crawl::{Crawl, Wanted};
use crate::flags::{Flag, value};
use serde_json::json;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

pub(super) const ARGUMENTS: &str = "[-n count] [path]";
pub(super) const HELP: &str = "  -n count   so many of each (10)";
const FLAGS: &[Flag] = &[value("n")];

pub(super) async fn top(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(FLAGS, words, 0..=1)?;
    let root = path(context, &parsed, 0);
    let count = number(&parsed, "n", 10usize)?;
    let mut crawl = Crawl::new(context.client, &root, Wanted::default());
    let (mut largest, mut widest) = (Most::new(count), Most::new(count));
    while let Some(found) = crawl.next().await.map_err(on(&root))? {
        for found in found {
            largest.take(found.stat.data_length, &found.path);
            widest.take(found.stat.num_children, &found.path);
        }
    }
    let (largest, widest) = (largest.sorted(), widest.sorted());
    if context.json {
        let list = |most: &[(i32, String)], name: &str| -> serde_json::Value {
            let entries = most
                .iter()
                .map(|(number, path)| json!({ "path": path, name: number }));
            entries.collect()
        };
        let largest = list(&largest, "dataLength");
        let widest = list(&widest, "numChildren");
        context.value(&json!({ "largest": largest, "widest": widest }));
        return tell_refused(context, &crawl);
    }
    for (title, most) in [("bytes of data", largest), ("children", widest)] {
        context.output.line(title);
        for (number, path) in most {
            context.output.line(&format!("{number:>12}  {path}"));
        }
    }
    tell_refused(context, &crawl)
}

/// The paths with the highest numbers.
struct Most {
    count: usize,
    heap: BinaryHeap<Reverse<(i32, Reverse<String>)>>,
}

impl Most {
    const fn new(count: usize) -> Self {
        let heap = BinaryHeap::new();
        Self { count, heap }
    }

    fn take(&mut self, number: i32, path: &str) {
        if number == 0 {
            return;
        }
        self.heap.push(Reverse((number, Reverse(path.to_owned()))));
        if self.heap.len() > self.count {
            self.heap.pop();
        }
    }

    /// The highest first.
    fn sorted(self) -> Vec<(i32, String)> {
        let sorted = self.heap.into_sorted_vec().into_iter();
        sorted
            .map(|Reverse((number, Reverse(path)))| (number, path))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_stay() {
        let mut most = Most::new(2);
        for (number, path) in [(3, "/c"), (0, "/z"), (9, "/a"), (3, "/b"), (1, "/d")] {
            most.take(number, path);
        }
        assert_eq!(most.sorted(), [(9, "/a".to_owned()), (3, "/b".to_owned())]);
    }
}
