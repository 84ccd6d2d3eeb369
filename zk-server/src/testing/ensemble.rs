//! The servers of a test as a whole.

use super::member::{Member, Running};
use super::{Builder, TestingError};
use crate::{Server, ServerError, ServerRole};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Some servers of one ensemble, or one that stands alone. They are known by
/// their numbers, from 1 on. When it is dropped they are killed, and their
/// files are removed.
///
/// # Panics
/// All methods panic when there is no server of that number; those that act
/// on a running server also when it does not run.
#[derive(Debug)]
pub struct Ensemble {
    members: BTreeMap<u64, Member>,
    /// Behind an option so that it can be given up without waiting.
    runtime: Option<Runtime>,
    /// Removed with this.
    _dir: TempDir,
}

impl Ensemble {
    /// A single server, or with more than one an ensemble; all serve.
    ///
    /// # Errors
    /// See [`TestingError`].
    pub async fn start(servers: usize) -> Result<Self, TestingError> {
        Self::builder().voters(servers).start().await
    }

    /// For more than a number of servers.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(super) fn new(runtime: Runtime, dir: TempDir, members: BTreeMap<u64, Member>) -> Self {
        Self {
            members,
            runtime: Some(runtime),
            _dir: dir,
        }
    }

    /// All servers, for a client; also those that do not run.
    #[must_use]
    pub fn connect_string(&self) -> String {
        let hosts = self.members.values().map(|member| member.address);
        hosts
            .map(|address| address.to_string())
            .collect::<Vec<_>>()
            .join(",")
    }

    /// Where a server's clients connect.
    #[must_use]
    pub fn address(&self, id: u64) -> SocketAddr {
        self.member(id).address
    }

    /// Where a server keeps its files; `version-2` is below.
    #[must_use]
    pub fn data_dir(&self, id: u64) -> &Path {
        &self.member(id).dir
    }

    /// The numbers of the servers that run.
    pub fn running(&self) -> impl Iterator<Item = u64> {
        let running = |(id, member): (&u64, &Member)| member.running.is_some().then_some(*id);
        self.members.iter().filter_map(running)
    }

    /// What a server is at the moment.
    #[must_use]
    pub fn role(&self, id: u64) -> ServerRole {
        self.server(id).role()
    }

    /// Waits until all servers that run serve clients, each in its role.
    pub async fn serving(&self) {
        for id in self.running() {
            self.until_role(id, ServerRole::serves).await;
        }
    }

    /// Waits until a server has a role that is wanted.
    pub async fn until_role(
        &self,
        id: u64,
        is_wanted: impl FnMut(ServerRole) -> bool,
    ) -> ServerRole {
        self.server(id).until_role(is_wanted).await
    }

    /// Waits until one of the running servers leads, or stands alone, and all
    /// serve; says which.
    pub async fn leader(&self) -> u64 {
        loop {
            self.serving().await;
            if let Some(leader) = self.running().find(|id| self.leads(*id)) {
                return leader;
            }
            // Followers that have not noticed yet that theirs is gone.
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    fn leads(&self, id: u64) -> bool {
        matches!(self.role(id), ServerRole::Leader | ServerRole::Standalone)
    }

    /// Kills a server as `kill -9` does: connections break, and its files stay
    /// as they are at this moment.
    pub async fn kill(&mut self, id: u64) {
        let running = self.take(id);
        self.on_runtime(running.kill()).await;
    }

    /// Stops a server as SIGTERM does.
    ///
    /// # Errors
    /// When it had not been able to write its files.
    pub async fn stop(&mut self, id: u64) -> Result<(), ServerError> {
        let running = self.take(id);
        self.on_runtime(running.server.stop()).await
    }

    /// Starts a server that was killed or stopped, on its files, and waits
    /// until it serves. Without a quorum it never does: see
    /// [`Ensemble::launch`].
    ///
    /// # Errors
    /// When it cannot start.
    pub async fn restart(&mut self, id: u64) -> Result<(), TestingError> {
        self.launch(id).await?;
        self.until_role(id, ServerRole::serves).await;
        Ok(())
    }

    /// Starts a server, and does not wait until it serves.
    ///
    /// # Errors
    /// When it cannot start.
    pub async fn launch(&mut self, id: u64) -> Result<(), TestingError> {
        let member = self.member(id);
        assert!(member.running.is_none(), "server {id} runs");
        let start = Running::start(member.config()?);
        let started = self.on_runtime(start).await;
        let running = started.map_err(|error| TestingError::Start { id, error })?;
        self.member_mut(id).running = Some(running);
        Ok(())
    }

    /// At once, as an election needs more than one.
    pub(super) async fn start_all(&mut self) -> Result<(), TestingError> {
        let ids: Vec<u64> = self.members.keys().copied().collect();
        for id in ids {
            self.launch(id).await?;
        }
        self.serving().await;
        Ok(())
    }

    /// The servers' tasks belong to the servers' runtime, whoever asks.
    async fn on_runtime<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let runtime = self.runtime.as_ref().expect("it is there until the drop");
        match runtime.spawn(work).await {
            Ok(done) => done,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }

    fn member(&self, id: u64) -> &Member {
        let member = self.members.get(&id);
        member.unwrap_or_else(|| panic!("there is no server {id}"))
    }

    fn member_mut(&mut self, id: u64) -> &mut Member {
        let member = self.members.get_mut(&id);
        member.unwrap_or_else(|| panic!("there is no server {id}"))
    }

    fn server(&self, id: u64) -> &Server {
        let running = self.member(id).running.as_ref();
        let running = running.unwrap_or_else(|| panic!("server {id} does not run"));
        &running.server
    }

    fn take(&mut self, id: u64) -> Running {
        let running = self.member_mut(id).running.take();
        running.unwrap_or_else(|| panic!("server {id} does not run"))
    }
}

impl Drop for Ensemble {
    fn drop(&mut self) {
        for member in self.members.values_mut() {
            if let Some(running) = member.running.take() {
                running.abandon();
            }
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
