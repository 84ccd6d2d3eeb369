//! A znode here or in another ensemble: `/path`, or `host:port/path`.

use crate::commands::Context;
use crate::error::CliError;
use crate::shell;
use zk_client::{Client, Events};

/// A znode and the session to reach it by.
pub(super) struct Place {
    pub(super) client: Client,
    pub(super) path: String,
    /// Kept, so that the other session lives.
    events: Option<Events>,
}

impl Place {
    /// What `word` means. Another ensemble gets a session of its own.
    pub(super) fn find(context: &Context<'_>, word: &str) -> Result<Self, CliError> {
        let Some((host, path)) = elsewhere(word) else {
            return Ok(Self {
                client: context.client.clone(),
                path: context.path(word),
                events: None,
            });
        };
        let (client, events) = shell::connect(context.args, host)?;
        Ok(Self {
            client,
            path: path.to_owned(),
            events: Some(events),
        })
    }

    /// Ends the session, if it is another one.
    pub(super) async fn leave(self) {
        if self.events.is_some() {
            let _ = self.client.close().await;
        }
    }
}

/// Host and path of a word that names another ensemble.
fn elsewhere(word: &str) -> Option<(&str, &str)> {
    let end = word.find('/').unwrap_or(word.len());
    let (host, path) = word.split_at(end);
    let path = if path.is_empty() { "/" } else { path };
    host.contains(':').then_some((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_ports() {
        assert_eq!(elsewhere("h:1/a/b"), Some(("h:1", "/a/b")));
        assert_eq!(elsewhere("h:1,i:2"), Some(("h:1,i:2", "/")));
        assert_eq!(elsewhere("/a:b/c"), None);
        assert_eq!(elsewhere("relative/x:1"), None);
    }
}
