//! Items under small numbers that stay theirs until released. It does not
//! know what the items are, nor which numbers are still in use.

use std::ops::{Index, IndexMut};

/// The number that names no item.
pub(super) const NIL: u32 = u32::MAX;

/// A vector with a list of free places. Released items stay in place until
/// their number is used again.
#[derive(Debug)]
pub(super) struct Slab<T> {
    items: Vec<T>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self {
            items: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Stores an item.
    ///
    /// # Panics
    /// At 2^32 - 1 items, which no server's memory holds.
    pub(super) fn insert(&mut self, item: T) -> u32 {
        if let Some(number) = self.free.pop() {
            self[number] = item;
            return number;
        }
        let number = u32::try_from(self.items.len()).expect("fewer than 2^32 items");
        assert_ne!(number, NIL, "fewer than 2^32 - 1 items");
        self.items.push(item);
        number
    }

    /// Lets the number be used again. Memory is given back when nothing is
    /// left.
    pub(super) fn release(&mut self, number: u32) {
        self.free.push(number);
        if self.free.len() == self.items.len() {
            *self = Self::new();
        }
    }

    /// Every place, released ones included.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.items)
    }

    /// The places from `first` on, at most `limit`, released ones included;
    /// and where to go on, if there are more.
    pub(super) fn part(&self, first: u32, limit: u32) -> (&[T], Option<u32>) {
        let end = first.saturating_add(limit);
        let rest = self.items.get(first as usize..).unwrap_or_default();
        match rest.get(..limit as usize) {
            Some(part) if rest.len() > part.len() => (part, Some(end)),
            _ => (rest, None),
        }
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    fn index(&self, number: u32) -> &T {
        &self.items[number as usize]
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, number: u32) -> &mut T {
        &mut self.items[number as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_up_the_whole() {
        let mut slab = Slab::new();
        for item in 0..5 {
            slab.insert(item);
        }
        assert_eq!(slab.part(0, 2), (&[0, 1][..], Some(2)));
        assert_eq!(slab.part(2, 2), (&[2, 3][..], Some(4)));
        assert_eq!(slab.part(4, 2), (&[4][..], None));
        assert_eq!(slab.part(0, 5), (&[0, 1, 2, 3, 4][..], None));
        assert_eq!(slab.part(9, 2), (&[][..], None));
    }

    #[test]
    fn numbers_are_used_again() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert("a"), slab.insert("b"));
        slab.release(a);
        assert_eq!(slab.insert("c"), a);
        assert_eq!((slab[a], slab[b]), ("c", "b"));
        slab.release(a);
        slab.release(b);
        assert_eq!(slab.iter().count(), 0);
    }
}
