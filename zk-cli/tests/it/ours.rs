//! A server of ours, inside the test, and `zk` talking to it.

use crate::zk::{self, Run};
use tokio::runtime::Runtime;
use zk_server::testing::Ensemble;

/// One server; it ends with this value.
pub(crate) struct Ours {
    ensemble: Ensemble,
    _runtime: Runtime,
}

impl Ours {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let builder = Ensemble::builder()
            .setting("extendedTypesEnabled", "true")
            .setting("tickTime", "200");
        let ensemble = runtime.block_on(builder.start()).unwrap();
        Self {
            ensemble,
            _runtime: runtime,
        }
    }

    pub(crate) fn address(&self) -> String {
        self.ensemble.address(1).to_string()
    }

    /// Runs one command, quietly; it may fail.
    pub(crate) fn run(&self, command: &[&str]) -> Run {
        let address = self.address();
        let options = ["-q", "-server", &address];
        zk::run(options.iter().chain(command).copied())
    }

    /// Runs one command, which must succeed; answers what it printed.
    #[track_caller]
    pub(crate) fn ok(&self, command: &[&str]) -> String {
        let run = self.run(command);
        assert_eq!(run.exit, 0, "{command:?}: {run:?}");
        run.stdout
    }

    /// Runs one command, which must exit with `code`; answers its error.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, command: &[&str]) -> String {
        let run = self.run(command);
        assert_eq!(run.exit, code, "{command:?}: {run:?}");
        run.stderr
    }

    /// The JSON that one command prints, which must succeed.
    #[track_caller]
    pub(crate) fn json(&self, command: &[&str]) -> serde_json::Value {
        let text = self.ok(&[command, &["-o", "json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Feeds lines to the shell, quietly.
    pub(crate) fn lines(&self, lines: &str) -> Run {
        zk::run_with_input(&["-q", "-server", &self.address()], lines)
    }
}
