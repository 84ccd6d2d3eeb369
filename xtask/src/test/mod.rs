//! `cargo xtask test`: every check and test of the project, in order, with one closing line.
//!
//! Steps are independent of each other: one that fails does not keep the next from running, so
//! a single run shows all there is to mend. What a step needs and the machine lacks makes it a
//! skip that is named at the end.

mod report;
mod stages;
mod steps;
mod tally;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::error::{Error, Result};
use crate::flags::TestArgs;
use crate::provision::{Policy, Provisions};
use crate::workspace::Workspace;

use report::Report;
use steps::{Cost, Outcome, Step};

/// Runs the selected steps and says on the last lines what ran.
pub(crate) fn run(args: &TestArgs) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let steps = steps::plan(&workspace);
    if args.list {
        steps.iter().for_each(|step| println!("{}", step.name));
        return Ok(ExitCode::SUCCESS);
    }
    check_names(args, &steps)?;
    let provisions = Provisions::gather(&workspace.root, Policy::Look);
    let mut context = Context {
        workspace,
        provisions,
        fuzz_seconds: args.fuzz_seconds,
        is_built: true,
    };
    let mut report = Report::default();
    for step in steps.iter().filter(|step| is_asked(args, step)) {
        println!("\n== {} ==", step.name);
        let begin = Instant::now();
        let outcome = match skip_reason(args, step) {
            Some(reason) => Outcome::skipped(reason),
            None => step.run(&mut context),
        };
        report.add(&step.name, outcome);
        println!("{}: {} s", step.name, begin.elapsed().as_secs());
    }
    print!("{report}");
    Ok(report.exit_code())
}

/// What steps share.
struct Context {
    workspace: Workspace,
    provisions: Provisions,
    fuzz_seconds: u32,
    /// Whether the release binaries are there; until the build says otherwise they may be.
    is_built: bool,
}

impl Context {
    /// Where the release build puts a binary.
    fn release_binary(&self, name: &str) -> PathBuf {
        self.workspace.target_directory.join("release").join(name)
    }

    /// Lets tests find what was built and provisioned.
    fn apply(&self, command: &mut Command) {
        self.provisions.apply(command);
        command.env("ZK_SERVER_BIN", self.release_binary("zk-server"));
        command.env("ZK_CLI_BIN", self.release_binary("zk"));
    }
}

/// With `--only`, a step that was not named is not asked for, and so is no skip.
fn is_asked(args: &TestArgs, step: &Step) -> bool {
    args.only.is_empty() || args.only.contains(&step.name)
}

fn skip_reason(args: &TestArgs, step: &Step) -> Option<&'static str> {
    if args.skip.contains(&step.name) {
        return Some("--skip");
    }
    (args.quick && step.cost == Cost::Long).then_some("--quick")
}

fn check_names(args: &TestArgs, steps: &[Step]) -> Result<()> {
    let known: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    let mut asked = args.only.iter().chain(&args.skip);
    match asked.find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let known = known.join(", ");
            Err(Error::wrong(format!(
                "no step is called `{name}`; there are {known}"
            )))
        }
    }
}
