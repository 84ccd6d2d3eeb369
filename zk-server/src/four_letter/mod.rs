//! The four-letter words: a word instead of a first frame, text instead of an
//! answer, and the connection ends (`FourLetterCommands`, `CommandExecutor`).
//!
//! Each word has a module that prints plain data exactly as Apache 3.9.5
//! does; `collect` takes the data from the running server. Words that walk
//! large tables or look at files are answered on a thread of their own, and
//! copy what they need in turns, so that clients do not wait for them.
//!
//! Differences: dates are in UTC; what Apache lists in the order of a hash map
//! is sorted here. `environment` and `monitor` say what their values mean
//! without a JVM.

mod collect;
mod configuration;
mod connections;
mod descriptors;
mod dump;
mod environment;
mod java;
mod monitor;
mod server_stats;
#[cfg(test)]
mod tests;
mod version;
mod watches;
mod word;

use crate::config::FourLetterWhitelist;
use crate::conn::Conn;
use crate::shared::Shared;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use word::Word;

/// Which words are answered (`4lw.commands.whitelist`).
#[derive(Debug, Clone)]
pub(crate) struct WhiteList(FourLetterWhitelist);

impl WhiteList {
    pub(crate) fn new(words: &FourLetterWhitelist) -> Self {
        Self(words.clone())
    }
}

/// What the words themselves keep.
#[derive(Debug)]
pub(crate) struct WordState {
    /// What `stmk` set and `gtmk` shows. Nothing is traced by it.
    trace_mask: AtomicI64,
    /// Held while a long answer is put together: one at a time is enough for
    /// the memory they take.
    long_answer: Mutex<()>,
}

impl Default for WordState {
    fn default() -> Self {
        /// `ZooTrace`: client requests, server packets, sessions, warnings.
        const TRACE_MASK: i64 = 0b1_0011_0010;
        Self {
            trace_mask: AtomicI64::new(TRACE_MASK),
            long_answer: Mutex::new(()),
        }
    }
}

/// What becomes of a word.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It needs more bytes behind it.
    Incomplete,
    /// The whole answer; then the connection ends.
    Text(String),
    /// A thread puts the answer together, sends it and ends the connection.
    Underway,
}

/// Whether these bytes are a word and not a length.
pub(crate) fn is_word(word: [u8; 4]) -> bool {
    Word::of(word).is_some()
}

/// Answers a word, with the bytes behind it. Must be called within a tokio
/// runtime.
pub(crate) fn answer(shared: &Arc<Shared>, conn: &Arc<Conn>, word: [u8; 4], rest: &[u8]) -> Answer {
    let Some(word) = Word::of(word) else {
        return Answer::Incomplete;
    };
    if !shared.settings.four_letter_words.0.allows(word.name()) {
        note_received(shared, conn);
        let name = word.name();
        let refusal = format!("{name} is not executed because it is not in the whitelist.");
        return Answer::Text(noted(shared, refusal));
    }
    if word == Word::Stmk && rest.len() < 8 {
        return Answer::Incomplete;
    }
    note_received(shared, conn);
    tracing::info!(client = %conn.remote(), "processing the word {}", word.name());
    if !shared.serves_clients()
        && let Some(text) = word.without_a_leader()
    {
        return Answer::Text(noted(shared, text.into()));
    }
    if word.is_long() {
        answer_later(shared, conn, word);
        return Answer::Underway;
    }
    Answer::Text(noted(shared, short_answer(shared, word, rest)))
}

/// A word counts as a request, and its answer as a packet behind what it
/// tells itself.
fn note_received(shared: &Shared, conn: &Conn) {
    shared.stats.received(1);
    shared.stats.received_bytes(4);
    conn.stats.received.fetch_add(1, Ordering::Relaxed);
}

fn noted(shared: &Shared, text: String) -> String {
    shared.stats.sent(u64::from(!text.is_empty()));
    text
}

fn answer_later(shared: &Arc<Shared>, conn: &Arc<Conn>, word: Word) {
    let (shared, conn) = (shared.clone(), conn.clone());
    tokio::task::spawn_blocking(move || {
        let turn = shared.words.long_answer.lock();
        let text = noted(&shared, long_answer(&shared, word));
        drop(turn);
        conn.push_bytes(text.as_bytes());
        // What the socket takes at once need not keep a worker busy.
        conn.flush();
        conn.close_after_flush();
    });
}

fn short_answer(shared: &Shared, word: Word, rest: &[u8]) -> String {
    match word {
        Word::Ruok => "imok".into(),
        Word::Isro if shared.role.get() == crate::role::ServerRole::ReadOnly => "ro".into(),
        Word::Isro => "rw".into(),
        Word::Srvr => server_stats::srvr(&collect::server_state(shared)),
        Word::Wchs => watches::wchs(shared.watches.lock().summary()),
        Word::Srst => {
            shared.stats.reset();
            "Server stats reset.\n".into()
        }
        Word::Gtmk => shared.words.trace_mask.load(Ordering::Relaxed).to_string(),
        Word::Stmk => set_trace_mask(shared, rest),
        // Telnet's word for goodbye has no answer, and no more has what is
        // answered elsewhere.
        _ => String::new(),
    }
}

fn set_trace_mask(shared: &Shared, rest: &[u8]) -> String {
    let Some(mask) = rest.first_chunk() else {
        return String::new();
    };
    let mask = i64::from_be_bytes(*mask);
    shared.words.trace_mask.store(mask, Ordering::Relaxed);
    mask.to_string()
}

fn long_answer(shared: &Shared, word: Word) -> String {
    match word {
        Word::Conf => collect::configuration(shared).to_string(),
        Word::Cons => connections::cons(&collect::connections(shared)),
        Word::Crst => {
            for conn in shared.conns.all() {
                conn.stats.reset();
            }
            "Connection stats reset.\n".into()
        }
        Word::Dirs => collect::directories(shared).dirs(),
        Word::Dump => collect::dump(shared).to_string(),
        Word::Envi => environment::envi(version::FULL),
        Word::Hash => collect::digests(shared),
        Word::Mntr => monitor::mntr(&collect::monitor(shared)),
        Word::Stat => {
            let connections = collect::connections(shared);
            server_stats::stat(&collect::server_state(shared), &connections)
        }
        Word::Wchc => collect::watch_table(shared).wchc(),
        Word::Wchp => collect::watch_table(shared).wchp(),
        _ => String::new(),
    }
}
