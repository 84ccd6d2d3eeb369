//! Ephemeral znodes of a name that all know: one at a time has it, and who
//! wants it waits until it goes. Does not know what the name means.

use super::hold::Hold;
use super::place::Place;
use super::{Result, patient};
use crate::Client;

/// Waits until the znode can be created.
pub(super) async fn wait(client: &Client, path: &str, data: &[u8]) -> Result<Hold> {
    loop {
        if let Some(hold) = attempt(client, path, data).await? {
            return Ok(hold);
        }
        patient::until_gone(client, path).await?;
    }
}

/// Creates the znode if there is none.
pub(super) async fn attempt(client: &Client, path: &str, data: &[u8]) -> Result<Option<Hold>> {
    let Some(place) = Place::claim(client, path, data).await? else {
        return Ok(None);
    };
    let gone = place.gone();
    Ok(Some(Hold::new(place, gone)))
}
