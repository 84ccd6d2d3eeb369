//! What the machine provides, by the variables that `cargo xtask provision`
//! sets.

use std::path::PathBuf;
use std::str::FromStr;

/// A path from the environment; says so when it is missing.
pub(crate) fn path(variable: &str) -> Option<PathBuf> {
    let value = std::env::var_os(variable).filter(|value| !value.is_empty());
    if value.is_none() {
        println!("skipped: {variable} is not set");
    }
    value.map(PathBuf::from)
}

/// A number from the environment, if there is one.
pub(crate) fn number<T: FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse().ok();
    Some(number.unwrap_or_else(|| panic!("{variable} is {text:?}, not a number")))
}
