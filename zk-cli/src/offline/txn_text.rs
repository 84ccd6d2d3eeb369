//! Transactions as Apache's toolkit prints them: date, session, cxid, zxid,
//! type, and the record's fields (`TxnLogToolkit`, `ToStringOutputArchive`).

use crate::acl_text::csv;
use crate::java_time;
use std::fmt::Write;
use zk_proto::jute;
use zk_proto::txn::{CreateTxn, LoggedTxn, SetDataTxn, Txn};
use zk_proto::{Acl, Buffer, OpCode, Ustr};

/// The line of a record's payload, with its end.
pub(super) fn line(payload: &[u8]) -> Result<String, jute::Error> {
    let logged = LoggedTxn::decode(payload)?;
    let header = &logged.header;
    let mut line = format!(
        "{} session 0x{:x} cxid 0x{:x} zxid 0x{:x} {} {}",
        java_time::short_date_long_time(header.time),
        header.client_id.0,
        header.cxid,
        header.zxid.0,
        op_name(header.kind),
        record(&logged.txn),
    );
    if !line.ends_with('\n') {
        line.push('\n');
    }
    Ok(line)
}

/// The name of an operation (`Request.op2String`).
pub(super) fn op_name(kind: OpCode) -> String {
    match kind.name() {
        Some(name) => name.to_owned(),
        None => format!("unknown {}", kind.0),
    }
}

fn record(txn: &Txn<'_>) -> String {
    match txn {
        Txn::CreateSession(timeout_ms) => format!("{timeout_ms}\n"),
        Txn::CloseSession(None) => String::new(),
        Txn::CloseSession(Some(paths)) => {
            let paths: Vec<_> = paths.iter().map(quoted).collect();
            format!("v{{{}}}\n", paths.join(","))
        }
        Txn::Create(create) | Txn::Create2(create) => created(create),
        Txn::CreateContainer(create) => format!(
            "{},{},{},{}",
            create.path.as_str(),
            text(create.data.as_ref()),
            acl_list(create.acl.as_deref()),
            create.parent_cversion
        ),
        Txn::CreateTtl(create) => format!(
            "{},{},{},{},{}",
            create.path.as_str(),
            text(create.data.as_ref()),
            acl_list(create.acl.as_deref()),
            create.parent_cversion,
            create.ttl
        ),
        Txn::Delete(path) | Txn::DeleteContainer(path) => format!("{}\n", quoted(path)),
        Txn::SetData(set) | Txn::Reconfig(set) => data_set(set),
        Txn::SetAcl(set) => format!(
            "{},{},{}\n",
            quoted(&set.path),
            acl_vector(set.acl.as_deref().unwrap_or_default()),
            set.version
        ),
        Txn::Check(path, version) => format!("{},{version}\n", quoted(path)),
        Txn::Error(code) => format!("{}\n", code.0),
        Txn::Multi(parts) => {
            let parts = parts.iter();
            let parts =
                parts.map(|part| format!("{}:{}", op_name(part.kind), text(Some(&part.data))));
            parts.collect::<Vec<_>>().join(";")
        }
        other => format!("{other:?}\n"),
    }
}

fn created(create: &CreateTxn<'_>) -> String {
    format!(
        "{},{},{},{},{}",
        create.path.as_str(),
        text(create.data.as_ref()),
        acl_list(create.acl.as_deref()),
        create.ephemeral,
        create.parent_cversion
    )
}

fn data_set(set: &SetDataTxn<'_>) -> String {
    let data = text(set.data.as_ref());
    format!("{},{data},{}", set.path.as_str(), set.version)
}

fn text(data: Option<&Buffer<'_>>) -> String {
    java_text(data.map(|data| data.0).unwrap_or_default())
}

/// Bytes as Java reads them as UTF-8. What is none becomes a replacement
/// character, one for as many bytes as could start a character; other than
/// Rust, Java takes the three bytes of a surrogate together.
fn java_text(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    loop {
        let error = match std::str::from_utf8(bytes) {
            Ok(rest) => return text + rest,
            Err(error) => error,
        };
        let (valid, bad) = bytes.split_at(error.valid_up_to());
        text.push_str(&String::from_utf8_lossy(valid));
        text.push('\u{fffd}');
        let length = match bad {
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => 3,
            [0xed, 0xa0..=0xbf, ..] => 2,
            _ => error.error_len().unwrap_or(bad.len()),
        };
        bytes = &bad[length..];
    }
}

fn quoted(path: &Ustr<'_>) -> String {
    format!("'{}", csv(path))
}

/// A list as Java prints one of records, each of which ends a line.
fn acl_list(acl: Option<&[Acl<'_>]>) -> String {
    let Some(acl) = acl else {
        return "null".to_owned();
    };
    let entries: Vec<_> = acl.iter().map(|entry| acl_fields(entry) + "\n").collect();
    format!("[{}]", entries.join(", "))
}

/// The same as a field of another record.
fn acl_vector(acl: &[Acl<'_>]) -> String {
    let mut text = "v{".to_owned();
    for (at, entry) in acl.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(text, "{comma}s{{{}}}", acl_fields(entry));
    }
    text + "}"
}

fn acl_fields(acl: &Acl<'_>) -> String {
    let (scheme, id) = (csv(acl.id.scheme()), csv(acl.id.id()));
    format!("{},s{{'{scheme},'{id}}}", acl.perms.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_replaced_as_java_does() {
        for (bytes, text) in [
            (&b"a\xffb"[..], "a\u{fffd}b"),
            (b"\xed\xa0\x80x", "\u{fffd}x"),
            (b"\xed\xb0x", "\u{fffd}x"),
            (b"\xed\xa0", "\u{fffd}"),
            (b"\xf0\x80\x80", "\u{fffd}\u{fffd}\u{fffd}"),
            (b"\xe2\x82", "\u{fffd}"),
            ("gr\u{fc}\u{1f600}".as_bytes(), "gr\u{fc}\u{1f600}"),
        ] {
            assert_eq!(java_text(bytes), text, "{bytes:x?}");
        }
    }
}
