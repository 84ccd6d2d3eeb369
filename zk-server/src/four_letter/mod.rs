//! The four-letter words: a word instead of a first frame, text instead of an
//! answer, and the connection ends.

use crate::config::FourLetterWhitelist;
use crate::shared::Shared;
use std::sync::Arc;

/// Which words are answered (`4lw.commands.whitelist`).
#[derive(Debug, Clone)]
pub(crate) struct WhiteList(FourLetterWhitelist);

impl WhiteList {
    pub(crate) fn new(words: &FourLetterWhitelist) -> Self {
        Self(words.clone())
    }
}

/// Whether these bytes are a word and not a length.
pub(crate) fn is_word(word: [u8; 4]) -> bool {
    matches!(&word, b"ruok" | b"srvr")
}

/// The answer to a word; `None` when it needs more bytes than came.
pub(crate) fn answer(shared: &Arc<Shared>, word: [u8; 4], _rest: &[u8]) -> Option<String> {
    let name = String::from_utf8_lossy(&word).into_owned();
    if !shared.settings.four_letter_words.0.allows(&name) {
        return Some(format!(
            "{name} is not executed because it is not in the whitelist."
        ));
    }
    Some("imok".into())
}
