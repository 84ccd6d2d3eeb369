//! Leaving exact duplicates out of a list, in its order.
//!
//! Apache asks its list for each entry whether it contains it already, and
//! `ACL.equals` stumbles over a null scheme or id of the entry asked about.
//! The answer here is the same, but long lists cost linear time: a client
//! can send tens of thousands of entries.

use std::collections::HashSet;
use zk_proto::{Acl, ErrorCode};

/// Up to this length comparing each with each is faster than hashing.
const SHORT: usize = 16;

/// The entries without those that equal an earlier one. `MARSHALLING_ERROR`
/// where Java would meet a null.
pub(super) fn entries<'r, 'a>(acl: &'r [Acl<'a>]) -> Result<Vec<&'r Acl<'a>>, ErrorCode> {
    if acl.len() <= SHORT {
        by_comparing(acl)
    } else {
        by_hashing(acl)
    }
}

fn by_comparing<'r, 'a>(acl: &'r [Acl<'a>]) -> Result<Vec<&'r Acl<'a>>, ErrorCode> {
    let mut unique: Vec<&Acl<'a>> = Vec::with_capacity(acl.len());
    for entry in acl {
        let mut seen = false;
        for earlier in &unique {
            seen = equals(entry, earlier)?;
            if seen {
                break;
            }
        }
        if !seen {
            unique.push(entry);
        }
    }
    Ok(unique)
}

/// `entry.equals(earlier)`, with its null pointers.
fn equals(entry: &Acl<'_>, earlier: &Acl<'_>) -> Result<bool, ErrorCode> {
    if entry.perms != earlier.perms {
        return Ok(false);
    }
    let scheme = entry
        .id
        .scheme
        .as_ref()
        .ok_or(ErrorCode::MARSHALLING_ERROR)?;
    if Some(scheme) != earlier.id.scheme.as_ref() {
        return Ok(false);
    }
    let id = entry.id.id.as_ref().ok_or(ErrorCode::MARSHALLING_ERROR)?;
    Ok(Some(id) == earlier.id.id.as_ref())
}

fn by_hashing<'r, 'a>(acl: &'r [Acl<'a>]) -> Result<Vec<&'r Acl<'a>>, ErrorCode> {
    let mut unique = Vec::with_capacity(acl.len());
    let mut perms = HashSet::new();
    let mut schemes = HashSet::new();
    let mut whole = HashSet::new();
    for entry in acl {
        let (scheme, id) = (&entry.id.scheme, &entry.id.id);
        let meets_null = (scheme.is_none() && perms.contains(&entry.perms))
            || (id.is_none() && scheme.is_some() && schemes.contains(&(entry.perms, scheme)));
        if meets_null {
            return Err(ErrorCode::MARSHALLING_ERROR);
        }
        if whole.insert(entry) {
            perms.insert(entry.perms);
            schemes.insert((entry.perms, scheme));
            unique.push(entry);
        }
    }
    Ok(unique)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_proto::{Id, Perms, Ustr};

    /// Every list of up to four entries over a small alphabet with nulls.
    #[test]
    fn hashing_agrees_with_comparing() {
        let texts = [None, Some("a"), Some("b")];
        let mut alphabet = Vec::new();
        for perms in [1, 2] {
            for scheme in texts {
                for id in texts {
                    alphabet.push(Acl {
                        perms: Perms(perms),
                        id: Id {
                            scheme: scheme.map(Ustr::from),
                            id: id.map(Ustr::from),
                        },
                    });
                }
            }
        }
        let base = alphabet.len();
        for number in 0..base.pow(3) {
            let digits = [number % base, number / base % base, number / base / base];
            let list: Vec<_> = digits
                .iter()
                .map(|digit| alphabet[*digit].clone())
                .collect();
            assert_eq!(by_hashing(&list), by_comparing(&list), "{list:?}");
        }
    }
}
