//! The znodes that are probably there, as the answers told.

use std::collections::{HashMap, VecDeque};

/// A set of paths in an order that depends on nothing but what was done.
#[derive(Debug, Default)]
pub(crate) struct Known {
    paths: Vec<String>,
    places: HashMap<String, usize>,
    /// Paths that each client watched lately.
    watched: HashMap<usize, VecDeque<String>>,
    /// Whose turn it is.
    client: usize,
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

    pub(crate) fn watch(&mut self, path: &str) {
        const KEEP: usize = 24;
        let watched = self.watched.entry(self.client).or_default();
        if watched.len() == KEEP {
            watched.pop_front();
        }
        watched.push_back(path.to_owned());
    }

    /// Paths that the client whose turn it is watched lately.
    pub(crate) fn watched(&self) -> Option<&VecDeque<String>> {
        self.watched.get(&self.client)
    }

    pub(crate) fn turn(&mut self, client: usize) {
        self.client = client;
    }

    pub(crate) fn paths(&self) -> &[String] {
        &self.paths
    }
}
