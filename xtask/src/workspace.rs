//! What cargo says about this workspace: its packages, their dependencies and targets.
//!
//! Everything comes from `cargo metadata`, so that no list of crates is kept a second time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::sh;

/// The workspace as cargo sees it.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    /// The repository's root.
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    /// Where cargo builds, which may be outside the repository.
    pub(crate) target_directory: PathBuf,
    /// The workspace's own packages.
    pub(crate) packages: Vec<Package>,
}

/// One crate of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
    #[serde(default)]
    metadata: Option<PackageMetadata>,
}

/// A direct dependency as the manifest declares it.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
    pub(crate) optional: bool,
}

/// Something cargo builds out of a package.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
    /// Whether plain `cargo test` runs it.
    pub(crate) test: bool,
}

/// The part of `[package.metadata]` that is ours.
#[derive(Debug, Default, Deserialize)]
struct PackageMetadata {
    #[serde(default)]
    stages: BTreeMap<String, StageMetadata>,
}

/// `[package.metadata.stages.NAME]`: what a long test stage needs from the machine.
#[derive(Debug, Default, Deserialize)]
struct StageMetadata {
    #[serde(default)]
    needs: Vec<String>,
}

impl Workspace {
    /// Asks cargo about the workspace this program was built in.
    pub(crate) fn load() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        Self::load_manifest(&manifest)
    }

    /// Asks cargo about another workspace, such as `fuzz/`.
    pub(crate) fn load_manifest(manifest: &Path) -> Result<Self> {
        let directory = manifest.parent().unwrap_or(Path::new("."));
        let mut cargo = sh::cargo(directory);
        cargo.args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--manifest-path",
        ]);
        let json = sh::read(cargo.arg(manifest))?;
        serde_json::from_str(&json)
            .map_err(|error| Error::wrong(format!("cannot read cargo metadata: {error}")))
    }
}

impl Package {
    /// Where the crate's manifest is.
    pub(crate) fn directory(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("."))
    }

    /// Whether other crates can use this one.
    pub(crate) fn is_library(&self) -> bool {
        self.targets.iter().any(|target| target.is("lib"))
    }

    /// The names of what a long stage needs, as its manifest says.
    pub(crate) fn stage_needs(&self, stage: &str) -> &[String] {
        let stages = self.metadata.as_ref().map(|metadata| &metadata.stages);
        stages
            .and_then(|stages| stages.get(stage))
            .map_or(&[], |stage| &stage.needs)
    }
}

impl Target {
    /// Whether the target is of a kind such as `lib`, `bin`, `test` or `example`.
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|own| own == kind)
    }
}
