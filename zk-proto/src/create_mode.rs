//! The six kinds of znode: the flags that ask for one and the owner field
//! that remembers it.

/// Longest time to live, in ms: 40 bits (`EphemeralType.TTL.maxValue`).
pub const MAX_TTL_MS: i64 = 0xff_ffff_ffff;

/// The `flags` of a create (`CreateMode`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CreateMode {
    /// Stays until deleted.
    Persistent,
    /// Dies with its session.
    Ephemeral,
    /// Persistent, with the parent's counter appended to its name.
    PersistentSequential,
    /// Ephemeral, with the parent's counter appended to its name.
    EphemeralSequential,
    /// Deleted by the server once it had children and has none.
    Container,
    /// Deleted by the server when it was not set for its time to live and
    /// has no children.
    PersistentTtl,
    /// The same with the parent's counter appended.
    PersistentSequentialTtl,
}

impl CreateMode {
    /// The mode of a request's flags; `None` for flags that ask for nothing.
    #[must_use]
    pub const fn from_flags(flags: i32) -> Option<Self> {
        Some(match flags {
            0 => Self::Persistent,
            1 => Self::Ephemeral,
            2 => Self::PersistentSequential,
            3 => Self::EphemeralSequential,
            4 => Self::Container,
            5 => Self::PersistentTtl,
            6 => Self::PersistentSequentialTtl,
            _ => return None,
        })
    }

    /// The flags of a request for this mode.
    #[must_use]
    pub const fn flags(self) -> i32 {
        match self {
            Self::Persistent => 0,
            Self::Ephemeral => 1,
            Self::PersistentSequential => 2,
            Self::EphemeralSequential => 3,
            Self::Container => 4,
            Self::PersistentTtl => 5,
            Self::PersistentSequentialTtl => 6,
        }
    }

    /// Whether the znode belongs to a session.
    #[must_use]
    pub const fn is_ephemeral(self) -> bool {
        matches!(self, Self::Ephemeral | Self::EphemeralSequential)
    }

    /// Whether the server appends the parent's counter.
    #[must_use]
    pub const fn is_sequential(self) -> bool {
        matches!(
            self,
            Self::PersistentSequential | Self::EphemeralSequential | Self::PersistentSequentialTtl
        )
    }

    /// Whether the znode is a container.
    #[must_use]
    pub const fn is_container(self) -> bool {
        matches!(self, Self::Container)
    }

    /// Whether the znode has a time to live.
    #[must_use]
    pub const fn is_ttl(self) -> bool {
        matches!(self, Self::PersistentTtl | Self::PersistentSequentialTtl)
    }
}

const CONTAINER_OWNER: i64 = i64::MIN;
const EXTENDED_MASK: i64 = 0xff00_0000_0000_0000_u64 as i64;

/// What a stored `ephemeralOwner` says of its znode (`EphemeralType`).
///
/// The extended form (high byte 0xff) is meant only where extended types are
/// enabled; without them such an owner is a session of server 255.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EphemeralType {
    /// No owner: persistent.
    Void,
    /// Owned by a session.
    Normal(i64),
    /// A container.
    Container,
    /// Lives this long, in ms, after its last change.
    Ttl(i64),
}

impl EphemeralType {
    /// Reads a stored owner. Bits 40 to 55 of an extended owner name the
    /// feature; 0 is TTL, the only one that exists, others read as a session.
    #[must_use]
    pub const fn from_owner(owner: i64, extended_types: bool) -> Self {
        if owner == 0 {
            return Self::Void;
        }
        if owner == CONTAINER_OWNER {
            return Self::Container;
        }
        let ttl = owner & MAX_TTL_MS;
        if extended_types && owner == EXTENDED_MASK | ttl {
            return Self::Ttl(ttl);
        }
        Self::Normal(owner)
    }

    /// The owner that is stored for this kind.
    #[must_use]
    pub const fn owner(self) -> i64 {
        match self {
            Self::Void => 0,
            Self::Normal(session) => session,
            Self::Container => CONTAINER_OWNER,
            Self::Ttl(ttl) => EXTENDED_MASK | ttl,
        }
    }

    /// The owner that clients see: the session of an ephemeral, else 0.
    #[must_use]
    pub const fn visible_owner(self) -> i64 {
        match self {
            Self::Normal(session) => session,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_round_trip() {
        for flags in 0..7 {
            let mode = CreateMode::from_flags(flags).unwrap();
            assert_eq!(mode.flags(), flags);
        }
        assert_eq!(CreateMode::from_flags(7), None);
        assert_eq!(CreateMode::from_flags(-1), None);
    }

    #[test]
    fn owners_name_their_kind() {
        for kind in [
            EphemeralType::Void,
            EphemeralType::Normal(0x1000_0000_0000_0001),
            EphemeralType::Container,
            EphemeralType::Ttl(1),
            EphemeralType::Ttl(MAX_TTL_MS),
        ] {
            assert_eq!(EphemeralType::from_owner(kind.owner(), true), kind);
        }
        let ttl = EphemeralType::Ttl(5).owner();
        assert_eq!(
            EphemeralType::from_owner(ttl, false),
            EphemeralType::Normal(ttl)
        );
    }
}
