//! Apache ZooKeeper 3.9.5, out of the source package of pyspark 4.3.0, which ships its jars.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::cache::{self, Recipe};
use super::{Policy, probe, python};
use crate::error::{Error, Result};
use crate::sh;

const RECIPE: Recipe<'_> = Recipe {
    name: "apache-3.9.5",
    stamp: "Apache ZooKeeper 3.9.5 out of pyspark 4.3.0, recipe 1\n",
};

/// The source package, as pip names it and as it names its file.
const PACKAGE: &str = "pyspark==4.3.0";
const ARCHIVE: &str = "pyspark-4.3.0.tar.gz";

/// Where the jars are in the archive, and how many directories that is.
const JARS: &str = "pyspark-4.3.0/deps/jars/";
const JARS_DEPTH: &str = "--strip-components=3";

/// The server, its shell, its logging, and curator as another client.
const PATTERNS: [&str; 17] = [
    "zookeeper-*.jar",
    "slf4j-api-*.jar",
    "log4j-api-*.jar",
    "log4j-core-*.jar",
    "log4j-slf4j2-impl-*.jar",
    "netty-[abcht]*.jar",
    "netty-resolver-[0-9]*.jar",
    "commons-cli-*.jar",
    "commons-io-*.jar",
    "metrics-core-*.jar",
    "snappy-java-*.jar",
    "jackson-annotations-*.jar",
    "jackson-core-[0-9]*.jar",
    "jackson-databind-*.jar",
    "curator-*.jar",
    "guava-*.jar",
    "jline-2*.jar",
];

/// Warnings on stderr, more with `-Dzk.log.level=INFO`.
const LOGGING: &str = "\
status = error
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{HH:mm:ss,SSS} %p %c{1}: %m%n
rootLogger.level = ${sys:zk.log.level:-WARN}
rootLogger.appenderRef.stderr.ref = stderr
";

/// A directory of jars and a logging configuration: class path `DIR/*:DIR`.
pub(super) fn provide(cache: &Path, policy: Policy, java: Option<&Path>) -> Result<PathBuf> {
    RECIPE.provide(cache, policy, |directory| {
        let java = java.ok_or_else(|| Error::wrong("cannot be tried out without Java"))?;
        let python = python::provide(cache, policy)?;
        let archive = download(&python, &cache.join("downloads"))?;
        extract(&archive, directory)?;
        cache::write(&directory.join("log4j2.properties"), LOGGING)?;
        probe::server(java, directory, "3.9.5")?;
        cache::clear(&cache.join("downloads"))
    })
}

/// Downloads the archive, unless an earlier attempt came that far.
fn download(python: &Path, downloads: &Path) -> Result<PathBuf> {
    let archive = downloads.join(ARCHIVE);
    if archive.is_file() {
        return Ok(archive);
    }
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps"]);
    pip.args(["--no-binary", "pyspark", "--no-build-isolation", "--dest"]);
    sh::run(pip.arg(downloads).arg(PACKAGE))?;
    Ok(archive)
}

fn extract(archive: &Path, directory: &Path) -> Result<()> {
    let mut tar = Command::new("tar");
    tar.args([
        "--extract",
        "--gzip",
        "--no-same-owner",
        "--wildcards",
        JARS_DEPTH,
    ]);
    tar.arg("--file")
        .arg(archive)
        .arg("--directory")
        .arg(directory);
    sh::run(tar.args(PATTERNS.map(|pattern| format!("{JARS}{pattern}"))))
}
