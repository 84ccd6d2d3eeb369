//! The files that a reconfiguration leaves behind, in Apache's form:
//! `zoo.cfg.dynamic.<version>` with the members, `zoo.cfg` that points to it,
//! and `zoo.cfg.dynamic.next` for members that were proposed and may not hold
//! yet (`QuorumPeerConfig.writeDynamicConfig`, `editStaticConfig`).
//!
//! Unlike Apache's server this one keeps the comments and the order of
//! `zoo.cfg`.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use zk_proto::ensemble::EnsembleConfig;

/// What `zoo.cfg.dynamic.next` is called.
const NEXT: &str = ".dynamic.next";
/// The copy of a `zoo.cfg` from before its first edit.
const BACKUP: &str = ".bak";
/// Keys of `zoo.cfg` that the dynamic file replaces.
const REPLACED: [&str; 5] = [
    "server.",
    "group",
    "weight",
    "dynamicConfigFile",
    "peerType",
];

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub(crate) struct DynamicFileError {
    path: PathBuf,
    source: io::Error,
}

/// The files of one server, beside its `zoo.cfg`.
#[derive(Debug, Clone)]
pub(crate) struct DynamicFiles {
    zoo_cfg: PathBuf,
}

impl DynamicFiles {
    pub(crate) fn beside(zoo_cfg: &Path) -> Self {
        let zoo_cfg = std::path::absolute(zoo_cfg).unwrap_or_else(|_| zoo_cfg.to_owned());
        Self { zoo_cfg }
    }

    /// Members that were proposed, and may not hold yet.
    pub(crate) fn write_next(&self, members: &EnsembleConfig) -> Result<(), DynamicFileError> {
        replace(&self.with_suffix(NEXT), &lines(members, true))
    }

    /// Members that hold from now on. `erases_client` if this server's line
    /// says where its clients connect.
    pub(crate) fn write_committed(
        &self,
        members: &EnsembleConfig,
        erases_client: bool,
    ) -> Result<(), DynamicFileError> {
        let dynamic = self.with_suffix(&format!(".dynamic.{:x}", members.version.0));
        replace(&dynamic, &lines(members, false))?;
        self.point_to(&dynamic, erases_client)?;
        let next = self.with_suffix(NEXT);
        match fs::remove_file(&next) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(DynamicFileError { path: next, source })
            }
            _ => Ok(()),
        }
    }

    fn point_to(&self, dynamic: &Path, erases_client: bool) -> Result<(), DynamicFileError> {
        let failed = |source| DynamicFileError {
            path: self.zoo_cfg.clone(),
            source,
        };
        let before = fs::read_to_string(&self.zoo_cfg).map_err(failed)?;
        let is_first = !before.lines().any(|line| key(line) == "dynamicConfigFile");
        if is_first {
            let backup = self.with_suffix(BACKUP);
            replace(&backup, &before)?;
        }
        let mut after = without(&before, erases_client);
        after.push_str(&format!("dynamicConfigFile={}\n", dynamic.display()));
        replace(&self.zoo_cfg, &after)
    }

    fn with_suffix(&self, suffix: &str) -> PathBuf {
        let mut name = self.zoo_cfg.clone().into_os_string();
        name.push(suffix);
        name.into()
    }
}

/// Where members that were proposed are, if there are any.
pub(super) fn next_file(zoo_cfg: &Path) -> PathBuf {
    let mut name = zoo_cfg.as_os_str().to_owned();
    name.push(NEXT);
    name.into()
}

/// The lines sorted as text, as Apache writes them.
fn lines(members: &EnsembleConfig, with_version: bool) -> String {
    let text = members.to_string();
    let mut lines: Vec<&str> = text
        .lines()
        .filter(|line| with_version || !line.starts_with("version"))
        .collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// `zoo.cfg` without what the dynamic file says.
fn without(text: &str, erases_client: bool) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut drops_rest = false;
    for line in text.lines() {
        let drops = drops_rest || is_replaced(key(line), erases_client);
        drops_rest = drops && line.ends_with('\\');
        if !drops {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn is_replaced(key: &str, erases_client: bool) -> bool {
    let client = key == "clientPort" || key == "clientPortAddress";
    (erases_client && client) || REPLACED.iter().any(|prefix| key.starts_with(prefix))
}

/// The key of a line; empty for comments.
fn key(line: &str) -> &str {
    let line = line.trim_start();
    if line.starts_with(['#', '!']) {
        return "";
    }
    let end = line.find(['=', ':', ' ', '\t']).unwrap_or(line.len());
    &line[..end]
}

/// Replaces a file as a whole, durably.
fn replace(path: &Path, text: &str) -> Result<(), DynamicFileError> {
    let write = || {
        let mut temp = path.as_os_str().to_owned();
        temp.push(".tmp");
        let mut file = File::create(&temp)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temp, path)?;
        match path.parent() {
            Some(dir) => File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    };
    write().map_err(|source| DynamicFileError {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_proto::Zxid;

    const ZOO_CFG: &str = "# ours\ntickTime=2000\nserver.1=a:1:2\nclientPort=2181\n\
        server.2 = b:1:2\ndataDir=/d\n";

    fn members() -> EnsembleConfig {
        let text = "server.1=a:1:2:participant;0.0.0.0:2181\nserver.10=c:1:2:participant\n\
            server.2=b:1:2:observer\nversion=1a";
        let config = EnsembleConfig::parse(text, false).unwrap();
        assert_eq!(config.version, Zxid(0x1a));
        config
    }

    #[test]
    fn members_leave_zoo_cfg_and_the_rest_stays() {
        let dir = tempfile::tempdir().unwrap();
        let zoo_cfg = dir.path().join("zoo.cfg");
        fs::write(&zoo_cfg, ZOO_CFG).unwrap();
        let files = DynamicFiles::beside(&zoo_cfg);
        files.write_next(&members()).unwrap();
        let next = fs::read_to_string(next_file(&zoo_cfg)).unwrap();
        assert!(next.ends_with("\nversion=1a"), "{next}");
        files.write_committed(&members(), true).unwrap();
        assert!(!next_file(&zoo_cfg).exists());
        let dynamic = dir.path().join("zoo.cfg.dynamic.1a");
        assert_eq!(
            fs::read_to_string(&dynamic).unwrap(),
            "server.10=c:1:2:participant\nserver.1=a:1:2:participant;0.0.0.0:2181\n\
             server.2=b:1:2:observer"
        );
        assert_eq!(
            fs::read_to_string(&zoo_cfg).unwrap(),
            format!(
                "# ours\ntickTime=2000\ndataDir=/d\ndynamicConfigFile={}\n",
                dynamic.display()
            )
        );
        let backup = fs::read_to_string(dir.path().join("zoo.cfg.bak")).unwrap();
        assert_eq!(backup, ZOO_CFG);
        files.write_committed(&members(), false).unwrap();
        let pointers = fs::read_to_string(&zoo_cfg).unwrap();
        assert_eq!(pointers.matches("dynamicConfigFile").count(), 1);
    }
}
