//! Every byte that crosses a ZooKeeper wire or lands in a ZooKeeper file, as
//! typed records, with no opinion about what they mean.
//!
//! The key decision: Jute, ZooKeeper's encoding, is written once as a serde
//! data format ([`jute`]), and records derive `Serialize` and `Deserialize`
//! with their fields in Jute's order. Unions (requests, transactions, multi)
//! live one floor up, by hand, because Jute has no tags. Hot records borrow
//! from the buffer that they were decoded from: a path is a slice of the
//! frame, not a copy.
//!
//! This crate knows no socket, file, clock or thread, and does not know which
//! request is allowed or what a transaction does to a tree. Who wants a
//! client should use `zk-client`; who wants the meaning, `zk-tree`.
//!
//! ```
//! use zk_proto::{OpCode, Request, jute};
//!
//! let body = [0, 0, 0, 2, b'/', b'a', 1]; // path "/a", watch = true
//! let request = Request::decode(OpCode::EXISTS, &body)?;
//! let mut again = Vec::new();
//! request.encode(&mut again)?;
//! assert_eq!(again, body);
//! # Ok::<(), jute::Error>(())
//! ```

mod acl;
pub mod connect;
mod create_mode;
pub mod ensemble;
mod error_code;
pub mod frame;
mod ids;
pub mod jute;
mod multi;
pub mod mutation;
mod op;
mod password;
pub mod path;
pub mod quorum;
mod request;
mod response;
pub mod snapshot;
mod stat;
mod text;
pub mod txn;
mod watch;

#[cfg(feature = "archive")]
pub mod archive;
#[cfg(feature = "codec")]
pub mod codec;

pub use acl::{Acl, Id, Perms};
pub use connect::{ConnectRequest, ConnectResponse};
pub use create_mode::{CreateMode, EphemeralType, MAX_TTL_MS};
pub use error_code::ErrorCode;
pub use ids::{Epoch, ServerId, SessionId, Xid, Zxid};
pub use multi::{MultiHeader, MultiOp, MultiReadOp, MultiReadResult, MultiResult};
pub use op::OpCode;
pub use password::{PASSWORD_LEN, session_password};
pub use request::{
    AddWatchRequest, AuthPacket, CheckVersionRequest, CreateRequest, CreateTtlRequest,
    DeleteRequest, PathRequest, ReadRequest, ReconfigRequest, Request, RequestHeader,
    SetAclRequest, SetDataRequest, SetWatches, SetWatches2, WatcherRequest,
};
pub use response::{ClientInfo, ReplyHeader, Response};
pub use stat::{Stat, StatPersisted};
pub use text::{Buffer, Ustr};
pub use watch::{AddWatchMode, EventType, KeeperState, WatcherEvent, WatcherType};
