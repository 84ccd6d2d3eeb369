//! Which servers are compared and where they are: built, provisioned, or given by hand.

use std::path::PathBuf;

use super::args::VersusArgs;
use super::record::Side;
use super::server::Program;
use crate::error::{Error, Result};
use crate::provision::{Part, Policy, Provisions};
use crate::sh;
use crate::workspace::Workspace;

/// The sides that are to run, Apache's first.
pub(super) fn find(args: &VersusArgs, workspace: &Workspace) -> Result<Vec<(Side, Program)>> {
    let mut programs = Vec::new();
    if args.apache_json.is_none() && args.only_side != Some(Side::Ours) {
        programs.push((Side::Apache, apache(args, workspace)?));
    }
    if args.only_side != Some(Side::Apache) {
        programs.push((Side::Ours, ours(args, workspace)?));
    }
    if programs.is_empty() {
        return Err(Error::wrong("the flags leave no server to run"));
    }
    Ok(programs)
}

fn apache(args: &VersusArgs, workspace: &Workspace) -> Result<Program> {
    let provisions = Provisions::gather(&workspace.root, Policy::Install);
    let needed = match args.apache_home {
        Some(_) => &[Part::Java][..],
        None => &[Part::Java, Part::Apache395],
    };
    let missing = || Error::wrong(provisions.missing(needed).unwrap_or_default());
    let path = |part| provisions.path(part).ok_or_else(missing);
    Ok(Program::Apache {
        java: path(Part::Java)?.to_owned(),
        jars: match &args.apache_home {
            Some(home) => home.clone(),
            None => path(Part::Apache395)?.to_owned(),
        },
    })
}

fn ours(args: &VersusArgs, workspace: &Workspace) -> Result<Program> {
    let given = args.server.clone();
    let given = given.or_else(|| std::env::var_os("ZK_SERVER_BIN").map(PathBuf::from));
    let binary = match given {
        Some(binary) => binary,
        None => build(workspace)?,
    };
    let binary = binary
        .canonicalize()
        .map_err(|error| Error::io("find", &binary, error))?;
    Ok(Program::Ours { binary })
}

fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = sh::cargo(&workspace.root);
    sh::run(cargo.args(["build", "--release", "--package", "zk-server"]))?;
    Ok(workspace.target_directory.join("release").join("zk-server"))
}
