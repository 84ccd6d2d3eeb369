//! The tasks of a network, which end with it.

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinSet};

/// Tasks that end together.
pub(super) struct Tasks {
    runtime: Handle,
    /// None after the end.
    running: Mutex<Option<JoinSet<()>>>,
}

impl Tasks {
    /// Tasks of the runtime that this is called in.
    pub(super) fn new() -> Self {
        Self {
            runtime: Handle::current(),
            running: Mutex::new(Some(JoinSet::new())),
        }
    }

    /// Starts a task, from any thread. After the end nothing is started.
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Option<AbortHandle> {
        let mut running = self.running.lock();
        let running = running.as_mut()?;
        // Those that ended are forgotten.
        while running.try_join_next().is_some() {}
        Some(running.spawn_on(task, &self.runtime))
    }

    /// Ends all tasks, a moment later. No more are started.
    pub(super) fn stop(&self) {
        drop(self.running.lock().take());
    }
}
