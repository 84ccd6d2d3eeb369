//! `cargo xtask fuzz`: the targets of `fuzz/`, guided by coverage, on the stable toolchain.
//!
//! libFuzzer is linked as a library, and the compiler's coverage pass is switched on through
//! code generation flags, which the stable compiler has. An address space limit stands in for a
//! sanitizer: whoever allocates by a hostile length is ended at once. What a run discovers goes
//! to `target/fuzz/corpus`; `fuzz/corpus` is small and kept, and changes only with `--keep`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::error::{Error, Result};
use crate::flags::FuzzArgs;
use crate::sh;
use crate::workspace::Workspace;

/// The manifest of the fuzz targets, which are a workspace of their own.
pub(crate) const MANIFEST: &str = "fuzz/Cargo.toml";

/// Edge counters, and the operands of comparisons as a dictionary.
const COVERAGE: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Well above what libFuzzer takes for itself, well below what a hostile length asks for.
const ADDRESS_SPACE_KIB: &str = "1572864";

/// How one target's run ended.
pub(crate) struct Run {
    target: String,
    status: ExitStatus,
}

impl Run {
    /// Whether the target ran its time without a finding.
    pub(crate) fn is_clean(&self) -> bool {
        self.status.success()
    }
}

/// Runs the target that was named, or all.
pub(crate) fn run(args: &FuzzArgs) -> Result<()> {
    let fuzzer = Fuzzer::build()?;
    let targets = fuzzer.select(args.target.as_deref())?;
    let runs = fuzzer.run(&targets, args.seconds)?;
    if args.keep {
        targets.iter().try_for_each(|target| fuzzer.keep(target))?;
    }
    verdict(&runs)
}

/// Runs every target.
pub(crate) fn run_all(seconds: u32) -> Result<Vec<Run>> {
    let fuzzer = Fuzzer::build()?;
    fuzzer.run(&fuzzer.select(None)?, seconds)
}

fn verdict(runs: &[Run]) -> Result<()> {
    let found: Vec<_> = runs.iter().filter(|run| !run.is_clean()).collect();
    if found.is_empty() {
        println!("fuzz: {} targets, no finding", runs.len());
        return Ok(());
    }
    let names: Vec<_> = found.iter().map(|run| run.target.as_str()).collect();
    let names = names.join(", ");
    Err(Error::wrong(format!(
        "fuzz: findings of {names}; the inputs are in fuzz/artifacts"
    )))
}

/// The built targets and where things are.
struct Fuzzer {
    root: PathBuf,
    /// Build output and discoveries.
    target_directory: PathBuf,
    binaries: PathBuf,
    targets: Vec<String>,
}

impl Fuzzer {
    fn build() -> Result<Self> {
        let workspace = Workspace::load()?;
        let host = host_triple()?;
        let target_directory = workspace.target_directory.join("fuzz");
        let mut cargo = sh::cargo(&workspace.root);
        cargo.args([
            "build",
            "--release",
            "--manifest-path",
            MANIFEST,
            "--target",
            &host,
        ]);
        cargo.arg("--target-dir").arg(&target_directory);
        sh::run(cargo.env("RUSTFLAGS", COVERAGE))?;
        Ok(Self {
            targets: targets(&workspace.root)?,
            root: workspace.root,
            binaries: target_directory.join(host).join("release"),
            target_directory,
        })
    }

    fn select(&self, target: Option<&str>) -> Result<Vec<&str>> {
        let Some(target) = target else {
            return Ok(self.targets.iter().map(String::as_str).collect());
        };
        let found = self.targets.iter().find(|own| *own == target);
        found.map(|target| vec![target.as_str()]).ok_or_else(|| {
            let known = self.targets.join(", ");
            Error::wrong(format!(
                "no fuzz target is called `{target}`; there are {known}"
            ))
        })
    }

    fn run(&self, targets: &[&str], seconds: u32) -> Result<Vec<Run>> {
        let runs = targets.iter().map(|target| self.run_one(target, seconds));
        runs.collect()
    }

