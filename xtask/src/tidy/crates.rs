//! What every crate of the workspace brings along: a short README and, if a library, an example.

use std::path::Path;

use super::Finding;
use crate::workspace::{Package, Workspace};

/// A longer README says what belongs into the crate's docs.
const README_LINES_MAX: usize = 30;

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let packages = workspace.packages.iter();
    let findings = packages.flat_map(|package| {
        let name = package.directory().strip_prefix(&workspace.root);
        let name = name.unwrap_or(package.directory()).display().to_string();
        [readme(package, &name), example(package, &name)]
    });
    findings.flatten().collect()
}

fn readme(package: &Package, name: &str) -> Option<Finding> {
    let path = format!("{name}/README.md");
    let message = match lines(&package.directory().join("README.md")) {
        None => "missing: each crate says in a few lines what it is".to_owned(),
        Some(lines) if lines > README_LINES_MAX => {
            format!(
                "{lines} lines, more than {README_LINES_MAX}: move the rest to the crate's docs"
            )
        }
        Some(_) => return None,
    };
    Some(Finding::new(path, 0, message))
}

fn lines(file: &Path) -> Option<usize> {
    let text = std::fs::read_to_string(file).ok()?;
    Some(text.lines().count())
}

/// Cargo compiles what it lists as an example, so looking at its list is enough.
fn example(package: &Package, name: &str) -> Option<Finding> {
    let has = package.targets.iter().any(|target| target.is("example"));
    (package.is_library() && !has).then(|| {
        let message = "no example: a library shows its use in a program that compiles";
        Finding::new(format!("{name}/examples"), 0, message)
    })
}
