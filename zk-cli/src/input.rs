//! Data that comes from a file or from standard input, byte by byte as it is.

use crate::error::CliError;
use std::io::Read;

/// The whole of a file; of standard input for "-".
pub(crate) fn read(name: &str) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let read = match name {
        "-" => std::io::stdin().lock().read_to_end(&mut bytes).map(drop),
        name => std::fs::read(name).map(|read| bytes = read),
    };
    match read {
        Ok(()) => Ok(bytes),
        Err(error) => Err(CliError::new(format!("{name}: {error}"))),
    }
}
