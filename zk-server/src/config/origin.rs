//! Where a setting was written, for messages.

use std::fmt;
use std::path::PathBuf;

/// Where a setting was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// In a configuration file.
    File {
        /// The file as it was given.
        path: PathBuf,
        /// The line the entry begins on, from 1.
        line: usize,
    },
    /// In an environment variable with options of a JVM.
    Environment(&'static str),
    /// As this argument on the command line, from 1.
    Argument(usize),
    /// Nowhere: a default of this program.
    #[default]
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::Environment(variable) => f.write_str(variable),
            Self::Argument(position) => write!(f, "argument {position}"),
            Self::Default => f.write_str("default"),
        }
    }
}
