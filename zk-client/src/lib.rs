//! An async client session with a ZooKeeper ensemble.
//!
//! The key decision: the session is a state machine without I/O
//! ([`session::Session`]): bytes and time go in, bytes, answers and events
//! come out. A task on tokio (the driver) gives it a socket and a clock, and
//! [`Client`] encodes requests straight into its buffer under a short lock,
//! so that many requests in flight leave in one write and no task stands
//! between the caller and the session.
//!
//! A session survives its connections: they are made again, with its watches
//! and identities, until the ensemble or this client's own clock says that it
//! is gone ([`StateWatch`]). Watches are values ([`OneshotWatch`],
//! [`WatchStream`]) that hear of their own events only; [`Events`] tells of
//! everything. Errors say whether an operation may have happened
//! ([`Error::may_have_happened`]), and dropping a future gives up its answer
//! only.
//!
//! What applications build on a session, from locks to a service registry, is
//! in [`recipes`], in Curator's layout.
//!
//! Below the recipes nothing knows what a znode's data mean. The crate prints
//! nothing: it only leaves `tracing` events about connections.
//!
//! ```no_run
//! use zk_client::{Client, CreateOptions};
//!
//! # async fn example() -> Result<(), zk_client::Error> {
//! let client = Client::connect("127.0.0.1:2181/app").await?;
//! client.create("/greeting", Some(b"hello"), &CreateOptions::default()).await?;
//! let (data, stat) = client.get_data("/greeting", false).await?;
//! assert_eq!(data.as_deref(), Some(&b"hello"[..]));
//! assert_eq!(stat.version, 0);
//! client.close().await
//! # }
//! ```

mod chroot;
mod client;
mod connect;
mod connect_string;
mod connector;
mod driver;
mod error;
mod event;
mod hosts;
mod listeners;
mod multi;
mod probe;
mod random;
pub mod recipes;
pub mod session;
mod shared;
mod transaction;
mod watch;

pub use client::{Client, CreateOptions};
pub use connect_string::{ConnectString, ConnectStringError, HostPort};
pub use connector::Connector;
pub use error::Error;
pub use event::{Event, Events};
pub use multi::{Op, OpResult, ReadOp, ReadResult};
pub use session::SessionState;
pub use transaction::{Committed, Outcome, Pending, Transaction};
pub use watch::{OneshotWatch, StateWatch, WatchStream};

pub use zk_proto::{
    Acl, AddWatchMode, CreateMode, ErrorCode, EventType, Id, KeeperState, Perms, SessionId, Stat,
    WatcherType, Zxid,
};
