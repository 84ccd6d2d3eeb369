//! The steps of a test run: what each is called, costs and does.

use std::process::Command;

use super::tally::Tally;
use super::{Context, stages};
use crate::error::Result;
use crate::provision::{Part, Policy, Provisions};
use crate::workspace::Workspace;
use crate::{fuzz, sh, tidy};

/// One step of a test run.
pub(super) struct Step {
    pub(super) name: String,
    pub(super) cost: Cost,
    action: Action,
}

type Action = Box<dyn Fn(&mut Context) -> Result<Outcome>>;

/// Whether `--quick` leaves a step out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// Needs nothing but cargo and is part of every run.
    Short,
    /// Fetches something or runs for minutes.
    Long,
}

/// How a step ended.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) tally: Tally,
    /// Why it failed or was skipped, or how much it did.
    pub(super) note: Option<String>,
}

/// All steps in their order. The README's one command runs exactly these.
pub(super) fn plan(workspace: &Workspace) -> Vec<Step> {
    let mut steps = vec![
        Step::long("provision", provision),
        Step::short("fmt", fmt),
        Step::short("clippy", clippy),
        Step::short("doc", doc),
        Step::short("tidy", |_| checked(tidy::run())),
        Step::short("build", build),
        Step::short("test", test),
    ];
    steps.extend(stages::plan(workspace));
    steps.push(Step::long("fuzz", |context| fuzz(context.fuzz_seconds)));
    steps
}

impl Step {
    fn short(name: &str, action: impl Fn(&mut Context) -> Result<Outcome> + 'static) -> Self {
        Self::new(name, Cost::Short, Box::new(action))
    }

    pub(super) fn long(
        name: &str,
        action: impl Fn(&mut Context) -> Result<Outcome> + 'static,
    ) -> Self {
        Self::new(name, Cost::Long, Box::new(action))
    }

    fn new(name: &str, cost: Cost, action: Action) -> Self {
        Self {
            name: name.to_owned(),
            cost,
            action,
        }
    }

    /// A step that could not even be carried out has failed.
    pub(super) fn run(&self, context: &mut Context) -> Outcome {
        (self.action)(context).unwrap_or_else(|error| Outcome::failed(error.to_string()))
    }
}

impl Outcome {
    pub(super) fn passed() -> Self {
        Self {
            tally: Tally::PASSED,
            note: None,
        }
    }

    pub(super) fn failed(reason: impl Into<String>) -> Self {
        Self {
            tally: Tally::FAILED,
            note: Some(reason.into()),
        }
    }

    pub(super) fn skipped(reason: impl Into<String>) -> Self {
        Self {
            tally: Tally::SKIPPED,
            note: Some(reason.into()),
        }
    }

    /// The outcome of test binaries; one that ended badly without a failed test counts as one.
    pub(super) fn tests(tally: Tally, succeeded: bool) -> Self {
        if !succeeded && tally.failed == 0 {
            return Self {
                tally: tally + Tally::FAILED,
                note: Some("did not run to its end".to_owned()),
            };
        }
        let tests = tally.passed + tally.failed;
        Self {
            tally,
            note: Some(format!("{tests} tests")),
        }
    }

    /// Whether the step did anything.
    pub(super) fn ran(&self) -> bool {
        self.tally.passed + self.tally.failed > 0 || self.tally.is_empty()
    }

    /// The step's name with the note on it.
    pub(super) fn describe(&self, step: &str) -> String {
        match &self.note {
            Some(note) => format!("{step} ({note})"),
            None => step.to_owned(),
        }
    }
}

/// Runs a command whose end counts as one check.
fn check(command: &mut Command) -> Result<Outcome> {
    checked(sh::run(command))
}

fn checked(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::passed())
}

/// What is missing is a skip and not a failure: the stages that need it say so again.
fn provision(context: &mut Context) -> Result<Outcome> {
    context.provisions = Provisions::gather(&context.workspace.root, Policy::Install);
    Ok(match context.provisions.missing(&Part::ALL) {
        None => Outcome::passed(),
        Some(reasons) => Outcome::skipped(reasons),
    })
}

fn fmt(context: &mut Context) -> Result<Outcome> {
    let root = &context.workspace.root;
    sh::run(sh::cargo(root).args(["fmt", "--check"]))?;
    check(sh::cargo(root).args(["fmt", "--check", "--manifest-path", fuzz::MANIFEST]))
}

/// Stages are no default targets of their crates, so cargo is asked for them by name.
fn clippy(context: &mut Context) -> Result<Outcome> {
    let workspace = &context.workspace;
    lint(
        workspace,
        &["--workspace", "--all-features", "--all-targets"],
    )?;
    for stage in stages::names(workspace) {
        lint(
            workspace,
            &["--workspace", "--all-features", "--test", &stage],
        )?;
    }
    // The simulator and all below it, as they are without the bugs that tests put back.
    lint(workspace, &["--package", "zk-server", "--test", "sim"])?;
    lint(
        workspace,
        &[
            "--manifest-path",
            fuzz::MANIFEST,
            "--target-dir",
            "target/fuzz",
        ],
    )?;
    Ok(Outcome::passed())
}

fn lint(workspace: &Workspace, what: &[&str]) -> Result<()> {
    let mut cargo = sh::cargo(&workspace.root);
    cargo
        .arg("clippy")
        .args(what)
        .args(["--", "--deny", "warnings"]);
    sh::run(&mut cargo)
}

fn doc(context: &mut Context) -> Result<Outcome> {
    let mut cargo = sh::cargo(&context.workspace.root);
    cargo.args([
        "doc",
        "--workspace",
        "--all-features",
        "--no-deps",
        "--document-private-items",
    ]);
    check(cargo.env("RUSTDOCFLAGS", "-D warnings"))
}

fn build(context: &mut Context) -> Result<Outcome> {
    context.is_built = false;
    sh::run(sh::cargo(&context.workspace.root).args(["build", "--release", "--workspace"]))?;
    context.is_built = true;
    Ok(Outcome::passed())
}

fn test(context: &mut Context) -> Result<Outcome> {
    let mut cargo = sh::cargo(&context.workspace.root);
    cargo.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
    cargo_test(context, &mut cargo)
}

/// Runs a `cargo test` and counts its tests.
pub(super) fn cargo_test(context: &Context, cargo: &mut Command) -> Result<Outcome> {
    context.apply(cargo);
    let mut tally = Tally::default();
    let status = sh::tee(cargo, |line| {
        tally = tally + Tally::of_line(line).unwrap_or_default();
    })?;
    Ok(Outcome::tests(tally, status.success()))
}

fn fuzz(seconds: u32) -> Result<Outcome> {
    let runs = fuzz::run_all(seconds)?;
    let count = |clean: bool| runs.iter().filter(|run| run.is_clean() == clean).count();
    let tally = Tally {
        passed: count(true) as u64,
        failed: count(false) as u64,
        skipped: 0,
    };
    let note = format!("{} targets, {seconds} s each", runs.len());
    Ok(Outcome {
        tally,
        note: Some(note),
    })
}
