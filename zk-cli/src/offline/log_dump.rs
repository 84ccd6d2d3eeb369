//! Every transaction of a log as text, and a copy of the log with its
//! checksums made right (`TxnLogToolkit`).

use super::raw_log::{RawLog, RawRecord};
use super::{Outcome, parse, txn_text};
use crate::error::CliError;
use crate::flags::{Flag, flag};
use crate::output::Output;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use zk_proto::jute;
use zk_proto::txn::LogFileHeader;

const DUMP_FLAGS: &[Flag] = &[flag("d"), flag("dump")];
const RECOVER_FLAGS: &[Flag] = &[flag("v"), flag("verbose"), flag("y"), flag("yes")];

pub(super) fn dump(output: &Output, words: &[&str]) -> Outcome {
    let parsed = parse("log", DUMP_FLAGS, words, 1..=1)?;
    let (log, header) = open(output, Path::new(&parsed.words[0]))?;
    let _ = header;
    let mut dump = Dump {
        output,
        bad: 0,
        undecodable: 0,
    };
    each(output, log, |record| {
        if record.checksum != record.computed() {
            dump.bad += 1;
            dump.print(record, "CRC ERROR - ");
        }
        dump.print(record, "");
        Ok(())
    })?;
    dump.finish()
}

pub(super) fn recover(output: &Output, words: &[&str]) -> Outcome {
    let parsed = parse("log", RECOVER_FLAGS, words, 1..=1)?;
    let path = PathBuf::from(&parsed.words[0]);
    let mut fixed = path.clone().into_os_string();
    fixed.push(".fixed");
    let fixed = PathBuf::from(fixed);
    let file = File::create_new(&fixed).map_err(|_| {
        let fixed = fixed.display();
        CliError::new(format!(
            "Recovery file {fixed} already exists or not writable"
        ))
    });
    let (log, header) = match RawLog::open(&path) {
        Ok(opened) => opened,
        Err(error) => {
            if file.is_ok() {
                let _ = std::fs::remove_file(&fixed);
            }
            return Err(error);
        }
    };
    print_header(output, &header);
    let mut recovery = Recovery {
        dump: Dump {
            output,
            bad: 0,
            undecodable: 0,
        },
        file: BufWriter::new(file?),
        fixed: 0,
        verbose: parsed.has("v") || parsed.has("verbose"),
        force: parsed.has("y") || parsed.has("yes"),
    };
    let written = |error: std::io::Error| CliError::new(format!("{}: {error}", fixed.display()));
    let bytes = jute::to_vec(&header).map_err(|error| CliError::new(error.to_string()))?;
    recovery.file.write_all(&bytes).map_err(written)?;
    each(output, log, |record| recovery.take(record, &written))?;
    recovery.file.flush().map_err(written)?;
    recovery.file.get_ref().sync_all().map_err(written)?;
    output.line(&format!(
        "Recovery file {} has been written with {} fixed CRC error(s)",
        fixed.display(),
        recovery.fixed
    ));
    recovery.dump.finish()
}

fn open(output: &Output, path: &Path) -> Result<(RawLog, LogFileHeader), CliError> {
    let (log, header) = RawLog::open(path)?;
    print_header(output, &header);
    Ok((log, header))
}

pub(super) fn print_header(output: &Output, header: &LogFileHeader) {
    output.line(&format!(
        "ZooKeeper Transactional Log File with dbid {} txnlog format version {}",
        header.dbid, header.version
    ));
}

/// Hands out every record, and says at the end how many there were.
fn each(output: &Output, mut log: RawLog, mut take: impl FnMut(&RawRecord) -> Outcome) -> Outcome {
    let mut count = 0u64;
    while let Some(record) = log.next()? {
        take(&record)?;
        log.end_of_record()?;
        count += 1;
    }
    output.line(&format!("EOF reached after {count} txns."));
    Ok(())
}

/// Prints records.
struct Dump<'a> {
    output: &'a Output,
    bad: u64,
    undecodable: u64,
}

impl Dump<'_> {
    fn print(&mut self, record: &RawRecord, prefix: &str) {
        match txn_text::line(&record.payload) {
            Ok(line) => {
                self.output.text(prefix);
                self.output.text(&line);
            }
            Err(error) => {
                self.undecodable += 1;
                let offset = record.offset;
                self.output.error(&format!(
                    "{prefix}the record at offset {offset} cannot be decoded: {error}"
                ));
            }
        }
    }

    fn finish(self) -> Outcome {
        match self.undecodable {
            0 => Ok(()),
            count => Err(CliError::new(format!("{count} record(s) not decoded"))),
        }
    }
}

struct Recovery<'a> {
    dump: Dump<'a>,
    file: BufWriter<File>,
    fixed: u64,
    verbose: bool,
    force: bool,
}

impl Recovery<'_> {
    fn take(
        &mut self,
        record: &RawRecord,
        written: &impl Fn(std::io::Error) -> CliError,
    ) -> Outcome {
        let computed = record.computed();
        let mut checksum = record.checksum;
        if checksum != computed && self.is_to_be_fixed(record)? {
            checksum = computed;
            self.fixed += 1;
        }
        if self.verbose {
            self.dump.print(record, "");
        }
        let bytes = record.bytes(checksum);
        self.file.write_all(&bytes).map_err(written)
    }

    fn is_to_be_fixed(&mut self, record: &RawRecord) -> Result<bool, CliError> {
        if self.force {
            self.dump.print(record, "CRC FIXED - ");
            return Ok(true);
        }
        self.dump.print(record, "CRC ERROR - ");
        self.ask()
    }

    fn ask(&self) -> Result<bool, CliError> {
        loop {
            self.dump
                .output
                .text("Would you like to fix it (Yes/No/Abort) ? ");
            self.dump.output.flush();
            let mut answer = String::new();
            let read = std::io::stdin().read_line(&mut answer);
            if read.map_err(|error| CliError::new(error.to_string()))? == 0 {
                return Err(CliError::new("Recovery aborted."));
            }
            match answer.trim_start().chars().next() {
                Some('y' | 'Y') => return Ok(true),
                Some('n' | 'N') => return Ok(false),
                Some('a' | 'A') => {
                    let message = "Recovery aborted.".to_owned();
                    let (code, kind) = (0, 0);
                    return Err(CliError {
                        message,
                        code,
                        kind,
                    });
                }
                _ => {}
            }
        }
    }
}
