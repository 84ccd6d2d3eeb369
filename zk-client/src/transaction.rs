//! A multi put together step by step: each operation gives a receipt, and the
//! receipt finds the operation's own result.

use crate::{Client, CreateOptions, Error, Op, OpResult, Stat};
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes that take effect together or not at all; from
/// [`Client::transaction`].
///
/// ```no_run
/// # async fn example(client: zk_client::Client) -> Result<(), zk_client::Error> {
/// use zk_client::{CreateMode, CreateOptions};
///
/// let mut transaction = client.transaction();
/// transaction.check("/leader", 7);
/// let job = CreateOptions::new(CreateMode::PersistentSequential);
/// let job = transaction.create("/jobs/job-", Some(b"..."), &job);
/// let count = transaction.set_data("/jobs", Some(b"12"), -1);
/// let committed = transaction.commit().await?;
/// let (path, _) = committed.get(&job);
/// println!("{path}; version {}", committed.get(&count).version);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing happens before it is committed"]
pub struct Transaction<'a> {
    client: Client,
    id: u64,
    ops: Vec<Op<'a>>,
}

/// A receipt for one operation of a [`Transaction`], whose result is a `T`.
pub struct Pending<T> {
    transaction: u64,
    index: usize,
    result: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pending").field(&self.index).finish()
    }
}

/// What the operations of a transaction that took effect resulted in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    transaction: u64,
    results: Vec<OpResult>,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(client: Client) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self {
            client,
            id: COUNT.fetch_add(1, Ordering::Relaxed),
            ops: Vec::new(),
        }
    }

    /// Creates a znode; results in its path, with its number if it is
    /// sequential, and its Stat.
    pub fn create(
        &mut self,
        path: &'a str,
        data: Option<&'a [u8]>,
        options: &CreateOptions<'a>,
    ) -> Pending<(String, Stat)> {
        self.push(Op::Create(path, data, options.clone()))
    }

    /// Replaces a znode's data if it has this version, -1 for any; results in
    /// the Stat right after.
    pub fn set_data(
        &mut self,
        path: &'a str,
        data: Option<&'a [u8]>,
        version: i32,
    ) -> Pending<Stat> {
        self.push(Op::SetData(path, data, version))
    }

    /// Deletes a znode without children if it has this version; -1 for any.
    pub fn delete(&mut self, path: &'a str, version: i32) -> Pending<()> {
        self.push(Op::Delete(path, version))
    }

    /// Fails the transaction unless the znode has this version; -1 for any.
    pub fn check(&mut self, path: &'a str, version: i32) -> Pending<()> {
        self.push(Op::Check(path, version))
    }

    fn push<T>(&mut self, op: Op<'a>) -> Pending<T> {
        self.ops.push(op);
        Pending {
            transaction: self.id,
            index: self.ops.len() - 1,
            result: PhantomData,
        }
    }

    /// Asks for all of it.
    ///
    /// # Errors
    /// [`Error::Multi`] names the operation that failed all; see [`Error`].
    pub async fn commit(self) -> Result<Committed, Error> {
        Ok(Committed {
            transaction: self.id,
            results: self.client.multi(&self.ops).await?,
        })
    }
}

impl Committed {
    /// The result of an operation.
    ///
    /// # Panics
    /// With the receipt of another transaction.
    #[must_use]
    pub fn get<T: Outcome>(&self, pending: &Pending<T>) -> T {
        assert_eq!(
            pending.transaction, self.transaction,
            "a receipt of another transaction"
        );
        T::of(&self.results[pending.index])
            .expect("the client compared the results with the operations")
    }

    /// All results, in the order of the operations.
    #[must_use]
    pub fn into_results(self) -> Vec<OpResult> {
        self.results
    }
}

/// What an operation can result in.
pub trait Outcome: Sized + sealed::Sealed {
    #[doc(hidden)]
    fn of(result: &OpResult) -> Option<Self>;
}

impl Outcome for (String, Stat) {
    fn of(result: &OpResult) -> Option<Self> {
        match result {
            OpResult::Created(path, stat) => Some((path.clone(), *stat)),
            _ => None,
        }
    }
}

impl Outcome for Stat {
    fn of(result: &OpResult) -> Option<Self> {
        match result {
            OpResult::DataSet(stat) => Some(*stat),
            _ => None,
        }
    }
}

impl Outcome for () {
    fn of(_: &OpResult) -> Option<Self> {
        Some(())
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for (String, super::Stat) {}
    impl Sealed for super::Stat {}
    impl Sealed for () {}
}
