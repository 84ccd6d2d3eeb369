//! The two trees as a whole, and what the servers count.

use super::actions::AUDITOR;
use super::call::Call;
use super::canon::Line;
use super::world::World;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use zk_proto::{OpCode, PathRequest, ReadRequest, ReplyHeader, Request, Response, SessionId, jute};

/// Requests sent in one piece.
const PIECE: usize = 40;

impl World {
    /// Reads everything from both servers; how many znodes there are.
    pub(crate) fn audit(&mut self) -> usize {
        let count = self.walk();
        self.counts();
        count
    }

    fn walk(&mut self) -> usize {
        let mut ahead = VecDeque::from(["/".to_owned()]);
        let mut count = 0;
        while !ahead.is_empty() {
            let piece: Vec<_> = ahead.drain(..ahead.len().min(PIECE)).collect();
            count += piece.len();
            let calls: Vec<_> = piece.iter().flat_map(|path| everything(path)).collect();
            let before = self.operations;
            let answers = self.burst(AUDITOR, &calls);
            self.operations = before;
            for (path, answer) in piece.iter().zip(answers.chunks(3)) {
                ahead.extend(children(path, &answer[2]));
            }
        }
        count
    }

    /// What the four-letter words count. Connections that have ended leave
    /// the counts a little later.
    fn counts(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let counted = self.twins.each().each_ref().map(|process| {
                let words = [
                    process.word("mntr"),
                    process.word("wchs"),
                    process.word("srvr"),
                ];
                counted(&words.concat())
            });
            let [theirs, ours] = counted;
            if theirs == ours || Instant::now() > deadline {
                let lines = [theirs, ours]
                    .map(|text| text.iter().map(|text| Line::said(text)).collect::<Vec<_>>());
                self.compare(AUDITOR, "mntr, wchs, srvr", &lines[0], &lines[1]);
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn everything(path: &str) -> [Call; 3] {
    let read = ReadRequest {
        path: Some(path.into()),
        watch: false,
    };
    let path = PathRequest {
        path: Some(path.into()),
    };
    [
        Call::new(&Request::GetData(read.clone())),
        Call::new(&Request::GetAcl(path)),
        Call::new(&Request::GetChildren2(read)),
    ]
}

fn children(path: &str, answer: &[u8]) -> Vec<String> {
    let mut reader = jute::Reader::new(answer);
    let _: ReplyHeader = reader.read().expect("a reply header");
    let Ok(Response::NamesStat(Some(names), _)) =
        Response::decode(OpCode::GET_CHILDREN2, reader.remaining())
    else {
        return Vec::new();
    };
    let parent = if path == "/" { "" } else { path };
    names
        .iter()
        .map(|name| format!("{parent}/{name}"))
        .collect()
}

/// The lines that must be equal.
fn counted(text: &str) -> Vec<String> {
    const PREFIXES: [&str; 9] = [
        "zk_znode_count\t",
        "zk_ephemerals_count\t",
        "zk_watch_count\t",
        "zk_approximate_data_size\t",
        "zk_num_alive_connections\t",
        "zk_global_sessions\t",
        "Zxid: ",
        "Node count: ",
        "Total watches:",
    ];
    let is_counted = |line: &&str| {
        PREFIXES.iter().any(|prefix| line.starts_with(prefix)) || line.contains(" watching ")
    };
    text.lines().filter(is_counted).map(str::to_owned).collect()
}
