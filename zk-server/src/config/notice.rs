//! What the configuration has to say once at start: keys without an effect,
//! values read otherwise than they may have been meant. It refuses to know
//! how lines are logged.

use std::fmt;

/// How loud a [`Notice`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Good to know.
    Info,
    /// Probably not what was meant.
    Warn,
}

/// One line of the start report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How loud to say it.
    pub level: Level,
    /// The line, without its end.
    pub text: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Notices in the order in which they came up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Notices(pub(super) Vec<Notice>);

impl Notices {
    pub(super) fn info(&mut self, text: impl Into<String>) {
        self.push(Level::Info, text.into());
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.push(Level::Warn, text.into());
    }

    fn push(&mut self, level: Level, text: String) {
        self.0.push(Notice { level, text });
    }
}
