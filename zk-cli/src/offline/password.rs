//! The identity that a digest ACL holds for a user and a password
//! (`DigestAuthenticationProvider`).

use super::{Outcome, parse};
use crate::error::CliError;
use crate::output::Output;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};

pub(super) fn digest(output: &Output, words: &[&str]) -> Outcome {
    let parsed = parse("digest-password", &[], words, 1..=usize::MAX)?;
    for user in &parsed.words {
        output.line(&format!("{user}->{}", identity(user)?));
    }
    Ok(())
}

/// `user:base64(sha1(user:password))`.
pub(crate) fn identity(text: &str) -> Result<String, CliError> {
    let Some((user, _)) = text.split_once(':') else {
        return Err(CliError::usage(format!(
            "{text:?} does not have the form user:password"
        )));
    };
    let hash = BASE64_STANDARD.encode(Sha1::digest(text.as_bytes()));
    Ok(format!("{user}:{hash}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_those_of_apache() {
        assert_eq!(
            identity("super:fixture").unwrap(),
            "super:aUNvlR1MTvkJltEXyKE6RkjAUlk="
        );
        assert!(identity("nobody").is_err());
    }
}
