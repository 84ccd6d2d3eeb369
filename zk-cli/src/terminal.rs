//! A person at a terminal: line editing, history, completion, and events that
//! come above the line that is being typed. A thread of its own waits for the
//! keys; it knows commands by name only, and asks the shell for znodes.

use crate::complete::{self, Wanted};
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Context, Editor, ExternalPrinter, Helper};
use std::path::PathBuf;
use std::sync::mpsc as blocking;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// A question for the names of children. The answer may never come.
#[derive(Debug)]
pub(crate) struct Question {
    /// The znode as the user wrote it: absolute, or from where `cd` went.
    pub(crate) path: String,
    pub(crate) answer: blocking::Sender<Vec<String>>,
}

/// What the terminal tells the shell.
#[derive(Debug)]
pub(crate) enum Input {
    Line(String),
    Question(Question),
}

/// Prints above the line that is being typed.
pub(crate) type Printer = Box<dyn ExternalPrinter + Send>;

/// The shell's end of the terminal.
pub(crate) struct Terminal {
    prompts: blocking::Sender<String>,
    inputs: mpsc::Receiver<Input>,
    printer: Option<Printer>,
}

/// Who presses Tab does not wait longer.
const PATIENCE: Duration = Duration::from_secs(2);

impl Terminal {
    /// Opens the terminal; `None` if it cannot edit lines.
    pub(crate) async fn open() -> Option<Self> {
        let (prompts, prompts_out) = blocking::channel();
        let (inputs_in, inputs) = mpsc::channel(16);
        let (ready, is_ready) = oneshot::channel();
        std::thread::spawn(move || edit_lines(&prompts_out, &inputs_in, ready));
        let printer = is_ready.await.ok()?;
        Some(Self {
            prompts,
            inputs,
            printer,
        })
    }

    /// Shows a prompt and waits for a line.
    pub(crate) fn ask(&self, prompt: String) {
        let _ = self.prompts.send(prompt);
    }

    /// A line or a question; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Input> {
        self.inputs.recv().await
    }

    /// Prints above the prompt. Whether there was a way to.
    pub(crate) fn print(&mut self, text: &str) -> bool {
        let printer = self.printer.as_mut();
        printer.is_some_and(|printer| printer.print(text.to_owned()).is_ok())
    }
}

fn edit_lines(
    prompts: &blocking::Receiver<String>,
    inputs: &mpsc::Sender<Input>,
    ready: oneshot::Sender<Option<Printer>>,
) {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_space(true)
        .auto_add_history(true)
        .build();
    let Ok(mut editor) = Editor::<Keys, FileHistory>::with_config(config) else {
        return;
    };
    editor.set_helper(Some(Keys {
        inputs: inputs.clone(),
        files: FilenameCompleter::new(),
    }));
    let history = history_file();
    if let Some(file) = &history {
        // None yet is no history.
        let _ = editor.load_history(file);
    }
    let printer = editor.create_external_printer().ok();
    let printer = printer.map(|printer| Box::new(printer) as Printer);
    if ready.send(printer).is_err() {
        return;
    }
    while let Ok(prompt) = prompts.recv() {
        let line = match editor.readline(&prompt) {
            Ok(line) => line,
            // Ctrl-C gives up the line, not the session.
            Err(ReadlineError::Interrupted) => String::new(),
            Err(_) => return,
        };
        if let Some(file) = history.as_ref().filter(|_| !line.trim().is_empty()) {
            let _ = editor.append_history(file);
        }
        if inputs.blocking_send(Input::Line(line)).is_err() {
            return;
        }
    }
}

/// `zk/history` in the user's directory for state, which is made if it is
/// missing.
fn history_file() -> Option<PathBuf> {
    let directory = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let state = match directory("XDG_STATE_HOME") {
        Some(state) => PathBuf::from(state),
        None => PathBuf::from(directory("HOME")?).join(".local/state"),
    };
    let directory = state.join("zk");
    std::fs::create_dir_all(&directory).ok()?;
    Some(directory.join("history"))
}

/// What the keys can do besides typing.
#[derive(Helper, rustyline::Hinter, rustyline::Highlighter, rustyline::Validator)]
struct Keys {
    inputs: mpsc::Sender<Input>,
    files: FilenameCompleter,
}

impl Keys {
    /// The names of children, from the server.
    fn children(&self, path: &str) -> Vec<String> {
        let (answer, answers) = blocking::channel();
        let question = Question {
            path: path.to_owned(),
            answer,
        };
        if self
            .inputs
            .blocking_send(Input::Question(question))
            .is_err()
        {
            return Vec::new();
        }
        answers.recv_timeout(PATIENCE).unwrap_or_default()
    }
}

impl Completer for Keys {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let mut end = "";
        let (start, words) = match complete::wanted(&line[..at]) {
            Wanted::Words(start, words) => {
                end = " ";
                (start, words)
            }
            Wanted::Child {
                start,
                parent,
                prefix,
            } => {
                let mut names = self.children(parent);
                names.retain(|name| name.starts_with(prefix));
                names.sort_unstable();
                (start, names)
            }
            Wanted::File => return self.files.complete(line, at, context),
        };
        let pairs = words.into_iter().map(|word| Pair {
            replacement: format!("{word}{end}"),
            display: word,
        });
        Ok((start, pairs.collect()))
    }
}
