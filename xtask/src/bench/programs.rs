//! Which servers are compared and where they are: built, provisioned, or given by hand.

use super::args::{Sides, VersusArgs};
use super::record::Side;
use crate::ensemble::{Kind, Program, Programs};
use crate::error::{Error, Result};
use crate::workspace::Workspace;

/// The sides that are to run, Apache's first.
pub(super) fn find(args: &VersusArgs, workspace: &Workspace) -> Result<Vec<(Side, Program)>> {
    let found = Programs::new(workspace).with_server(args.server.clone());
    let found = found.with_apache_home(args.apache_home.clone());
    let apache = args.apache_json.is_none() && args.only_side != Some(Side::Ours);
    wanted(found, apache, args.only_side != Some(Side::Apache))
}

/// The sides of a comparison of ensembles, Apache's first.
pub(super) fn of_sides(sides: &Sides, workspace: &Workspace) -> Result<Vec<(Side, Program)>> {
    let found = Programs::new(workspace).with_server(sides.server.clone());
    let found = found.with_apache_home(sides.apache_home.clone());
    let (apache, ours) = (Some(Side::Apache), Some(Side::Ours));
    wanted(found, sides.only_side != ours, sides.only_side != apache)
}

fn wanted(mut found: Programs, apache: bool, ours: bool) -> Result<Vec<(Side, Program)>> {
    let mut programs = Vec::new();
    if apache {
        programs.push((Side::Apache, found.find(Kind::Apache395)?));
    }
    if ours {
        programs.push((Side::Ours, found.find(Kind::Ours)?));
    }
    if programs.is_empty() {
        return Err(Error::wrong("the flags leave no server to run"));
    }
    Ok(programs)
}
