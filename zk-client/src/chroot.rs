//! The part of the tree that a client takes for the whole: its paths grow the
//! prefix on the way out and lose it on the way in.

use crate::Error;
use std::borrow::Cow;
use zk_proto::path::{self, PathError};

/// A prefix of paths; empty for the whole tree.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chroot(String);

impl Chroot {
    pub(crate) fn new(prefix: Option<String>) -> Self {
        Self(prefix.unwrap_or_default())
    }

    pub(crate) fn is(&self, other: &str) -> bool {
        self.0 == other
    }

    /// The server's path for a client's, checked.
    pub(crate) fn absolute<'a>(&self, client_path: &'a str) -> Result<Cow<'a, str>, Error> {
        self.checked(client_path, path::validate(client_path))
    }

    /// The same for the beginning of a sequential znode's path, which may end
    /// with a slash: the server adds the number.
    pub(crate) fn absolute_prefix<'a>(&self, client_path: &'a str) -> Result<Cow<'a, str>, Error> {
        self.checked(client_path, path::validate_sequential(client_path))
    }

    fn checked<'a>(
        &self,
        client_path: &'a str,
        verdict: Result<(), PathError>,
    ) -> Result<Cow<'a, str>, Error> {
        match verdict {
            Ok(()) => Ok(self.prepend(client_path)),
            Err(error) => Err(Error::Path {
                path: client_path.to_owned(),
                error,
            }),
        }
    }

    fn prepend<'a>(&self, client_path: &'a str) -> Cow<'a, str> {
        match (self.0.as_str(), client_path) {
            ("", path) => Cow::Borrowed(path),
            (prefix, "/") => Cow::Owned(prefix.to_owned()),
            (prefix, path) => Cow::Owned(format!("{prefix}{path}")),
        }
    }

    /// The client's path for a server's. What lies outside the chroot, such as
    /// /zookeeper/config, stays as it is.
    pub(crate) fn relative<'a>(&self, server_path: &'a str) -> &'a str {
        match server_path.strip_prefix(self.0.as_str()) {
            Some("") => "/",
            Some(rest) if rest.starts_with('/') => rest,
            _ => server_path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_grow_and_shrink() {
        let chroot = Chroot::new(Some("/app".into()));
        assert_eq!(chroot.absolute("/").unwrap(), "/app");
        assert_eq!(chroot.absolute("/a").unwrap(), "/app/a");
        assert_eq!(chroot.relative("/app"), "/");
        assert_eq!(chroot.relative("/app/a"), "/a");
        assert_eq!(chroot.relative("/apple"), "/apple");
        assert_eq!(chroot.relative("/zookeeper/config"), "/zookeeper/config");
        let none = Chroot::default();
        assert_eq!(none.absolute("/").unwrap(), "/");
        assert_eq!(none.relative("/a"), "/a");
    }

    #[test]
    fn a_sequential_name_may_be_empty_so_far() {
        let chroot = Chroot::default();
        assert!(chroot.absolute("/a/").is_err());
        assert_eq!(chroot.absolute_prefix("/a/").unwrap(), "/a/");
        assert!(chroot.absolute_prefix("a").is_err());
    }
}
