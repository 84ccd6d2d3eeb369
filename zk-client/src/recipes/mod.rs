//! What applications build on a session: locks, elections, barriers, queues,
//! counters, caches, registries.
//!
//! The key decision: whatever somebody holds or waits with is one znode of his
//! own ([`Hold`]), created under a name that is found again when the answer was
//! lost, and deleted in the background when he drops it. Who waits watches the
//! one before him and nobody else, so that a release wakes one waiter.
//!
//! Paths, names and data are those of Apache Curator's recipes, so that Rust
//! and Java contenders share one lock, election or queue. A [`Client`] is one
//! session: when that is over, what it held is gone, and recipes say so instead
//! of starting again with another session.
//!
//! All of it runs in a tokio runtime, and dropping any future is safe.
//!
//! [`Client`]: crate::Client

mod barrier;
mod birth;
mod cache;
mod claim;
mod counter;
mod double_barrier;
mod election;
mod error;
mod group;
mod hold;
mod ids;
mod item;
mod latch;
mod line;
mod lock;
mod master;
mod names;
mod patient;
mod place;
mod queue;
mod registry;
mod rwlock;
mod semaphore;
mod value;

pub use barrier::Barrier;
pub use cache::{Cache, CacheEvent, CachedNode, Extent};
pub use counter::{AtomicLong, Counter, Number, SharedCount};
pub use double_barrier::{DoubleBarrier, Entered};
pub use election::{LeaderElection, Participant};
pub use error::{RecipeError, Result};
pub use group::{Group, Membership};
pub use hold::{FencingToken, Hold, Standing};
pub use ids::UniqueIds;
pub use latch::LeaderLatch;
pub use lock::Lock;
pub use master::MasterElection;
pub use queue::{PriorityQueue, Queue};
pub use registry::{Registration, ServiceInstance, ServiceRegistry, ServiceType, UriPart, UriSpec};
pub use rwlock::{ReadWriteLock, WriteHold};
pub use semaphore::Semaphore;
pub use value::{SharedValue, Versioned};
