//! What commands there are and how each is written, in Apache's words.

/// Name and arguments of each command, sorted.
const COMMANDS: &[(&str, &str)] = &[
    (
        "addWatch",
        "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is \
         PERSISTENT_RECURSIVE",
    ),
    ("addauth", "scheme auth"),
    ("close", ""),
    ("config", "[-c] [-w] [-s]"),
    ("connect", "host:port"),
    ("create", "[-s] [-e] [-c] [-t ttl] path [data] [acl]"),
    ("delete", "[-v version] path"),
    ("deleteall", "path [-b batch size]"),
    ("delquota", "[-n|-b|-N|-B] path"),
    ("get", "[-s] [-w] [-b] [-x] path"),
    ("getAcl", "[-s] path"),
    ("getAllChildrenNumber", "path"),
    ("getEphemerals", "path"),
    ("history", ""),
    ("listquota", "path"),
    ("ls", "[-s] [-w] [-R] path"),
    ("printwatches", "on|off"),
    ("quit", ""),
    (
        "reconfig",
        "[-s] [-v version] [[-file path] | [-members \
         serverID=host:port1:port2;port3[,...]*]] | [-add \
         serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
    ),
    ("redo", "cmdno"),
    ("removewatches", "path [-c|-d|-a] [-l]"),
    ("set", "path data [-s] [-v version] [-b]"),
    ("setAcl", "[-s] [-v version] [-R] path acl"),
    ("setquota", "-n|-b|-N|-B val path"),
    ("stat", "[-w] path"),
    ("sync", "path"),
    ("version", ""),
    ("whoami", ""),
];

const GET_FLAGS: &str = "
 -b   Output data in base64 format
 -s   Print znode stats additionally
 -w   Watch for changes on the znode
 -x   Output data in hexdump format
";

const SET_FLAGS: &str = "
 -b         Supply data in base64 format
 -s         Print znode stats additionally
 -v <arg>   Set with an expected version
";

/// What the commands take beyond what Apache's do.
const MORE: &[(&str, &str)] = &[
    (
        "create",
        "
  -p       create what is missing above the path
  -f file  data from a file, - for standard input",
    ),
    ("delete", "\n  --dry-run  say what would go"),
    ("deleteall", "\n  --dry-run  say what would go"),
    ("get", "\n  --raw  the bytes of the data and nothing else"),
    (
        "set",
        "
  -f file   data from a file, - for standard input; so does - for the data
  --create  create the znode if it is not there",
    ),
];

/// Names of the commands, sorted.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _)| *name)
}

/// What a command takes beyond what Apache's does.
pub(crate) fn more(command: &str) -> &'static str {
    let found = MORE.iter().find(|(name, _)| *name == command);
    found.map_or("", |(_, more)| more)
}

pub(crate) fn exists(command: &str) -> bool {
    COMMANDS.iter().any(|(name, _)| *name == command)
}

/// The list of all commands.
pub(crate) fn all() -> String {
    let mut text =
        "ZooKeeper -server host:port -client-configuration properties-file cmd args".to_owned();
    for (name, arguments) in COMMANDS {
        text.push_str("\n\t");
        text.push_str(name);
        text.push(' ');
        text.push_str(arguments);
    }
    text
}

/// How one command is written.
pub(crate) fn of(command: &str) -> String {
    let found = COMMANDS.iter().find(|(name, _)| *name == command);
    let arguments = found.map_or("", |(_, arguments)| arguments);
    let flags = match command {
        "get" => GET_FLAGS,
        "set" => SET_FLAGS,
        _ => "",
    };
    format!("{command} {arguments}{flags}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_sorted() {
        assert!(COMMANDS.is_sorted_by_key(|(name, _)| *name));
    }

    #[test]
    fn a_command_without_arguments_keeps_its_space() {
        assert_eq!(of("close"), "close ");
        assert!(all().contains("\n\tclose \n\tconfig [-c]"));
    }
}
