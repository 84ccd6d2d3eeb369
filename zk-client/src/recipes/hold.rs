//! What one has who acquired something: how it stands, a fencing token, and
//! the release. Does not know what was acquired.

use super::Result;
use super::place::{Gone, Place};
use crate::{SessionState, Zxid};
use std::fmt;
use tokio::sync::watch;

/// Something that is held for as long as its znode exists: a lock, a lease, a
/// leadership.
///
/// Dropping it releases it in the background; [`Hold::release`] waits for that.
///
/// The ensemble gives it to somebody else when it has not heard of this session
/// for the session's timeout. A holder learns of that danger at once
/// ([`Hold::lost`]) if this process runs at all; one that was paused for longer
/// finds out only afterwards. What must never be done by two is therefore to be
/// done with the [`FencingToken`].
pub struct Hold {
    place: Place,
    /// Whether the znode is gone.
    gone: watch::Receiver<bool>,
}

/// How something that was acquired stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is held.
    Held,
    /// The connection is down: the ensemble may give it to somebody else
    /// before we hear of it. It becomes `Held` again when a server takes the
    /// session back.
    InDoubt,
    /// It is gone: the session is over or somebody deleted the znode.
    Lost,
}

/// A number that grows with each holder: the zxid that created the holder's
/// znode. A store that remembers the greatest that it was shown, and refuses
/// smaller ones, is safe from holders who do not know yet that they are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken(pub Zxid);

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.0)
    }
}

impl Hold {
    /// What is held from now on. `gone` is awaited in the background.
    pub(super) fn new(place: Place, gone: Gone) -> Self {
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            gone.await;
            // Who released it no longer wants to know.
            let _ = sender.send(true);
        });
        Self {
            place,
            gone: receiver,
        }
    }

    /// The token to show to whatever is protected.
    #[must_use]
    pub fn token(&self) -> FencingToken {
        FencingToken(self.place.stat().czxid)
    }

    /// The znode that stands for the holder.
    #[must_use]
    pub fn path(&self) -> &str {
        self.place.path()
    }

    /// How it stands, as far as this process has heard.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing_in(self.place.client().state())
    }

    fn standing_in(&self, state: SessionState) -> Standing {
        match *self.gone.borrow() {
            true => Standing::Lost,
            false => standing_of(state),
        }
    }

    /// Whether it is held and not in doubt.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.standing() == Standing::Held
    }

    /// Waits until it cannot be relied on any longer, and says whether it is
    /// in doubt or lost; at once if it is so already.
    pub async fn lost(&self) -> Standing {
        self.until(|standing| standing != Standing::Held).await
    }

    /// Waits until it stands so, or is lost, after which nothing changes. No
    /// doubt is left out, however short it was.
    pub async fn until(&self, is_wanted: impl Fn(Standing) -> bool) -> Standing {
        let mut gone = self.gone.clone();
        let mut states = self.place.client().state_changes();
        let mut standing = self.standing();
        while standing != Standing::Lost && !is_wanted(standing) {
            standing = tokio::select! {
                Ok(()) = gone.changed() => self.standing(),
                state = states.changed() => self.standing_in(state),
            };
        }
        standing
    }

    /// Releases it and waits until that is certain. Dropping this future
    /// releases it all the same.
    ///
    /// # Errors
    /// When the session is over, with which it was released.
    pub async fn release(self) -> Result<()> {
        self.place.leave().await
    }

    pub(super) const fn place(&self) -> &Place {
        &self.place
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold")
            .field("path", &self.path())
            .field("standing", &self.standing())
            .finish_non_exhaustive()
    }
}

/// How whatever a session holds stands while the session does so.
pub(super) const fn standing_of(state: SessionState) -> Standing {
    match state {
        SessionState::Connected => Standing::Held,
        state if state.is_final() => Standing::Lost,
        _ => Standing::InDoubt,
    }
}
