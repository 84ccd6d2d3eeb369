//! Apache ZooKeeper 3.8.0, out of Debian's packages, which are unpacked and not installed.

use std::fs;
use std::path::{Path, PathBuf};

use super::cache::{self, Recipe};
use super::{Policy, apt, probe};
use crate::error::{Error, Result};

const RECIPE: Recipe<'_> = Recipe {
    name: "apache-3.8.0",
    stamp: "Apache ZooKeeper 3.8.0 out of Debian's packages, recipe 1\n",
};

/// ZooKeeper and what its server loads.
const PACKAGES: [&str; 11] = [
    "libzookeeper-java",
    "libslf4j-java",
    "liblog4j1.2-java",
    "libnetty-java",
    "libcommons-cli-java",
    "libcommons-io-java",
    "libdropwizard-metrics-java",
    "libsnappy-java",
    "libjackson2-annotations-java",
    "libjackson2-core-java",
    "libjackson2-databind-java",
];

/// Debian names each jar twice; these are the names without a version.
const JARS: [&str; 18] = [
    "zookeeper",
    "zookeeper-jute",
    "slf4j-api",
    "slf4j-log4j12",
    "log4j-1.2",
    "netty-buffer",
    "netty-codec",
    "netty-common",
    "netty-handler",
    "netty-resolver",
    "netty-transport",
    "commons-cli",
    "commons-io",
    "metrics-core",
    "snappy-java",
    "jackson-annotations",
    "jackson-core",
    "jackson-databind",
];

/// Warnings on stderr, more with `-Dzk.log.level=INFO`.
const LOGGING: &str = "\
zk.log.level = WARN
log4j.rootLogger = ${zk.log.level}, stderr
log4j.appender.stderr = org.apache.log4j.ConsoleAppender
log4j.appender.stderr.target = System.err
log4j.appender.stderr.layout = org.apache.log4j.PatternLayout
log4j.appender.stderr.layout.ConversionPattern = %d{HH:mm:ss,SSS} %p %c{1}: %m%n
";

/// A directory of jars and a logging configuration: class path `DIR/*:DIR`.
pub(super) fn provide(cache: &Path, policy: Policy, java: Option<&Path>) -> Result<PathBuf> {
    RECIPE.provide(cache, policy, |directory| {
        let java = java.ok_or_else(|| Error::wrong("cannot be tried out without Java"))?;
        let unpacked = directory.join("unpacked");
        apt::unpack(
            &PACKAGES,
            &unpacked.join("downloads"),
            &unpacked.join("root"),
        )?;
        collect(&unpacked.join("root/usr/share/java"), directory)?;
        cache::clear(&unpacked)?;
        cache::write(&directory.join("log4j.properties"), LOGGING)?;
        probe::server(java, directory, "3.8.0")
    })
}

/// Copies the jars, following Debian's links.
fn collect(from: &Path, to: &Path) -> Result<()> {
    for jar in JARS {
        let name = format!("{jar}.jar");
        let source = from.join(&name);
        fs::copy(&source, to.join(name)).map_err(|error| Error::io("copy", &source, error))?;
    }
    Ok(())
}
