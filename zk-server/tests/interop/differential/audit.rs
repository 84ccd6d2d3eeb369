//! The two trees as a whole, and what the servers count.

use super::actions::AUDITOR;
use super::call::Call;
use super::canon::Line;
use super::world::World;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use zk_proto::{OpCode, PathRequest, ReadRequest, ReplyHeader, Request, Response, SessionId, jute};

/// Digests that are compared, of the 1024 that there may be.
const HISTORY: usize = 100;
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
        let mut said = self.said();
        while said[0] != said[1] && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
            said = self.said();
        }
        let what = "mntr, wchs, srvr, wchp, dump, hash";
        self.compare(AUDITOR, what, &said[0], &said[1]);
    }

    /// What both servers say of themselves.
    fn said(&self) -> [Vec<Line>; 2] {
        [0, 1].map(|side| {
            let process = &self.twins.each()[side];
            let words = ["mntr", "wchs", "srvr"].map(|word| process.word(word));
            let mut said = counted(&words.concat());
            if self.has_quotas() {
                // Apache does not count what its counters of quotas take.
                said.retain(|line| !line.starts_with("zk_approximate_data_size"));
            }
            said.extend(self.pairs(side, &process.word("wchp")));
            said.extend(self.pairs(side, &process.word("dump")));
            said.extend(zxids(&process.word("hash")));
            said.iter().map(|text| Line::said(text)).collect()
        })
    }

    /// Indented lines with the line above that they belong to, in one order,
    /// and sessions by their numbers. When sessions are due is left out.
    fn pairs(&self, side: usize, text: &str) -> Vec<String> {
        let mut pairs = Vec::new();
        let mut head = String::new();
        for line in text.lines() {
            match line.strip_prefix('\t') {
                Some(_) if head.contains("expire") => {}
                Some(line) => pairs.push(format!("{head} {}", self.labelled(side, line))),
                None => head = self.labelled(side, line),
            }
        }
        pairs.sort();
        pairs
    }

    fn labelled(&self, side: usize, text: &str) -> String {
        let id = text.trim_end_matches(':').strip_prefix("0x");
        match id.and_then(|id| i64::from_str_radix(id, 16).ok()) {
            Some(id) => self.sessions.label(side, SessionId(id)),
            None => text.to_owned(),
        }
    }
}

/// The transactions after which there is a digest. The digests differ, as
/// times and session ids do, and Apache has one twice when a request that it
/// could not decode came behind it. So its history reaches back less far.
fn zxids(text: &str) -> Vec<String> {
    let digests = text.lines().filter_map(|line| line.split_once(':'));
    let mut zxids: Vec<_> = digests.map(|(zxid, _)| format!("digest {zxid}")).collect();
    zxids.dedup();
    zxids.split_off(zxids.len().saturating_sub(HISTORY))
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
