//! Texts without what may differ from run to run: addresses, times, zxids,
//! versions, and the lines that Java's logger adds.

/// The text with everything that may differ masked or taken out. Events of
/// the connection's own state are taken out too: Apache's one-shot commands
/// print them or not, as the threads happen to run.
pub(crate) fn of_command(text: &str, address: &str) -> String {
    let without_states = STATES.iter().fold(text.to_owned(), |text, state| {
        let event = format!("WatchedEvent state:{state} type:None path:null zxid: -1");
        text.replace(&format!("\nWATCHER::\n\n{event}"), "")
    });
    of_session(&without_states, address)
}

/// The same, but with the events, whose zxids are masked.
pub(crate) fn of_session(text: &str, address: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("Exiting JVM with code "))
        .map(|line| mask(line, address));
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

const STATES: [&str; 3] = ["SyncConnected", "Closed", "AuthFailed"];

/// Beginnings of lines whose rest differs.
const MASKED: [&str; 6] = [
    "cZxid = ",
    "mZxid = ",
    "pZxid = ",
    "ctime = ",
    "mtime = ",
    "ZooKeeper CLI version: ",
];

fn mask(line: &str, address: &str) -> String {
    if let Some(start) = MASKED.iter().find(|start| line.starts_with(**start)) {
        let value = &line[start.len()..];
        let is_time = start.ends_with("time = ");
        let shape = if is_time {
            shape_of(value)
        } else {
            String::new()
        };
        return format!("{start}{shape}");
    }
    if let Some((event, zxid)) = line.split_once(" zxid: ") {
        let is_txn = zxid.parse::<i64>().is_ok_and(|zxid| zxid > 0);
        return format!("{event} zxid: {}", if is_txn { "N" } else { zxid });
    }
    line.replace(RECORDED_ADDRESS, address)
}

/// Where the recorded server listened.
pub(crate) const RECORDED_ADDRESS: &str = "127.0.0.1:26440";

/// A time with letters and digits masked: `Aaa Aaa 00 00:00:00 AAA 0000`.
fn shape_of(time: &str) -> String {
    let mask = |c: char| match c {
        '0'..='9' => '0',
        'a'..='z' => 'a',
        'A'..='Z' => 'A',
        other => other,
    };
    time.chars().map(mask).collect()
}
