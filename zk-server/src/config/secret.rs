//! Passwords and digests out of the configuration. They refuse to be printed.

use std::fmt;

/// Text that must reach no log, error or debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Guards `text` from now on.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one place that compares or uses it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_nothing() {
        let secret = Some(Secret::new("super:xQJmxLMiHGwaqBvst5y6rkB6HQs=".into()));
        assert_eq!(format!("{secret:?}"), "Some(<redacted>)");
    }
}
