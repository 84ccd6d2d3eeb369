//! The two streams, in step: what was written first is seen first. Who reads
//! them, and whether he still does, is not looked at.

use std::cell::RefCell;
use std::io::{self, BufWriter, Stdout, Write};

/// Where results and errors go. Standard output is buffered until something
/// is about to wait or to be written to standard error.
#[derive(Debug)]
pub(crate) struct Output {
    out: RefCell<BufWriter<Stdout>>,
}

impl Output {
    pub(crate) fn new() -> Self {
        Self {
            out: RefCell::new(BufWriter::new(io::stdout())),
        }
    }

    /// A line of the result.
    pub(crate) fn line(&self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(b"\n");
    }

    /// A part of a line of the result.
    pub(crate) fn text(&self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A line on standard error.
    pub(crate) fn error(&self, text: &str) {
        self.flush();
        let mut line = text.to_owned();
        line.push('\n');
        quiet(io::stderr().write_all(line.as_bytes()));
    }

    /// Makes all that was written visible.
    pub(crate) fn flush(&self) {
        quiet(self.out.borrow_mut().flush());
    }

    /// Bytes of the result, as they are.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        quiet(self.out.borrow_mut().write_all(bytes));
    }
}

/// A reader that went away, as in `zk ls -R / | head`, ends the program
/// without a word.
fn quiet(result: io::Result<()>) {
    if result.is_err() {
        std::process::exit(1);
    }
}