    /// libFuzzer says much, so it goes to a file; a finding is shown from where it is told.
    fn run_one(&self, target: &str, seconds: u32) -> Result<Run> {
        let logs = self.directory(&self.target_directory, "logs")?;
        let path = logs.join(target).with_extension("log");
        let log = File::create(&path).map_err(|error| Error::io("create", &path, error))?;
        let status = sh::tee(self.fuzz(target, seconds)?.stderr(log), |_| {})?;
        let log = std::fs::read(&path).map_err(|error| Error::io("read", &path, error))?;
        let log = String::from_utf8_lossy(&log);
        match status.success() {
            true => println!(
                "{target}: {} inputs in {seconds} s, no finding",
                inputs(&log)
            ),
            false => println!(
                "{target}: a finding, from {}:\n{}",
                path.display(),
                finding(&log)
            ),
        }
        let target = target.to_owned();
        Ok(Run { target, status })
    }

    /// Discoveries go to the first directory; the others are read only.
    fn fuzz(&self, target: &str, seconds: u32) -> Result<Command> {
        let mut command = self.limited(target);
        let artifacts = self.directory(&self.root.join("fuzz/artifacts"), target)?;
        command.arg(format!("-max_total_time={seconds}"));
        command.arg(format!("-artifact_prefix={}/", artifacts.display()));
        command.args([
            "-rss_limit_mb=2048",
            "-timeout=10",
            "-print_final_stats=1",
            "-verbosity=0",
        ]);
        command.args([self.discoveries(target)?, self.corpus(target)?, artifacts]);
        Ok(command)
    }

    /// Adds to the kept corpus what reaches code that it does not reach yet. How often it is
    /// reached does not count: the kept corpus stays small.
    fn keep(&self, target: &str) -> Result<()> {
        let mut command = self.limited(target);
        command
            .args(["-merge=1", "-use_counters=0"])
            .args([self.corpus(target)?, self.discoveries(target)?]);
        sh::run(&mut command)
    }

    /// The target's binary under a limit of its address space.
    fn limited(&self, target: &str) -> Command {
        let mut command = Command::new("sh");
        let script = format!(r#"ulimit -v {ADDRESS_SPACE_KIB} && exec "$0" "$@""#);
        command
            .args(["-c", &script])
            .arg(self.binaries.join(target));
        command
    }

    fn corpus(&self, target: &str) -> Result<PathBuf> {
        self.directory(&self.root.join("fuzz/corpus"), target)
    }

    fn discoveries(&self, target: &str) -> Result<PathBuf> {
        self.directory(&self.target_directory.join("corpus"), target)
    }

    fn directory(&self, parent: &Path, target: &str) -> Result<PathBuf> {
        let directory = parent.join(target);
        std::fs::create_dir_all(&directory)
            .map_err(|error| Error::io("create", &directory, error))?;
        Ok(directory)
    }
}

/// How many inputs libFuzzer says it tried.
fn inputs(log: &str) -> &str {
    let count = log
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    count.map_or("an unknown number of", str::trim)
}

/// The log from the panic or libFuzzer's own report on.
fn finding(log: &str) -> &str {
    let starts = ["\nthread '", "\nmemory allocation of", "\n=="];
    let start = starts.iter().filter_map(|start| log.find(start)).min();
    log[start.unwrap_or(0)..].trim()
}

fn targets(root: &Path) -> Result<Vec<String>> {
    let fuzz = Workspace::load_manifest(&root.join(MANIFEST))?;
    let targets = fuzz.packages.iter().flat_map(|package| &package.targets);
    let binaries = targets.filter(|target| target.is("bin"));
    Ok(binaries.map(|target| target.name.clone()).collect())
}

/// Flags reach build scripts too unless cargo is told the target, even if it is the host.
fn host_triple() -> Result<String> {
    let version = sh::read(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| Error::wrong("rustc -vV names no host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_inputs_is_read_from_the_log() {
        let log = "INFO: x\nstat::number_of_executed_units: 7920209\nstat::new_units_added: 1\n";
        assert_eq!(inputs(log), "7920209");
        assert_eq!(inputs(""), "an unknown number of");
    }

    #[test]
    fn a_finding_is_shown_from_its_report_on() {
        let log = "INFO: x\n#1 pulse\n\nthread '<unnamed>' panicked at a.rs:1:2:\nwhy\n==7== ERROR";
        assert!(finding(log).starts_with("thread '<unnamed>'"));
        assert_eq!(finding("odd\n"), "odd");
    }
}
