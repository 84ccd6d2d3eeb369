//! What the shell shows, as JSON. Zxids and session ids are hexadecimal
//! text, as everywhere in ZooKeeper: they do not fit into the numbers of
//! JavaScript. Data is text where it is UTF-8, else base64.

use crate::acl_text;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use zk_client::{Acl, Stat};

/// An object with `data` as text, or `dataBase64` for bytes that are none;
/// `data` is null for a znode without data.
pub(crate) fn data(data: Option<&[u8]>) -> Value {
    match data.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => json!({ "data": null }),
        Some((_, Ok(text))) => json!({ "data": text }),
        Some((bytes, Err(_))) => json!({ "dataBase64": BASE64_STANDARD.encode(bytes) }),
    }
}

/// The eleven numbers of a Stat; times in ms since 1970.
pub(crate) fn stat(stat: &Stat) -> Value {
    json!({
        "czxid": format!("0x{:x}", stat.czxid.0),
        "mzxid": format!("0x{:x}", stat.mzxid.0),
        "pzxid": format!("0x{:x}", stat.pzxid.0),
        "ctime": stat.ctime,
        "mtime": stat.mtime,
        "version": stat.version,
        "cversion": stat.cversion,
        "aversion": stat.aversion,
        "ephemeralOwner": format!("0x{:x}", stat.ephemeral_owner),
        "dataLength": stat.data_length,
        "numChildren": stat.num_children,
    })
}

/// An access control list: scheme, id and the letters of the permissions.
pub(crate) fn acl(acl: &[Acl<'_>]) -> Value {
    let entries = acl.iter().map(|entry| {
        json!({
            "scheme": entry.id.scheme(),
            "id": entry.id.id(),
            "perms": acl_text::letters(entry.perms),
        })
    });
    entries.collect()
}
