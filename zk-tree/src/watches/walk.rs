//! Two ways to walk: up a path, and along a list of numbers.

use super::slab::NIL;

/// The paths above `path`, nearest first, "/" last (`PathParentIterator`).
/// None for the root and for what does not start with a slash.
pub(super) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let mut left = path;
    std::iter::from_fn(move || {
        if left.len() < 2 {
            return None;
        }
        let slash = left.rfind('/')?;
        left = if slash == 0 {
            &left[..1]
        } else {
            &left[..slash]
        };
        Some(left)
    })
}

/// The numbers of a list that starts at `head`.
pub(super) fn list(head: u32, next: impl Fn(u32) -> u32) -> impl Iterator<Item = u32> {
    std::iter::successors((head != NIL).then_some(head), move |number| {
        Some(next(*number)).filter(|number| *number != NIL)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ancestors_end_at_the_root() {
        let up = |path| ancestors(path).collect::<Vec<_>>();
        assert_eq!(up("/a/b/c"), ["/a/b", "/a", "/"]);
        assert_eq!(up("/a"), ["/"]);
        assert!(up("/").is_empty());
        assert!(up("").is_empty());
        assert!(up("a").is_empty());
    }
}
