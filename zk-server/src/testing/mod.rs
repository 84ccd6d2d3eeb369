//! Servers inside the test of a program that uses ZooKeeper: one or an
//! ensemble, on free ports and in a temporary directory, to be killed and
//! started again. It knows no client: any will do.
//!
//! The servers are the real ones, with their files, flushes and elections.
//! They run on threads of their own, so that a test may block its own thread.
//! Everything ends with the [`Ensemble`], its files too.
//!
//! ```
//! use zk_client::{Client, CreateOptions};
//! use zk_server::testing::Ensemble;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut ensemble = Ensemble::start(3).await?;
//! let client = Client::connect(&ensemble.connect_string()).await?;
//! client.create("/job", Some(b"1"), &CreateOptions::default()).await?;
//!
//! let leader = ensemble.leader().await;
//! ensemble.kill(leader).await;
//! ensemble.leader().await;
//! client.connected().await?;
//! client.sync("/job").await?;
//! assert_eq!(client.get_data("/job", false).await?.0.as_deref(), Some(&b"1"[..]));
//!
//! ensemble.restart(leader).await?;
//! client.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A single server suffices for most tests, and settings go as in zoo.cfg:
//!
//! ```
//! use zk_server::testing::Ensemble;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Ensemble::builder().setting("extendedTypesEnabled", "true").start().await?;
//! let address = server.address(1);
//! # assert!(address.ip().is_loopback());
//! # Ok(())
//! # }
//! ```

mod builder;
mod ensemble;
mod member;
mod ports;

#[cfg(test)]
mod tests;

pub use builder::Builder;
pub use ensemble::Ensemble;

use crate::ServerError;
use crate::config::ConfigError;

/// Why servers for a test did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestingError {
    /// No directory, port or thread was to be had.
    #[error("cannot prepare a server for a test: {0}")]
    Prepare(#[from] std::io::Error),
    /// A setting that zoo.cfg must not have.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A server that could not start.
    #[error("server {id} does not start: {error}")]
    Start {
        /// Which server.
        id: u64,
        /// Why.
        error: ServerError,
    },
}
