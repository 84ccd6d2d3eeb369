//! `cargo xtask bench crates`: the criterion benches.
//!
//! Only bench targets that bring their own main function are run: cargo's own bench harness
//! does not know criterion's flags.

use super::args::CratesArgs;
use crate::error::{Error, Result};
use crate::sh;
use crate::workspace::{Package, Workspace};

/// Runs the benches of all crates or one.
pub(super) fn run(args: &CratesArgs) -> Result<()> {
    let workspace = Workspace::load()?;
    let wanted = |package: &&Package| {
        args.package
            .as_ref()
            .is_none_or(|name| *name == package.name)
    };
    let packages = workspace.packages.iter().filter(wanted);
    let mut benches = packages.flat_map(benches_of).peekable();
    if benches.peek().is_none() {
        let name = args.package.as_deref().unwrap_or("this workspace");
        return Err(Error::wrong(format!("{name} has no benches")));
    }
    benches.try_for_each(|(package, bench)| {
        let mut cargo = sh::cargo(&workspace.root);
        cargo.args(["bench", "--package", package, "--bench", bench]);
        sh::run(cargo.args(criterion(args)))
    })
}

fn benches_of(package: &Package) -> impl Iterator<Item = (&str, &str)> {
    let benches = package.targets.iter().filter(|target| target.is("bench"));
    benches.map(|bench| (package.name.as_str(), bench.name.as_str()))
}

/// What criterion itself is told.
fn criterion(args: &CratesArgs) -> Vec<&str> {
    match (&args.save, &args.compare) {
        (Some(name), _) => vec!["--", "--save-baseline", name],
        (None, Some(name)) => vec!["--", "--baseline", name],
        (None, None) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn baselines_are_criterions() {
        let name = || Some("before".to_owned());
        let save = CratesArgs {
            save: name(),
            ..CratesArgs::default()
        };
        let compare = CratesArgs {
            compare: name(),
            ..CratesArgs::default()
        };
        assert_eq!(criterion(&save), ["--", "--save-baseline", "before"]);
        assert_eq!(criterion(&compare), ["--", "--baseline", "before"]);
        assert!(criterion(&CratesArgs::default()).is_empty());
    }
}
