//! Archives as files: written to a file or to standard output, read from
//! either by a thread of its own.

use super::transfer::{Kind, Node};
use crate::crawl::Found;
use crate::error::CliError;
use crate::paths;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use tokio::sync::mpsc;
use zk_client::{Acl, Perms};
use zk_proto::archive::{ArchiveError, ArchiveWriter, ArchivedAcl, ArchivedNode, read_items};

/// An archive that is being written. It appears under its name when it is
/// complete.
pub(crate) struct Target {
    writer: ArchiveWriter<BufWriter<File>>,
    name: Option<String>,
    /// Only dropped; what was not finished goes then.
    _part: Option<Part>,
}

/// A file that has not got its name yet.
struct Part(String);

impl Drop for Part {
    fn drop(&mut self) {
        // A finished one has moved.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Target {
    /// A file; "-" for standard output.
    pub(crate) fn create(name: &str) -> Result<Self, CliError> {
        let (file, name) = match name {
            // How many znodes there are is known at the end and stands at the
            // start, so what cannot be rewound is written from a file.
            "-" => (tempfile::tempfile(), None),
            name => (File::create(part(name)), Some(name.to_owned())),
        };
        let failed = |error: &dyn std::fmt::Display| {
            let name = name.as_deref().unwrap_or("a temporary file");
            CliError::new(format!("{name}: {error}"))
        };
        let file = file.map_err(|error| failed(&error))?;
        let writer = ArchiveWriter::new(BufWriter::new(file)).map_err(|error| failed(&error))?;
        let _part = name.as_deref().map(|name| Part(part(name)));
        Ok(Self {
            writer,
            name,
            _part,
        })
    }

    pub(crate) fn push(&mut self, node: &ArchivedNode) -> Result<(), CliError> {
        let pushed = self.writer.push(node);
        pushed.map_err(|error| CliError::new(error.to_string()))
    }

    /// How many znodes it holds so far.
    pub(crate) const fn count(&self) -> u32 {
        self.writer.count()
    }

    /// Completes it; answers how many znodes it holds.
    pub(crate) fn finish(self) -> Result<u32, CliError> {
        let count = self.count();
        let finished = self.writer.finish();
        let file = finished.map_err(|error| CliError::new(error.to_string()))?;
        let moved = match &self.name {
            Some(name) => keep(file, name),
            None => send(file),
        };
        moved.map_err(|error| CliError::new(error.to_string()))?;
        Ok(count)
    }
}

fn part(name: &str) -> String {
    format!("{name}.part")
}

fn keep(file: BufWriter<File>, name: &str) -> io::Result<()> {
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    std::fs::rename(part(name), name)
}

fn send(file: BufWriter<File>) -> io::Result<()> {
    let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(0))?;
    let mut out = io::stdout().lock();
    io::copy(&mut file, &mut out)?;
    out.flush()
}

/// The znodes of an archive, in batches, or why they end early.
pub(super) type Items = mpsc::Receiver<Result<Vec<ArchivedNode>, ArchiveError>>;

/// Znodes handed over at a time.
const BATCH: usize = 256;

/// Reads a file; standard input for "-".
pub(super) fn read(name: &str) -> Result<Items, CliError> {
    let source: Box<dyn Read + Send> = match name {
        "-" => Box::new(io::stdin()),
        name => Box::new(
            File::open(Path::new(name))
                .map_err(|error| CliError::new(format!("{name}: {error}")))?,
        ),
    };
    let (sender, receiver) = mpsc::channel(8);
    std::thread::spawn(move || {
        let mut batch = Vec::new();
        let read = read_items(BufReader::with_capacity(256 << 10, source), |node| {
            batch.push(node);
            let is_full = batch.len() == BATCH;
            !is_full || sender.blocking_send(Ok(std::mem::take(&mut batch))).is_ok()
        });
        let _ = sender.blocking_send(Ok(batch));
        if let Err(error) = read {
            let _ = sender.blocking_send(Err(error));
        }
    });
    Ok(receiver)
}

/// A znode for an archive of what lies below `root`.
pub(super) fn archived(root: &str, found: Found) -> ArchivedNode {
    let acl = found.acl.iter().map(|acl| ArchivedAcl {
        perms: acl.perms.0,
        scheme: acl.id.scheme().to_owned(),
        id: acl.id.id().to_owned(),
    });
    ArchivedNode {
        path: paths::below(root, &found.path).to_owned(),
        acl: acl.collect(),
        data: found.data,
        ttl_ms: None,
        container: false,
    }
}

/// A znode of an archive, to be made below `root`.
pub(super) fn node(root: &str, item: ArchivedNode) -> Node {
    let kind = match (item.ttl_ms, item.container) {
        (Some(ttl_ms), _) => Kind::Ttl(ttl_ms),
        (None, true) => Kind::Container,
        (None, false) => Kind::Persistent,
    };
    let acl = item.acl.into_iter();
    let acl = acl.map(|acl| Acl::new(Perms(acl.perms), acl.scheme, acl.id));
    Node {
        path: paths::join(root, &item.path),
        data: item.data,
        acl: acl.collect(),
        kind,
    }
}
