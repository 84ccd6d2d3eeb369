//! The shell around the commands: one session at a time, its events, the
//! history, and where lines come from. What commands do is theirs.

use crate::args::{self, Args};
use crate::commands::{self, Context};
use crate::error::CliError;
use crate::output::Output;
use crate::terminal::{Input, Question, Terminal};
use crate::{more, offline, paths, usage, words};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal};
use std::time::Duration;
use tokio::sync::mpsc;
use zk_client::{Client, Connector, Event, Events, SessionState};

/// Lines of the history that are shown before the current one.
const HISTORY_SHOWN: usize = 10;
/// A farewell that takes longer is not worth waiting for.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// So long the first prompt waits for a connection.
const FIRST_PROMPT: Duration = Duration::from_secs(1);

pub(crate) struct Shell<'a> {
    args: Args,
    output: &'a Output,
    client: Client,
    events: Events,
    host: String,
    print_watches: bool,
    /// Lines by number. A number that was not used yet has no line.
    history: BTreeMap<usize, String>,
    count: usize,
    exit_code: i32,
    /// Where `cd` went.
    directory: Option<String>,
    /// Where a person types, if one does.
    terminal: Option<Terminal>,
    /// Whether the session made ephemeral znodes.
    made_ephemerals: Cell<bool>,
}

/// What to do after a command.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    Quit,
}

impl<'a> Shell<'a> {
    /// Starts to connect; waits for it only if asked to.
    pub(crate) async fn start(args: Args, output: &'a Output) -> Result<Self, CliError> {
        let host = args.server.clone();
        let (client, events) = connect(&args, &host)?;
        let print_watches = !args.quiet;
        let mut shell = Self {
            args,
            output,
            client,
            events,
            host,
            print_watches,
            history: BTreeMap::new(),
            count: 0,
            exit_code: 0,
            directory: None,
            terminal: None,
            made_ephemerals: Cell::new(false),
        };
        shell.wait_for_connection().await?;
        Ok(shell)
    }

    /// Runs one command, and says farewell.
    pub(crate) async fn run_once(&mut self, command: Vec<String>) -> i32 {
        self.execute(command).await;
        self.leave().await;
        self.exit_code
    }

    /// Runs the commands of standard input, or of a person at a terminal.
    pub(crate) async fn run_interactive(&mut self) -> i32 {
        if !self.args.quiet {
            self.output.line("Welcome to ZooKeeper!");
        }
        if io::stdin().is_terminal() && io::stdout().is_terminal() {
            self.open_terminal().await;
        } else if !self.args.quiet {
            self.output.line("JLine support is disabled");
        }
        let mut pipe = self.terminal.is_none().then(read_lines);
        loop {
            let Some(line) = self.next_line(pipe.as_mut()).await else {
                break;
            };
            let mut command = words::split(&line);
            if command.is_empty() {
                continue;
            }
            self.history.insert(self.count, line);
            if command == ["txn"] {
                let Some(txn) = self.read_txn(pipe.as_mut()).await else {
                    self.count += 1;
                    continue;
                };
                command = txn;
            }
            if self.execute(command).await == Next::Quit {
                return self.exit_code;
            }
            self.count += 1;
        }
        self.leave().await;
        self.exit_code
    }

    /// Relative paths start at the root, and the prompt waits a moment to say
    /// that the session is connected.
    async fn open_terminal(&mut self) {
        self.output.flush();
        self.terminal = Terminal::open().await;
        self.directory = Some("/".to_owned());
        let _ = tokio::time::timeout(FIRST_PROMPT, self.client.connected()).await;
        self.print_events();
    }

    /// The next line; until it is there, events are printed and names of
    /// znodes looked up.
    async fn next_line(&mut self, pipe: Option<&mut mpsc::Receiver<String>>) -> Option<String> {
        self.output.flush();
        match pipe {
            Some(pipe) => self.next_piped(pipe).await,
            None => self.next_typed().await,
        }
    }

    async fn next_piped(&mut self, pipe: &mut mpsc::Receiver<String>) -> Option<String> {
        loop {
            tokio::select! {
                biased;
                Some(event) = self.events.next() => {
                    print_event(self.output, self.print_watches, &event);
                    self.output.flush();
                }
                line = pipe.recv() => return line,
            }
        }
    }

    async fn next_typed(&mut self) -> Option<String> {
        let prompt = self.prompt();
        let terminal = self.terminal.as_mut()?;
        terminal.ask(prompt);
        loop {
            tokio::select! {
                biased;
                Some(event) = self.events.next() => {
                    let text = format!("\nWATCHER::\n\n{event}\n");
                    if self.print_watches && !terminal.print(&text) {
                        print_event(self.output, true, &event);
                        self.output.flush();
                    }
                }
                input = terminal.next() => match input? {
                    Input::Line(line) => return Some(line),
                    Input::Question(question) => {
                        answer(&self.client, self.directory.as_deref(), question);
                    }
                }
            }
        }
    }

