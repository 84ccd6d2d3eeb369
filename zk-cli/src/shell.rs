//! The shell around the commands: one session at a time, its events, the
//! history, and where lines come from. What commands do is theirs.

use crate::args::Args;
use crate::commands::{self, Context};
use crate::error::CliError;
use crate::output::Output;
use crate::{usage, words};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal};
use std::time::Duration;
use tokio::sync::mpsc;
use zk_client::{Client, Connector, Event, Events, SessionState};

/// Lines of the history that are shown before the current one.
const HISTORY_SHOWN: usize = 10;
/// A farewell that takes longer is not worth waiting for.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

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
        let mut shell = Self {
            args,
            output,
            client,
            events,
            host,
            print_watches: true,
            history: BTreeMap::new(),
            count: 0,
            exit_code: 0,
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

    /// Runs the commands of standard input.
    pub(crate) async fn run_interactive(&mut self) -> i32 {
        self.output.line("Welcome to ZooKeeper!");
        self.output.line("JLine support is disabled");
        let prompts = std::io::stdin().is_terminal();
        let mut lines = read_lines();
        loop {
            if prompts {
                self.output.text(&self.prompt());
            }
            self.output.flush();
            let Some(line) = self.next_line(&mut lines).await else {
                break;
            };
            let command = words::split(&line);
            if command.is_empty() {
                continue;
            }
            self.history.insert(self.count, line);
            if self.execute(command).await == Next::Quit {
                return self.exit_code;
            }
            self.count += 1;
        }
        self.leave().await;
        self.exit_code
    }

    /// The next line; until it is there, events are printed.
    async fn next_line(&mut self, lines: &mut mpsc::Receiver<String>) -> Option<String> {
        loop {
            tokio::select! {
                biased;
                Some(event) = self.events.next() => {
                    print_event(self.output, self.print_watches, &event);
                    self.output.flush();
                }
                line = lines.recv() => return line,
            }
        }
    }

    fn prompt(&self) -> String {
        let state = match self.client.state() {
            SessionState::Connecting | SessionState::Suspended => "CONNECTING",
            SessionState::Connected => "CONNECTED",
            SessionState::ConnectedReadOnly => "CONNECTEDREADONLY",
            SessionState::Closed | SessionState::Expired => "CLOSED",
            SessionState::AuthFailed => "AUTH_FAILED",
        };
        format!("[zk: {}({state}) {}] ", self.host, self.count)
    }

    /// Runs a command and keeps its exit code.
    async fn execute(&mut self, command: Vec<String>) -> Next {
        let outcome = self.dispatch(command).await;
        self.print_events();
        match outcome {
            Ok(Next::Quit) => return Next::Quit,
            Ok(Next::GoOn) => self.exit_code = 0,
            Err(error) => {
                self.exit_code = error.code;
                self.output.error(&error.message);
            }
        }
        self.output.flush();
        Next::GoOn
    }

    async fn dispatch(&mut self, mut command: Vec<String>) -> Result<Next, CliError> {
        if command[0] == "redo" && command.len() > 1 {
            command = self.redo(&command[1])?;
        }
        let name = command[0].as_str();
        if !usage::exists(name) {
            self.output.error(&usage::all());
            return Err(CliError::command_not_found(name));
        }
        match name {
            "quit" => {
                self.close().await;
                return Ok(Next::Quit);
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
        self.run_on_session(&command).await?;
        Ok(Next::GoOn)
    }

    /// Runs a command of the session; events that come meanwhile are printed
    /// as they come, and before the results that they precede.
    async fn run_on_session(&mut self, command: &[String]) -> Result<(), CliError> {
        let context = Context {
            client: &self.client,
            output: self.output,
            made_ephemerals: &self.made_ephemerals,
        };
        let running = commands::run(&context, command);
        tokio::pin!(running);
        loop {
            tokio::select! {
                biased;
                Some(event) = self.events.next() => {
                    print_event(self.output, self.print_watches, &event);
                }
                outcome = &mut running => return outcome,
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

fn connect(args: &Args, host: &str) -> Result<(Client, Events), CliError> {
    let connector = Connector::new(host).map_err(|error| CliError::new(error.to_string()))?;
    Ok(connector
        .session_timeout(args.timeout)
        .read_only(args.read_only)
        .start())
}

/// Reads standard input on a thread of its own: nothing else can wait for a
/// terminal, a pipe and a file alike.
fn read_lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        let lines = std::io::stdin().lock().split(b'\n');
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
