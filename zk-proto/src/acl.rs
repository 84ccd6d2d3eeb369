//! Access control entries as bytes: who and what. Whether a client matches an
//! entry is decided elsewhere.

use crate::Ustr;
use serde::{Deserialize, Serialize};

/// Permission bits. Apache stores them as given, unknown bits included.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize,
)]
pub struct Perms(pub i32);

impl Perms {
    /// Get data and list children.
    pub const READ: Self = Self(1);
    /// Set data.
    pub const WRITE: Self = Self(2);
    /// Create children.
    pub const CREATE: Self = Self(4);
    /// Delete children.
    pub const DELETE: Self = Self(8);
    /// Set the ACL.
    pub const ADMIN: Self = Self(16);
    /// All five.
    pub const ALL: Self = Self(31);

    /// Whether any bit of `wanted` is granted.
    #[must_use]
    pub const fn intersects(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    /// Both sets of bits.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// An identity: a scheme (`world`, `digest`, `ip`, `auth`, `super`, ...) and
/// its id. Both may be null on the wire.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Id<'a> {
    /// The authentication scheme.
    #[serde(borrow)]
    pub scheme: Option<Ustr<'a>>,
    /// The id within the scheme.
    #[serde(borrow)]
    pub id: Option<Ustr<'a>>,
}

impl<'a> Id<'a> {
    /// `scheme:id`.
    #[must_use]
    pub fn new(scheme: impl Into<Ustr<'a>>, id: impl Into<Ustr<'a>>) -> Self {
        Self {
            scheme: Some(scheme.into()),
            id: Some(id.into()),
        }
    }

    /// The scheme, or "" for null.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.scheme.as_deref().unwrap_or("")
    }

    /// The id, or "" for null.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or("")
    }

    /// The same identity, independent of the input.
    #[must_use]
    pub fn into_owned(self) -> Id<'static> {
        Id {
            scheme: self.scheme.map(Ustr::into_owned),
            id: self.id.map(Ustr::into_owned),
        }
    }
}

/// One entry of an access control list.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Acl<'a> {
    /// What is granted.
    pub perms: Perms,
    /// To whom.
    #[serde(borrow)]
    pub id: Id<'a>,
}

impl<'a> Acl<'a> {
    /// Grants `perms` to `scheme:id`.
    #[must_use]
    pub fn new(perms: Perms, scheme: impl Into<Ustr<'a>>, id: impl Into<Ustr<'a>>) -> Self {
        Self {
            perms,
            id: Id::new(scheme, id),
        }
    }

    /// `world:anyone` with all permissions (`OPEN_ACL_UNSAFE`).
    #[must_use]
    pub fn open() -> Self {
        Self::new(Perms::ALL, "world", "anyone")
    }

    /// The same entry, independent of the input.
    #[must_use]
    pub fn into_owned(self) -> Acl<'static> {
        Acl {
            perms: self.perms,
            id: self.id.into_owned(),
        }
    }
}