    /// The lines of a transaction up to `commit`, as one command; none
    /// after `abort`.
    async fn read_txn(
        &mut self,
        mut pipe: Option<&mut mpsc::Receiver<String>>,
    ) -> Option<Vec<String>> {
        let mut command = vec!["txn".to_owned()];
        while let Some(line) = self.next_line(pipe.as_deref_mut()).await {
            match line.trim() {
                "commit" => return Some(command),
                "abort" => return None,
                "" => {}
                line => command.push(format!("{line};")),
            }
        }
        None
    }

    fn prompt(&self) -> String {
        let state = match self.client.state() {
            SessionState::Connecting | SessionState::Suspended => "CONNECTING",
            SessionState::Connected => "CONNECTED",
            SessionState::ConnectedReadOnly => "CONNECTEDREADONLY",
            SessionState::Closed | SessionState::Expired => "CLOSED",
            SessionState::AuthFailed => "AUTH_FAILED",
        };
        let directory = match self.directory.as_deref() {
            None | Some("/") => String::new(),
            Some(directory) => format!("{directory} "),
        };
        format!("[zk: {}({state}) {directory}{}] ", self.host, self.count)
    }

    /// Runs a command and keeps its exit code.
    async fn execute(&mut self, command: Vec<String>) -> Next {
        let outcome = self.dispatch(command).await;
        self.print_events();
        match outcome {
            Ok(Next::Quit) => return Next::Quit,
            Ok(Next::GoOn) => self.exit_code = 0,
            Err(error) => {
                let code = error.report(self.output);
                self.exit_code = if self.args.quiet { error.kind } else { code };
            }
        }
        self.output.flush();
        Next::GoOn
    }

    async fn dispatch(&mut self, mut command: Vec<String>) -> Result<Next, CliError> {
        if command[0] == "redo" && command.len() > 1 {
            command = self.redo(&command[1])?;
        }
        let json = args::take_format(&mut command, self.args.json).map_err(CliError::usage)?;
        let name = command[0].as_str();
        if offline::knows(name) {
            offline::run(self.output, &command)?;
            return Ok(Next::GoOn);
        }
        if !usage::exists(name) && !self.is_ours(&command) {
            self.output.error(&usage::all());
            return Err(CliError::command_not_found(name));
        }
        match name {
            "quit" => {
                self.close().await;
                return Ok(Next::Quit);
            }
            "help" => return self.help(command.get(1)),
            "pwd" => {
                let directory = self.directory.as_deref();
                self.output.line(directory.unwrap_or("/"));
                return Ok(Next::GoOn);
            }
            "history" => self.print_history(),
            "printwatches" => self.switch_watches(command.get(1)),
            "connect" => self.reconnect(command.get(1)).await?,
            _ => {}
        }
        if self.client.state().is_final() {
            self.output.line("Not connected");
            return Ok(Next::GoOn);
        }
        if name == "cd" {
            self.change_directory(command.get(1)).await?;
            return Ok(Next::GoOn);
        }
        self.run_on_session(&command, json).await?;
        Ok(Next::GoOn)
    }

    /// Whether it is a command that Apache's shell has not. `help` alone is
    /// one for people only: it shows what Apache's shell shows for any word
    /// that it does not know.
    fn is_ours(&self, command: &[String]) -> bool {
        let is_bare_help = command.len() == 1 && command[0] == "help";
        more::knows(&command[0]) && (!is_bare_help || self.terminal.is_some())
    }

    fn help(&self, command: Option<&String>) -> Result<Next, CliError> {
        let Some(name) = command else {
            self.output.line(&usage::all());
            self.output
                .line(&format!("Beyond Apache's:\n{}", more::all()));
            let tools = offline::NAMES.join(", ");
            self.output
                .line(&format!("For files: {tools}\nhelp COMMAND tells more."));
            return Ok(Next::GoOn);
        };
        let text = if offline::knows(name) {
            offline::usage(name).to_owned()
        } else if usage::exists(name) {
            usage::of(name).trim_end().to_owned() + usage::more(name)
        } else {
            more::help(name).ok_or_else(|| CliError::command_not_found(name))?
        };
        self.output.line(&text);
        Ok(Next::GoOn)
    }

    async fn change_directory(&mut self, word: Option<&String>) -> Result<(), CliError> {
        let word = word.map_or("/", String::as_str);
        let path = paths::resolve(Some(self.directory.as_deref().unwrap_or("/")), word);
        let there = self.client.exists(&path, false).await;
        if there.map_err(commands::on(&path))?.is_none() {
            return Err(CliError::no_node(&path));
        }
        self.directory = Some(path);
        Ok(())
    }

