//! Running other programs: shown before they run, and never through a shell.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::error::{Error, Result};

/// Shows and runs a command whose output goes straight to the terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    show(command);
    let status = command
        .status()
        .map_err(|source| unstarted(command, source))?;
    check(command, status)
}

/// Shows and runs a command, handing each line of its stdout to `each` after printing it.
///
/// A failing command is not an error here: the caller has read why in the lines.
pub(crate) fn tee(command: &mut Command, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    show(command);
    let spawned = command.stdout(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|source| unstarted(command, source))?;
    let stdout = child.stdout.take().expect("stdout was piped just above");
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.map_err(|source| unstarted(command, source))?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        each(&line);
    }
    child.wait().map_err(|source| unstarted(command, source))
}

/// Runs a command quietly and returns its stdout; on failure the error ends with its stderr.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|source| unstarted(command, source))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last = stderr.lines().rev().find(|line| !line.trim().is_empty());
    Err(Error::Failed {
        command: line(command),
        detail: last.map_or_else(|| output.status.to_string(), str::to_owned),
    })
}

/// Cargo in a directory. Rustup has set which one that is for everything below this process.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root);
    command
}

/// Where a program is on the search path.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
}

/// Whether this process may install packages.
pub(crate) fn is_root() -> bool {
    read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| quoted(&word.to_string_lossy())).collect();
    words.join(" ")
}

fn show(command: &Command) {
    println!("$ {}", line(command));
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    Err(Error::failed(line(command), status))
}

fn unstarted(command: &Command, source: std::io::Error) -> Error {
    Error::Io {
        what: format!("cannot run `{}`", line(command)),
        source,
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_command_can_be_typed() {
        let mut command = Command::new("echo");
        command.args(["a-b", "two words", "", "it's"]);
        assert_eq!(line(&command), r"echo a-b 'two words' '' 'it'\''s'");
    }

    #[test]
    fn a_failure_carries_the_last_line_of_stderr() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo first >&2; echo last >&2; exit 3"]);
        let error = read(&mut command).unwrap_err().to_string();
        assert!(error.ends_with("failed: last"), "{error}");
    }

    #[test]
    fn tee_hands_over_every_line_and_the_status() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two; exit 4"]);
        let status = tee(&mut command, |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(status.code(), Some(4));
    }
}
