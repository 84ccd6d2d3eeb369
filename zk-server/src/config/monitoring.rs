//! How a server is watched and steered from outside, typed: four-letter
//! words, the admin server, metrics, the audit log. It refuses to answer.

use super::settings::Settings;
use std::collections::BTreeSet;
use std::time::Duration;

/// How a server is watched and steered from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitoring {
    /// Which four-letter words are answered.
    pub four_letter_words: FourLetterWhitelist,
    /// The admin server.
    pub admin: Admin,
    /// The metrics exporter.
    pub metrics: Metrics,
    /// Whether an audit log is written.
    pub audit_enabled: bool,
}

/// Which four-letter words are answered (`FourLetterCommands.isEnabled`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FourLetterWhitelist {
    all: bool,
    words: BTreeSet<String>,
}

/// The admin server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Whether it is wanted.
    pub enabled: bool,
    /// The host it listens on.
    pub address: String,
    /// The port it listens on.
    pub port: i32,
    /// How long a connection may be idle.
    pub idle_timeout: Duration,
    /// The path that all commands are under.
    pub command_url: String,
}

/// The metrics exporter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// The Java class that Apache would load; `None`: its default, which only
    /// the admin server and four-letter words show.
    pub class_name: Option<String>,
    /// The host it listens on.
    pub http_host: String,
    /// The port it listens on.
    pub http_port: i32,
}

impl Monitoring {
    pub(super) fn read(settings: &Settings) -> Self {
        Self {
            four_letter_words: FourLetterWhitelist::read(settings),
            admin: Admin::read(settings),
            metrics: Metrics::read(settings),
            audit_enabled: settings.flag("audit.enable", false),
        }
    }
}

impl FourLetterWhitelist {
    /// Whether `word` is answered.
    #[must_use]
    pub fn allows(&self, word: &str) -> bool {
        self.all || self.words.contains(word)
    }

    fn read(settings: &Settings) -> Self {
        let list = settings.text("4lw.commands.whitelist").unwrap_or_default();
        let mut words: BTreeSet<String> = list.split(',').map(|word| word.trim().into()).collect();
        // zkServer.sh asks srvr, clients of a read-only server ask isro.
        words.insert("srvr".to_owned());
        if settings.flag("readonlymode.enabled", false) {
            words.insert("isro".to_owned());
        }
        let all = words.remove("*");
        Self { all, words }
    }
}

impl Admin {
    fn read(settings: &Settings) -> Self {
        let text = |key, default| settings.text(key).unwrap_or(default).to_owned();
        Self {
            enabled: settings.flag("admin.enableServer", true),
            address: text("admin.serverAddress", "0.0.0.0"),
            port: settings.int("admin.serverPort").unwrap_or(8080),
            idle_timeout: settings.millis("admin.idleTimeout", 30_000),
            command_url: text("admin.commandURL", "/commands"),
        }
    }
}

impl Metrics {
    fn read(settings: &Settings) -> Self {
        let host = settings.text("metricsProvider.httpHost");
        Self {
            class_name: settings.text("metricsProvider.className").map(Into::into),
            http_host: host.unwrap_or("0.0.0.0").to_owned(),
            http_port: settings.int("metricsProvider.httpPort").unwrap_or(7000),
        }
    }
}