    /// Runs a command of the session; events that come meanwhile are printed
    /// as they come, and before the results that they precede.
    async fn run_on_session(&mut self, command: &[String], json: bool) -> Result<(), CliError> {
        let context = Context {
            client: &self.client,
            output: self.output,
            args: &self.args,
            directory: self.directory.as_deref(),
            json,
            made_ephemerals: &self.made_ephemerals,
        };
        let is_terminal = self.terminal.is_some();
        let running = commands::run(&context, command);
        tokio::pin!(running);
        loop {
            tokio::select! {
                biased;
                Some(event) = self.events.next() => {
                    print_event(self.output, self.print_watches, &event);
                }
                outcome = &mut running => return outcome,
                // Ctrl-C ends the command, and leaves the session to go on.
                Ok(()) = tokio::signal::ctrl_c(), if is_terminal => {
                    return Err(CliError::new("interrupted"));
                }
            }
        }
    }

    /// The command of an earlier line, which takes this line's place.
    fn redo(&mut self, number: &str) -> Result<Vec<String>, CliError> {
        let number: i64 = number
            .parse()
            .map_err(|_| CliError::new(format!("{number:?} is no command number")))?;
        let line = usize::try_from(number)
            .ok()
            .filter(|number| *number < self.count)
            .and_then(|number| self.history.get(&number))
            .ok_or_else(|| CliError::new("Command index out of range"))?
            .clone();
        let command = words::split(&line);
        if command[0] == "redo" {
            return Err(CliError::new("No redoing redos"));
        }
        self.history.insert(self.count, line);
        Ok(command)
    }

    fn print_history(&self) {
        for number in self.count.saturating_sub(HISTORY_SHOWN)..=self.count {
            let line = self.history.get(&number);
            let line = line.map_or("null", String::as_str);
            self.output.line(&format!("{number} - {line}"));
        }
    }

    fn switch_watches(&mut self, wanted: Option<&String>) {
        match wanted {
            Some(wanted) => self.print_watches = wanted == "on",
            None => {
                let state = if self.print_watches { "on" } else { "off" };
                self.output.line(&format!("printwatches is {state}"));
            }
        }
    }

    async fn reconnect(&mut self, host: Option<&String>) -> Result<(), CliError> {
        let host = host.unwrap_or(&self.host).clone();
        let next = connect(&self.args, &host)?;
        self.close().await;
        (self.client, self.events) = next;
        self.host = host;
        self.made_ephemerals.set(false);
        self.wait_for_connection().await
    }

    async fn wait_for_connection(&mut self) -> Result<(), CliError> {
        if !self.args.wait_for_connection {
            return Ok(());
        }
        let connected = tokio::time::timeout(self.args.timeout, self.client.connected());
        let is_connected = matches!(connected.await, Ok(Ok(())));
        if is_connected {
            self.print_events();
            return Ok(());
        }
        self.close().await;
        Err(CliError::new("KeeperErrorCode = ConnectionLoss"))
    }

    async fn close(&mut self) {
        let _ = tokio::time::timeout(CLOSE_LIMIT, self.client.close()).await;
        self.print_events();
    }

    /// The end without `quit`. Apache's shell leaves its session to expire; so
    /// does this one if its ephemeral znodes would go with it.
    async fn leave(&mut self) {
        self.output.flush();
        if !self.made_ephemerals.get() {
            self.print_watches = false;
            self.close().await;
        }
    }

    fn print_events(&mut self) {
        while let Some(event) = self.events.try_next() {
            print_event(self.output, self.print_watches, &event);
        }
    }
}

fn print_event(output: &Output, wanted: bool, event: &Event) {
    if wanted {
        output.line("\nWATCHER::");
        output.line(&format!("\n{event}"));
    }
}

pub(crate) fn connect(args: &Args, host: &str) -> Result<(Client, Events), CliError> {
    let connector = Connector::new(host).map_err(|error| CliError::new(error.to_string()))?;
    Ok(connector
        .session_timeout(args.timeout)
        .read_only(args.read_only)
        .start())
}

/// Looks up the children of a znode for who pressed Tab, beside everything
/// else.
fn answer(client: &Client, directory: Option<&str>, question: Question) {
    let path = paths::resolve(directory, &question.path);
    let client = client.clone();
    tokio::spawn(async move {
        let names = client.get_children(&path, false).await;
        let _ = question.answer.send(names.unwrap_or_default());
    });
}

/// Reads standard input on a thread of its own: nothing else can wait for a
/// terminal, a pipe and a file alike.
fn read_lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        let lines = io::stdin().lock().split(b'\n');
        for line in lines.map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches('\r').to_owned();
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
