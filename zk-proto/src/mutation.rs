//! Known bugs that a test puts back, one at a time, to see whether it would
//! find them. Code asks here whether a bug is to be in it; which bugs there
//! are, and what finds them, this module does not know.
//!
//! Without the feature `mutations` no bug is ever back, and asking costs
//! nothing: the answer is a constant.

/// Whether this bug is back.
#[cfg(not(feature = "mutations"))]
#[inline]
#[must_use]
pub const fn is_back(_bug: &str) -> bool {
    false
}

#[cfg(feature = "mutations")]
pub use put::{is_back, put_back};

#[cfg(feature = "mutations")]
mod put {
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The bug that is back, by the hash of its name; 0 for none.
    static BACK: AtomicU64 = AtomicU64::new(0);

    /// Puts a bug back, for the whole process, in the place of the one before.
    pub fn put_back(bug: Option<&str>) {
        BACK.store(bug.map_or(0, hash), Ordering::SeqCst);
    }

    /// Whether this bug is back.
    #[inline]
    #[must_use]
    pub fn is_back(bug: &str) -> bool {
        let back = BACK.load(Ordering::Relaxed);
        back != 0 && back == hash(bug)
    }

    /// FNV-1a, which the compiler does for the names in the code.
    const fn hash(name: &str) -> u64 {
        let (bytes, mut hash, mut at) = (name.as_bytes(), 0xcbf2_9ce4_8422_2325, 0);
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        hash
    }
}
