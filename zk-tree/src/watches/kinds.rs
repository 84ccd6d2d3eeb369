//! The kinds of watches as a set of bits (`WatcherMode`, `WatchStats`), and
//! which of them an event concerns.

use zk_proto::{AddWatchMode, EventType, WatcherType};

/// What a connection asks to be told of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WatchKind {
    /// The next creation, deletion or change of data: exists and getData.
    Data,
    /// The next change of the children, or deletion: getChildren.
    Child,
    /// Both, each time.
    Persistent,
    /// Creations, deletions and changes of data of the znode and everything
    /// below, each time.
    Recursive,
}

impl From<AddWatchMode> for WatchKind {
    fn from(mode: AddWatchMode) -> Self {
        match mode {
            AddWatchMode::Persistent => Self::Persistent,
            AddWatchMode::PersistentRecursive => Self::Recursive,
        }
    }
}

/// A set of kinds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const DATA: Self = Self(1);
    pub(super) const CHILD: Self = Self(2);
    pub(super) const PERSISTENT: Self = Self(4);
    pub(super) const RECURSIVE: Self = Self(8);

    /// The kinds that Apache's data manager holds.
    const DATA_SIDE: Self = Self(1 | 4 | 8);
    /// The kinds that its child manager holds.
    const CHILD_SIDE: Self = Self(2 | 4);
    const ALL: Self = Self(15);

    /// The kinds that hear of an event of their own path.
    pub(super) const fn of_event(kind: EventType) -> Self {
        match kind {
            EventType::NodeCreated | EventType::NodeDataChanged => Self::DATA_SIDE,
            EventType::NodeDeleted => Self::ALL,
            EventType::NodeChildrenChanged => Self::CHILD_SIDE,
            _ => Self::NONE,
        }
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn one_shots(self) -> Self {
        Self(self.0 & 3)
    }

    pub(super) const fn has_data(self) -> bool {
        self.intersects(Self::DATA_SIDE)
    }

    pub(super) const fn has_child(self) -> bool {
        self.intersects(Self::CHILD_SIDE)
    }
}

impl From<WatchKind> for Kinds {
    fn from(kind: WatchKind) -> Self {
        match kind {
            WatchKind::Data => Self::DATA,
            WatchKind::Child => Self::CHILD,
            WatchKind::Persistent => Self::PERSISTENT,
            WatchKind::Recursive => Self::RECURSIVE,
        }
    }
}

impl From<WatcherType> for Kinds {
    fn from(kind: WatcherType) -> Self {
        match kind {
            WatcherType::Children => Self::CHILD,
            WatcherType::Data => Self::DATA,
            WatcherType::Any => Self::ALL,
            WatcherType::Persistent => Self::PERSISTENT,
            WatcherType::PersistentRecursive => Self::RECURSIVE,
        }
    }
}
