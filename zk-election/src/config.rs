//! What an election is told once: who it is for, and its paces. It does not
//! know what a server has on disk.

use std::time::Duration;
use zk_proto::ServerId;
use zk_proto::ensemble::EnsembleConfig;

/// The settings of an [`Election`](crate::Election).
#[derive(Debug, Clone)]
pub struct ElectionConfig {
    /// The number in `myid`.
    pub me: ServerId,
    /// The members, of the last configuration that was committed.
    pub ensemble: EnsembleConfig,
    /// A later configuration that was proposed and may have been committed.
    /// Its voters are asked too, and it takes a quorum of both. Ignored when
    /// its version is not above that of `ensemble`.
    pub next: Option<EnsembleConfig>,
    /// How long a quorum of equal votes waits for a better one, once and not
    /// after every message. A longer wait is less likely to elect somebody
    /// whom late voters would have outvoted, which costs another election and
    /// never data. No wait when every voter agrees, or is known to be away.
    /// Apache has 200 ms.
    pub finalize_wait: Duration,
    /// How long after a vote it is first repeated; every repetition doubles
    /// it. Apache has 200 ms.
    pub resend_min: Duration,
    /// The longest time between two repetitions. It bounds how long two
    /// servers that look may fail to notice one another after a cut. Apache
    /// has 60 s.
    pub resend_max: Duration,
    /// Whether a newer configuration in a notification is adopted while
    /// looking (`reconfigEnabled`).
    pub adopts_configs: bool,
}

impl ElectionConfig {
    /// With Apache's paces, no next configuration, and adopting newer ones.
    #[must_use]
    pub fn new(me: ServerId, ensemble: EnsembleConfig) -> Self {
        Self {
            me,
            ensemble,
            next: None,
            finalize_wait: Duration::from_millis(200),
            resend_min: Duration::from_millis(200),
            resend_max: Duration::from_secs(60),
            adopts_configs: true,
        }
    }
}
