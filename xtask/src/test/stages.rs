//! Long test stages: test targets that plain `cargo test` leaves out.
//!
//! A crate adds one by declaring a test target with `test = false` in its manifest; nothing is
//! registered here. The stage has the target's name and runs as an optimised build with the
//! release binaries and what was provisioned in its environment. What it cannot do without is
//! declared beside the target, and its lack makes the stage a skip:
//!
//! ```toml
//! [[test]]
//! name = "interop"
//! path = "tests/interop/main.rs"
//! test = false
//!
//! [package.metadata.stages.interop]
//! needs = ["java", "apache-395"]
//! ```

use super::Context;
use super::steps::{self, Outcome, Step};
use crate::error::{Error, Result};
use crate::provision::Part;
use crate::sh;
use crate::workspace::{Package, Workspace};

/// The stages of all crates, as steps.
pub(super) fn plan(workspace: &Workspace) -> Vec<Step> {
    let stages = found(workspace).map(|(package, stage)| {
        let needs = package.stage_needs(stage).to_vec();
        let package = package.name.clone();
        let target = stage.to_owned();
        Step::long(stage, move |context| {
            run(context, &package, &target, &needs)
        })
    });
    stages.collect()
}

/// The names of all stages.
pub(super) fn names(workspace: &Workspace) -> Vec<String> {
    found(workspace)
        .map(|(_, stage)| stage.to_owned())
        .collect()
}

fn found(workspace: &Workspace) -> impl Iterator<Item = (&Package, &str)> {
    workspace.packages.iter().flat_map(|package| {
        let stages = package
            .targets
            .iter()
            .filter(|target| target.is("test") && !target.test);
        stages.map(move |stage| (package, stage.name.as_str()))
    })
}

fn run(context: &Context, package: &str, target: &str, needs: &[String]) -> Result<Outcome> {
    let needs = needs.iter().map(|name| part(package, target, name));
    let needs = needs.collect::<Result<Vec<_>>>()?;
    if let Some(reasons) = context.provisions.missing(&needs) {
        return Ok(Outcome::skipped(reasons));
    }
    if !context.is_built {
        return Ok(Outcome::skipped("the release build failed"));
    }
    let mut cargo = sh::cargo(&context.workspace.root);
    cargo.args(["test", "--release", "--package", package, "--test", target]);
    steps::cargo_test(context, &mut cargo)
}

fn part(package: &str, target: &str, name: &str) -> Result<Part> {
    Part::named(name).ok_or_else(|| {
        Error::wrong(format!(
            "stage `{target}` of {package} needs `{name}`, which nobody provides"
        ))
    })
}
