//! The znodes that are probably there, as the answers told.

use std::collections::HashMap;

/// A set of paths in an order that depends on nothing but what was done.
#[derive(Debug, Default)]
pub(crate) struct Known {
    paths: Vec<String>,
    places: HashMap<String, usize>,
}

impl Known {
    pub(crate) fn add(&mut self, path: &str) {
        if !self.places.contains_key(path) {
            self.places.insert(path.to_owned(), self.paths.len());
            self.paths.push(path.to_owned());
        }
    }

    pub(crate) fn remove(&mut self, path: &str) {
        let Some(at) = self.places.remove(path) else {
            return;
        };
        self.paths.swap_remove(at);
        if let Some(moved) = self.paths.get(at) {
            self.places.insert(moved.clone(), at);
        }
    }

    pub(crate) fn paths(&self) -> &[String] {
        &self.paths
    }
}
