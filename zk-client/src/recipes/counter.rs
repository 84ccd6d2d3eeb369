//! Counters, with the bytes of Curator's `SharedCount` (an int in 4) and
//! `DistributedAtomicLong` (a long in 8): big-endian numbers in a shared value.

use super::value::{SharedValue, Versioned};
use super::{RecipeError, Result};
use crate::Client;
use std::marker::PhantomData;

/// A counter of 32 bits (`SharedCount`).
pub type SharedCount = Counter<i32>;
/// A counter of 64 bits (`DistributedAtomicLong`).
pub type AtomicLong = Counter<i64>;

/// A number in a znode.
#[derive(Debug, Clone)]
pub struct Counter<N> {
    value: SharedValue,
    number: PhantomData<N>,
}

/// A number that a counter can hold: `i32` or `i64`.
pub trait Number: Copy + private::Sealed {
    /// Its bytes, big-endian.
    fn to_bytes(self) -> Vec<u8>;
    /// From its bytes; `None` if they are of another length.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
    /// The sum, `None` if it leaves the range.
    fn plus(self, other: Self) -> Option<Self>;
    /// Nothing counted yet.
    const ZERO: Self;
}

mod private {
    pub trait Sealed {}
    impl Sealed for i32 {}
    impl Sealed for i64 {}
}

macro_rules! number {
    ($type:ty) => {
        impl Number for $type {
            fn to_bytes(self) -> Vec<u8> {
                self.to_be_bytes().to_vec()
            }

            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self::from_be_bytes)
            }

            fn plus(self, other: Self) -> Option<Self> {
                self.checked_add(other)
            }

            const ZERO: Self = 0;
        }
    };
}

number!(i32);
number!(i64);

impl<N: Number> Counter<N> {
    /// The counter at this path, which begins with 0. Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, path: impl Into<String>) -> Self {
        Self::starting_at(client, path, N::ZERO)
    }

    /// The counter at this path, which begins with `seed`. Nothing is sent
    /// yet.
    #[must_use]
    pub fn starting_at(client: Client, path: impl Into<String>, seed: N) -> Self {
        Self {
            value: SharedValue::new(client, path, seed.to_bytes()),
            number: PhantomData,
        }
    }

    /// The count; the znode is created if it is not there.
    ///
    /// # Errors
    /// [`RecipeError::Data`] when it is no number; see [`crate::Error`].
    pub async fn get(&self) -> Result<Versioned<N>> {
        self.number(self.value.get().await?)
    }

    /// Sets the count, whatever it was.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn set(&self, count: N) -> Result<Versioned<N>> {
        let set = self.value.set(&count.to_bytes()).await?;
        Ok(set.with(count))
    }

    /// Sets the count if nobody did since `before`; `None` if somebody did.
    ///
    /// # Errors
    /// As [`SharedValue::compare_and_set`].
    pub async fn compare_and_set(
        &self,
        before: &Versioned<N>,
        count: N,
    ) -> Result<Option<Versioned<N>>> {
        let bytes = count.to_bytes();
        let set = self.value.compare_and_set(before, &bytes).await?;
        Ok(set.map(|set| set.with(count)))
    }

    /// Adds to the count, and answers the sum.
    ///
    /// # Errors
    /// [`RecipeError::Overflow`] when the sum has no room; otherwise as
    /// [`SharedValue::compare_and_set`].
    pub async fn add(&self, more: N) -> Result<Versioned<N>> {
        loop {
            let before = self.get().await?;
            let sum = before.value.plus(more);
            let sum = sum.ok_or_else(|| RecipeError::Overflow {
                path: self.value.path().to_owned(),
            })?;
            if let Some(after) = self.compare_and_set(&before, sum).await? {
                return Ok(after);
            }
        }
    }

    /// Waits until somebody set the count since `known`, and answers the
    /// latest.
    ///
    /// # Errors
    /// As [`Counter::get`].
    pub async fn changed(&self, known: &Versioned<N>) -> Result<Versioned<N>> {
        self.number(self.value.changed(known).await?)
    }

    fn number(&self, found: Versioned<bytes::Bytes>) -> Result<Versioned<N>> {
        // Curator reads no data as 0.
        let number = match found.value.is_empty() {
            true => Some(N::ZERO),
            false => N::from_bytes(&found.value),
        };
        let number = number.ok_or_else(|| RecipeError::Data {
            path: self.value.path().to_owned(),
            problem: format!("{} bytes and no number", found.value.len()),
        })?;
        Ok(found.with(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_javas_bytes() {
        assert_eq!(258i32.to_bytes(), [0, 0, 1, 2]);
        assert_eq!((-2i64).to_bytes(), [255, 255, 255, 255, 255, 255, 255, 254]);
        assert_eq!(i32::from_bytes(&[0, 0, 1, 2]), Some(258));
        assert_eq!(i64::from_bytes(&[0, 0, 1, 2]), None);
        assert_eq!(i64::MAX.plus(1), None);
    }
}
