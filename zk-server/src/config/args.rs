//! The forms of the command line. It refuses to know what the files hold.

use super::error::ConfigError;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// What `zk-server --help` prints.
pub const USAGE: &str = "\
Usage: zk-server [zoo.cfg]
       zk-server <clientPort> <dataDir> [tickTime] [maxClientCnxns]

Serves ZooKeeper clients on the data of one machine, in the foreground.
Without arguments: on port 2181, with its data in ./zookeeper-data.

  zoo.cfg         a configuration file of Apache ZooKeeper
  -h, --help      print this and exit
  -V, --version   print the version and exit

-Dzookeeper.x=y in SERVER_JVMFLAGS and JVMFLAGS counts as x=y in zoo.cfg.
";

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// Print [`USAGE`] and exit.
    Help,
    /// Print the version and exit.
    Version,
    /// Serve.
    Serve(ArgsForm),
}

/// Where the configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgsForm {
    /// Nothing was given: port 2181, data in `./zookeeper-data`.
    Default,
    /// `zoo.cfg`.
    File(PathBuf),
    /// `<clientPort> <dataDir> [tickTime] [maxClientCnxns]`, the form of
    /// `ZooKeeperServerMain`; not yet read as numbers.
    Positional(Vec<String>),
}

/// Reads the command line, `args` being what follows the program's name.
///
/// # Errors
/// An option or a number of arguments that no form has.
pub fn from_args(args: &[OsString]) -> Result<Invocation, ConfigError> {
    let asks_for = |short: &str, long: &str| args.iter().any(|arg| arg == short || arg == long);
    if asks_for("-h", "--help") {
        return Ok(Invocation::Help);
    }
    if asks_for("-V", "--version") {
        return Ok(Invocation::Version);
    }
    if let Some(option) = args.iter().find(|arg| is_option(arg)) {
        let option = option.to_string_lossy();
        return Err(ConfigError::Usage(format!("unknown option {option}")));
    }
    let form = match args {
        [] => ArgsForm::Default,
        [file] => ArgsForm::File(file.into()),
        [..] if args.len() <= 4 => ArgsForm::Positional(texts(args)?),
        [..] => {
            let count = args.len();
            return Err(ConfigError::Usage(format!(
                "invalid number of arguments: {count}"
            )));
        }
    };
    Ok(Invocation::Serve(form))
}

/// A dash and a letter or two dashes; `-1` is a number.
fn is_option(arg: &OsStr) -> bool {
    match arg.as_encoded_bytes() {
        [b'-', second, ..] => !second.is_ascii_digit(),
        _ => false,
    }
}

fn texts(args: &[OsString]) -> Result<Vec<String>, ConfigError> {
    let text = |arg: &OsString| {
        let text = arg.to_str().map(str::to_owned);
        text.ok_or_else(|| ConfigError::Usage(format!("{} is not UTF-8", arg.display())))
    };
    args.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Invocation, String> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        from_args(&args).map_err(|error| error.to_string())
    }

    #[test]
    fn knows_its_forms() {
        let serve = |form| Ok(Invocation::Serve(form));
        assert_eq!(parse(&[]), serve(ArgsForm::Default));
        assert_eq!(parse(&["zoo.cfg"]), serve(ArgsForm::File("zoo.cfg".into())));
        let words = ["2181", "/data", "2000", "60"];
        for count in 2..=4 {
            let form = words[..count].iter().map(|word| (*word).to_owned());
            let form = ArgsForm::Positional(form.collect());
            assert_eq!(parse(&words[..count]), serve(form));
        }
    }

    #[test]
    fn help_and_version_win() {
        assert_eq!(parse(&["a", "b", "-h"]), Ok(Invocation::Help));
        assert_eq!(parse(&["--help"]), Ok(Invocation::Help));
        assert_eq!(parse(&["-V"]), Ok(Invocation::Version));
        assert_eq!(parse(&["--version"]), Ok(Invocation::Version));
    }

    #[test]
    fn refuses_the_rest() {
        let too_many = parse(&["1", "2", "3", "4", "5"]);
        assert_eq!(too_many, Err("invalid number of arguments: 5".to_owned()));
        let option = parse(&["--config", "zoo.cfg"]);
        assert_eq!(option, Err("unknown option --config".to_owned()));
    }
}
