//! The word `envi` (`Environment.list`).
//!
//! There is no JVM, so its properties have the text that Apache prints for
//! one that is missing. The memory is that of the machine and the process,
//! not of a heap: `free` and `max` are what the machine has left and has in
//! all, `total` is what the process takes.

use std::path::Path;

const MISSING: &str = "<NA>";
const MIB: u64 = 1024 * 1024;

/// The whole answer to `envi`.
pub(super) fn envi(version: &str) -> String {
    render(&entries(version))
}

fn render(entries: &[(&str, String)]) -> String {
    let lines = entries
        .iter()
        .map(|(key, value)| format!("{key}={value}\n"));
    std::iter::once("Environment:\n".to_owned())
        .chain(lines)
        .collect()
}

fn entries(version: &str) -> Vec<(&'static str, String)> {
    let missing = || MISSING.to_owned();
    let memory = Memory::look();
    vec![
        ("zookeeper.version", version.to_owned()),
        ("host.name", kernel("hostname")),
        ("java.version", missing()),
        ("java.vendor", missing()),
        ("java.home", missing()),
        ("java.class.path", missing()),
        ("java.library.path", missing()),
        ("java.io.tmpdir", std::env::temp_dir().display().to_string()),
        ("java.compiler", missing()),
        ("os.name", kernel("ostype")),
        ("os.arch", architecture(std::env::consts::ARCH).to_owned()),
        ("os.version", kernel("osrelease")),
        (
            "user.name",
            user(&system_users(), rustix::process::getuid().as_raw()),
        ),
        ("user.home", variable("HOME")),
        (
            "user.dir",
            std::env::current_dir().map_or_else(|_| missing(), |dir| dir.display().to_string()),
        ),
        ("os.memory.free", format!("{}MB", memory.free / MIB)),
        ("os.memory.max", format!("{}MB", memory.max / MIB)),
        ("os.memory.total", format!("{}MB", memory.taken / MIB)),
    ]
}

/// As Java names it.
fn architecture(name: &str) -> &str {
    match name {
        "x86_64" => "amd64",
        name => name,
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| MISSING.to_owned())
}

fn system_users() -> String {
    std::fs::read_to_string("/etc/passwd").unwrap_or_default()
}

/// The name of a user in the lines `name:password:number:...`.
fn user(users: &str, id: u32) -> String {
    let named = |line: &str| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(id)).then(|| name.to_owned())
    };
    users
        .lines()
        .find_map(named)
        .unwrap_or_else(|| variable("USER"))
}

fn kernel(name: &str) -> String {
    let text = std::fs::read_to_string(Path::new("/proc/sys/kernel").join(name));
    text.map_or_else(|_| MISSING.to_owned(), |text| text.trim().to_owned())
}

/// Bytes; 0 where the system does not tell.
#[derive(Debug, Default, PartialEq, Eq)]
struct Memory {
    free: u64,
    max: u64,
    taken: u64,
}

impl Memory {
    fn look() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        Self::parse(&read("/proc/meminfo"), &read("/proc/self/status"))
    }

    fn parse(machine: &str, process: &str) -> Self {
        Self {
            free: kibibytes(machine, "MemAvailable:"),
            max: kibibytes(machine, "MemTotal:"),
            taken: kibibytes(process, "VmRSS:"),
        }
    }
}

/// The bytes of a line such as `MemTotal:  1024 kB`.
fn kibibytes(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    number.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_apaches() {
        let apache = include_str!("../../tests/fixtures/four-letter-words/envi.txt");
        let keys = |text: &str| -> Vec<String> {
            let key = |line: &str| line.split('=').next().unwrap().to_owned();
            text.lines().map(key).collect()
        };
        let ours = envi("3.9.5-x, built on y");
        assert_eq!(keys(&ours), keys(apache));
        assert!(ours.ends_with("MB\n"));
    }

    #[test]
    fn entries_are_printed_as_apache_prints_them() {
        let apache = include_str!("../../tests/fixtures/four-letter-words/envi.txt");
        let lines = apache.lines().skip(1);
        let entries: Vec<_> = lines
            .map(|line| line.split_once('=').unwrap())
            .map(|(key, value)| (key, value.to_owned()))
            .collect();
        assert_eq!(render(&entries), apache);
    }

    #[test]
    fn users_have_names() {
        let users = "root:x:0:0:root:/root:/bin/sh\nzookeeper:x:105:112::/var:/bin/false\n";
        assert_eq!(user(users, 105), "zookeeper");
        assert_eq!(user(users, 0), "root");
        assert_eq!(user("broken\n:x:y", 7), variable("USER"));
    }

    #[test]
    fn memory_is_read_from_the_system() {
        let machine = "MemTotal:        2048 kB\nMemFree: 1 kB\nMemAvailable:  1024 kB\n";
        let expected = Memory {
            free: MIB,
            max: 2 * MIB,
            taken: 3072 * 1024,
        };
        assert_eq!(Memory::parse(machine, "VmRSS:\t  3072 kB\n"), expected);
        assert_eq!(Memory::parse("MemTotal: x", ""), Memory::default());
    }
}
