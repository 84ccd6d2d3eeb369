//! The kinds of servers that can stand in an ensemble, and how each is started.
//!
//! A kind is chosen per server and all kinds read the same zoo.cfg, so nothing else in this
//! directory asks which kind a server is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::provision::{Part, Policy, Provisions};
use crate::sh;
use crate::workspace::Workspace;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Kind {
    /// The server of this workspace.
    Ours,
    /// Apache ZooKeeper 3.9.5.
    #[value(name = "apache-3.9.5")]
    Apache395,
    /// Apache ZooKeeper 3.8.0.
    #[value(name = "apache-3.8.0")]
    Apache380,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours => "ours",
            Self::Apache395 => "apache-3.9.5",
            Self::Apache380 => "apache-3.8.0",
        })
    }
}

/// A server that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) kind: Kind,
    files: Files,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Files {
    /// Our binary.
    Binary(PathBuf),
    /// A `java` and a directory of jars with a logging configuration.
    Jars { java: PathBuf, jars: PathBuf },
}

/// How much a server writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogLevel {
    /// What a server writes must not be part of what it costs.
    Warn,
    /// Elections and connections of peers too.
    Info,
}

impl Program {
    /// Our server, from a binary.
    pub(crate) fn ours(binary: &Path) -> Result<Self> {
        let binary = binary.canonicalize();
        let binary = binary.map_err(|error| Error::io("find", Path::new("zk-server"), error))?;
        Ok(Self {
            kind: Kind::Ours,
            files: Files::Binary(binary),
        })
    }

    /// Apache's server, from a directory of jars.
    pub(crate) fn apache(kind: Kind, java: &Path, jars: &Path) -> Self {
        Self {
            kind,
            files: Files::Jars {
                java: java.to_owned(),
                jars: jars.to_owned(),
            },
        }
    }

    /// The command that runs the server on a zoo.cfg.
    pub(crate) fn command(&self, configuration: &Path, level: LogLevel) -> Command {
        match &self.files {
            Files::Binary(binary) => {
                let mut command = Command::new(binary);
                command.env("ZK_LOG", level.name().to_lowercase());
                command.arg(configuration);
                command
            }
            Files::Jars { java, jars } => {
                let mut command = Command::new(java);
                command.arg("-Dzookeeper.admin.enableServer=false");
                command.arg(format!("-Dzk.log.level={}", level.name()));
                command.arg("-cp").arg(format!("{0}/*:{0}", jars.display()));
                command.arg("org.apache.zookeeper.server.quorum.QuorumPeerMain");
                command.arg(configuration);
                command
            }
        }
    }

    /// The command that runs a program in Java with the server's jars, from its source.
    ///
    /// # Panics
    /// If the server is not Apache's.
    pub(crate) fn java(&self, source: &Path) -> Command {
        let Files::Jars { java, jars } = &self.files else {
            panic!("only Apache's servers come with jars");
        };
        let mut command = Command::new(java);
        command.arg("-cp").arg(format!("{0}/*:{0}", jars.display()));
        command.arg(source);
        command
    }
}

impl LogLevel {
    fn name(self) -> &'static str {
        match self {
            Self::Warn => "WARN",
            Self::Info => "INFO",
        }
    }
}

/// Finds, builds or fetches servers.
#[derive(Debug)]
pub(crate) struct Programs {
    root: PathBuf,
    target_directory: PathBuf,
    provisions: Option<Provisions>,
    /// Which build of ours.
    release: bool,
    /// Our server, instead of a build.
    server: Option<PathBuf>,
    /// The jars of 3.9.5, instead of the provisioned ones.
    apache_home: Option<PathBuf>,
}

impl Programs {
    /// Finds what an optimised build makes, unless [`Self::debug`] says otherwise.
    pub(crate) fn new(workspace: &Workspace) -> Self {
        Self {
            root: workspace.root.clone(),
            target_directory: workspace.target_directory.clone(),
            provisions: None,
            release: true,
            server: std::env::var_os("ZK_SERVER_BIN").map(PathBuf::from),
            apache_home: None,
        }
    }

    /// Takes this for our server. Without it the variable ZK_SERVER_BIN is looked at, and
    /// without that the server is built.
    pub(crate) fn with_server(mut self, server: Option<PathBuf>) -> Self {
        self.server = server.or(self.server);
        self
    }

    /// Takes the jars of Apache 3.9.5 from this directory.
    pub(crate) fn with_apache_home(mut self, home: Option<PathBuf>) -> Self {
        self.apache_home = home;
        self
    }

    /// Builds without optimisation, which is sooner done.
    pub(crate) fn debug(mut self) -> Self {
        self.release = false;
        self
    }

    /// The server of a kind.
    pub(crate) fn find(&mut self, kind: Kind) -> Result<Program> {
        match kind {
            Kind::Ours => self.ours(),
            Kind::Apache395 => self.apache(kind, Part::Apache395),
            Kind::Apache380 => self.apache(kind, Part::Apache380),
        }
    }

    fn ours(&mut self) -> Result<Program> {
        let binary = match self.server.take() {
            Some(binary) => binary,
            None => self.build()?,
        };
        Program::ours(self.server.insert(binary))
    }

    fn build(&self) -> Result<PathBuf> {
        let mut cargo = sh::cargo(&self.root);
        cargo.args(["build", "--package", "zk-server"]);
        let profile = if self.release {
            cargo.arg("--release");
            "release"
        } else {
            "debug"
        };
        sh::run(&mut cargo)?;
        Ok(self.target_directory.join(profile).join("zk-server"))
    }

    fn apache(&mut self, kind: Kind, part: Part) -> Result<Program> {
        let gather = || Provisions::gather(&self.root, Policy::Install);
        let provisions = self.provisions.get_or_insert_with(gather);
        let given = self.apache_home.as_deref();
        let given = given.filter(|_| part == Part::Apache395);
        let needed = match given {
            Some(_) => &[Part::Java][..],
            None => &[Part::Java, part],
        };
        let missing = || Error::wrong(provisions.missing(needed).unwrap_or_default());
        let path = |part| provisions.path(part).ok_or_else(missing);
        let java = path(Part::Java)?;
        let jars = given.map_or_else(|| path(part), Ok)?;
        Ok(Program::apache(kind, java, jars))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_shown_as_they_are_given() {
        for kind in <Kind as clap::ValueEnum>::value_variants() {
            let shown = <Kind as clap::ValueEnum>::from_str(&kind.to_string(), false);
            assert_eq!(shown, Ok(*kind));
        }
    }

    #[test]
    fn apache_is_started_on_its_jars() {
        let program = Program::apache(Kind::Apache395, Path::new("java"), Path::new("/jars"));
        let line = sh::line(&program.command(Path::new("/zoo.cfg"), LogLevel::Warn));
        assert!(line.contains("-cp '/jars/*:/jars'"), "{line}");
        assert!(line.ends_with("QuorumPeerMain /zoo.cfg"), "{line}");
    }
}
