//! The program's own arguments: Apache's single-dash options, also with two
//! dashes, up to the first word that is a command.

use crate::more;
use std::time::Duration;

const DEFAULT_SERVER: &str = "localhost:2181";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

const HELP: &str = "\
zk [-server host:port[,host:port...][/chroot]] [-timeout ms] [-r] [-waitforconnection] [command]

  -server             the servers, and the part of the tree to take for the whole (localhost:2181)
  -timeout            the session timeout in ms (30000)
  -r                  take a server that lost its quorum, for reads
  -waitforconnection  do nothing until a server serves the session
  -q                  print results only, and exit with a code that says more
  -o json             results as JSON; means -q
  -help, -version

Without a command zk reads commands from standard input; `help` lists them.";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Connect and run commands.
    Run(Args),
    /// Print this, and nothing else.
    Print(String),
}

/// How to connect, and what to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) server: String,
    pub(crate) timeout: Duration,
    pub(crate) read_only: bool,
    pub(crate) wait_for_connection: bool,
    /// Print nothing but results.
    pub(crate) quiet: bool,
    /// Results as JSON unless a command says otherwise.
    pub(crate) json: bool,
    /// The command and its words; empty for the interactive shell.
    pub(crate) command: Vec<String>,
}

pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Start, String> {
    let mut parsed = Args {
        server: DEFAULT_SERVER.to_owned(),
        timeout: DEFAULT_TIMEOUT,
        read_only: false,
        wait_for_connection: false,
        quiet: false,
        json: false,
        command: Vec::new(),
    };
    while let Some(arg) = args.next() {
        let Some(option) = arg.strip_prefix('-') else {
            parsed.command = std::iter::once(arg).chain(args).collect();
            break;
        };
        let mut value = || {
            let missing = || format!("Error: no argument found for option {arg}");
            args.next().ok_or_else(missing)
        };
        match option.strip_prefix('-').unwrap_or(option) {
            "server" => parsed.server = value()?,
            "timeout" => parsed.timeout = parse_timeout(&value()?)?,
            "r" | "readonly" => parsed.read_only = true,
            "waitforconnection" => parsed.wait_for_connection = true,
            "q" | "quiet" => parsed.quiet = true,
            "o" | "output" => {
                let format = value()?;
                parsed.json =
                    is_json(&format).ok_or(format!("Error: -o {format}: json or text"))?;
            }
            "help" | "h" => return Ok(Start::Print(HELP.to_owned())),
            "version" => return Ok(Start::Print(version())),
            "client-configuration" => {
                let file = value()?;
                return Err(format!(
                    "Error: {file} cannot be used: TLS and SASL are not supported yet"
                ));
            }
            _ => return Err(format!("Error: unknown option {arg}\n\n{HELP}")),
        }
    }
    parsed.quiet |= parsed.json || wants_quiet(&parsed.command);
    Ok(Start::Run(parsed))
}

/// Whether a format is JSON; `None` for one that there is not.
fn is_json(format: &str) -> Option<bool> {
    match format {
        "json" => Some(true),
        "text" => Some(false),
        _ => None,
    }
}

/// Whether a command's results are for other programs, or it is none of
/// Apache's, whose shell first says where it connects to.
fn wants_quiet(command: &[String]) -> bool {
    let first = command.first();
    let is_bare_help = command.len() == 1 && command[0] == "help";
    first.is_some_and(|name| more::knows(name)) && !is_bare_help
        || command.iter().any(|word| word == "--raw")
        || command
            .windows(2)
            .any(|words| words[0] == "-o" && words[1] == "json")
}

/// Takes `-o json` or `-o text` out of a command's words, and says whether
/// JSON is wanted; `default` if there is none.
pub(crate) fn take_format(words: &mut Vec<String>, default: bool) -> Result<bool, String> {
    let end = words
        .iter()
        .position(|word| word == "--")
        .unwrap_or(words.len());
    let Some(at) = words[..end].iter().position(|word| word == "-o") else {
        return Ok(default);
    };
    let format = words.get(at + 1).map_or("", String::as_str);
    let json = is_json(format).ok_or_else(|| format!("-o {format}: json or text"))?;
    words.drain(at..at + 2);
    Ok(json)
}

/// What `version` prints.
pub(crate) fn version() -> String {
    format!("ZooKeeper CLI version: {}", env!("CARGO_PKG_VERSION"))
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    match text.parse::<i32>() {
        Ok(millis) if millis > 0 => Ok(Duration::from_millis(millis.unsigned_abs().into())),
        _ => Err(format!("Error: {text:?} is no timeout in ms")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Args {
        match parse(line.split_whitespace().map(str::to_owned)) {
            Ok(Start::Run(args)) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_end_where_the_command_starts() {
        let args = run("-server h:1/x -timeout 500 -r get -s /a -server");
        assert_eq!(args.server, "h:1/x");
        assert_eq!(args.timeout, Duration::from_millis(500));
        assert!(args.read_only && !args.wait_for_connection);
        assert_eq!(args.command, ["get", "-s", "/a", "-server"]);
        assert_eq!(run("--server h --waitforconnection").server, "h");
        assert_eq!(run("").server, DEFAULT_SERVER);
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        for line in ["-server", "-timeout", "-timeout x", "-timeout 0", "-nosuch"] {
            let args = line.split_whitespace().map(str::to_owned);
            assert!(parse(args).is_err(), "{line}");
        }
    }
}
