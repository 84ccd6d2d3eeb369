//! What becomes of every damaged directory whose treatment by Apache was
//! recorded: our decision, and the reason where it differs. The server's own
//! tests go by the same table.

/// What we do with a variant.
pub(crate) enum Ours {
    /// Start where Apache starts.
    Same,
    /// Start, though Apache does not, or elsewhere; and why.
    Start(i64, &'static str),
    /// Refuse, naming this file and offset, as Apache refuses.
    Refuse(&'static str),
    /// Refuse, though Apache starts; and why.
    RefuseThough(&'static str, &'static str),
}

use Ours::{Refuse, RefuseThough, Same, Start};

pub(crate) fn decision(variant: &str) -> Ours {
    match variant {
        "bad-eor-middle" => RefuseThough(
            "log.3c is damaged at offset 593",
            "Apache silently drops the five transactions behind it",
        ),
        "zeroed-middle-record" => RefuseThough(
            "log.3c is damaged at offset 593",
            "Apache silently drops the five transactions behind it",
        ),
        "crc-payload-flip-last" | "crc-field-flip-last" => Start(
            0x46,
            "a bad last record with nothing behind it is what an interrupted write leaves",
        ),
        "header-truncated-last" | "header-zero-last" => Start(
            0x47,
            "an interrupted creation; nothing was ever acknowledged from this file",
        ),
        "snapshot-future-name" => Start(
            0x47,
            "the snapshot says of itself that it was taken before the zxid in its name, \
             so it is passed over; Apache takes an old state for a new one",
        ),
        "crc-payload-flip-middle" => Refuse("log.3c is damaged at offset 593"),
        "crc-flip-first-record-of-last-log" => Refuse("log.3c is damaged at offset 16"),
        "garbage-tail-random"
        | "garbage-tail-neg-len"
        | "garbage-tail-len-minus-1"
        | "garbage-tail-huge-len" => Refuse("log.3c is damaged at offset 1185"),
        "empty-log-middle" => Refuse("log.29 is damaged at offset 0"),
        "bad-magic-last" => Refuse("log.3c is damaged at offset 0"),
        "missing-middle-log" => Refuse("log.3c at offset 16 goes on with zxid 0x3c after 0x28"),
        "no-snapshot" => Refuse("holds no snapshot"),
        "snapshot-all-bad" => Refuse("none of 4 snapshots"),
        _ => Same,
    }
}
