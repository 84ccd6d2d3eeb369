//! A copy of a log without what follows a transaction (`LogChopper`).

use super::raw_log::RawLog;
use super::{Outcome, file_name, log_dump, parse};
use crate::error::{CliError, kind};
use crate::flags::{Flag, value};
use crate::output::Output;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use zk_proto::txn::{LogFileHeader, LoggedTxn};
use zk_proto::{Zxid, jute};

const FLAGS: &[Flag] = &[value("z"), value("zxid")];

/// Writes `FILE.chopped<zxid>`. A log that does not hold the zxid, or ends
/// with it, fails, and leaves no file.
pub(super) fn chop(output: &Output, words: &[&str]) -> Outcome {
    let parsed = parse("log", FLAGS, words, 1..=1)?;
    let zxid = parsed.value("z").or(parsed.value("zxid"));
    let Some(zxid) = zxid.and_then(parse_zxid) else {
        return Err(CliError::usage(super::usage("log")));
    };
    let path = Path::new(&parsed.words[0]);
    let (log, header) = RawLog::open(path)?;
    log_dump::print_header(output, &header);
    let name = format!("{}.chopped{}", file_name(path), zxid.0);
    let target = path.with_file_name(name);
    match write(output, log, &header, zxid, &target) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let _ = std::fs::remove_file(&target);
            let name = file_name(path);
            output.line(&format!("Got exception: Failed to chop {name}"));
            Err(CliError::silent(kind::USAGE))
        }
        Err(error) => {
            let _ = std::fs::remove_file(&target);
            output.line(&format!("Got exception: {}", error.message));
            Err(CliError::silent(error.code))
        }
    }
}

/// A number as Java's `Long.decode` reads it.
fn parse_zxid(text: &str) -> Option<Zxid> {
    let digits = text
        .strip_prefix("0x")
        .or(text.strip_prefix("0X"))
        .or(text.strip_prefix('#'));
    let number = match digits {
        Some(digits) => i64::from_str_radix(digits, 16),
        None if text.len() > 1 && text.starts_with('0') => i64::from_str_radix(&text[1..], 8),
        None => text.parse(),
    };
    number.ok().filter(|number| *number >= 0).map(Zxid)
}

/// Whether there was something to cut off.
fn write(
    output: &Output,
    mut log: RawLog,
    header: &LogFileHeader,
    zxid: Zxid,
    target: &Path,
) -> Result<bool, CliError> {
    let failed = |error: std::io::Error| CliError::new(format!("{}: {error}", target.display()));
    let text = |error: jute::Error| CliError::new(error.to_string());
    let mut file = BufWriter::new(File::create(target).map_err(failed)?);
    file.write_all(&jute::to_vec(header).map_err(text)?)
        .map_err(failed)?;
    let mut chop = Chop {
        output,
        zxid,
        previous: None,
        count: 0,
        is_there: false,
    };
    while let Some(record) = log.next()? {
        let computed = record.computed();
        if record.checksum != computed {
            let stored = record.checksum;
            let message = format!("CRC doesn't match {stored} vs {computed}");
            return Err(CliError::new(message));
        }
        let next = LoggedTxn::decode(&record.payload).map_err(text)?;
        log.end_of_record()
            .inspect_err(|error| output.line(&error.message))?;
        if let Some(is_chopped) = chop.step(next.header.zxid) {
            file.flush().map_err(failed)?;
            file.get_ref().sync_all().map_err(failed)?;
            return Ok(is_chopped);
        }
        let bytes = record.bytes(record.checksum);
        file.write_all(&bytes).map_err(failed)?;
    }
    output.line(&format!("EOF reached after {} txns.", chop.count));
    Ok(false)
}

struct Chop<'a> {
    output: &'a Output,
    zxid: Zxid,
    previous: Option<Zxid>,
    count: u64,
    is_there: bool,
}

impl Chop<'_> {
    /// `None` to go on.
    fn step(&mut self, next: Zxid) -> Option<bool> {
        self.is_there |= next == self.zxid;
        if let Some(previous) = self.previous.replace(next) {
            self.tell_gap(previous, next);
        }
        if next <= self.zxid {
            self.count += 1;
            return None;
        }
        let zxid = self.zxid.0;
        self.output.line(&match self.is_there {
            true => format!("Chopping at {zxid:x} new log has {} records", self.count),
            false => format!("This log does not contain zxid {zxid:x}"),
        });
        Some(self.is_there)
    }

    fn tell_gap(&self, previous: Zxid, next: Zxid) {
        let kind = match next.epoch() == previous.epoch() {
            true if next.0 != previous.0.wrapping_add(1) => "intra",
            false if next.counter() != 1 => "inter",
            _ => return,
        };
        let (previous, next) = (previous.0, next.0);
        self.output.line(&format!(
            "There is {kind}-epoch gap between {previous:x} and {next:x}"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zxids_are_read_as_java_reads_them() {
        for (text, zxid) in [
            ("0x1f", Some(31)),
            ("#1F", Some(31)),
            ("17", Some(17)),
            ("017", Some(15)),
            ("0", Some(0)),
            ("-1", None),
            ("x", None),
        ] {
            assert_eq!(parse_zxid(text), zxid.map(Zxid), "{text}");
        }
    }
}
