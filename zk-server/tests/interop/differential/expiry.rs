//! Sessions that fall silent, and what becomes of their ephemerals.

use super::actions::{AUDITOR, MORTAL};
use super::call::Call;
use super::connect::Handshake;
use super::world::World;
use std::time::{Duration, Instant};
use zk_proto::{Acl, CreateRequest, OpCode, ReadRequest, Request};

/// The shortest that the servers grant.
const TIMEOUT_MS: i32 = 1000;

impl World {
    /// A session with ephemerals ends by itself, its connection open or not.
    pub(crate) fn expire(&mut self, is_open: bool) {
        let handshake = Handshake {
            timeout_ms: TIMEOUT_MS,
            ..Handshake::NEW
        };
        assert!(self.connect(MORTAL, &handshake));
        let paths = [1, 2, 3].map(|n| format!("/mortal-{}-{n}", self.zxid));
        let creates: Vec<_> = paths.iter().map(|path| ephemeral(path)).collect();
        self.burst(MORTAL, &creates);
        let watches: Vec<_> = paths.iter().map(|path| watched(path)).collect();
        self.burst(AUDITOR, &watches);
        let before = self.zxids();
        assert_eq!(before[0], before[1], "nothing is under way");
        if !is_open {
            self.clients[MORTAL].links = None;
        }
        self.wait_for(before[0] + 1);
        self.closed_between(before[0] + 1, before[0] + 1);
        if is_open {
            self.raw(MORTAL, "silence", &[], false);
        }
        assert!(!self.connect(MORTAL, &Handshake::RESUME), "it expired");
    }

    /// The last zxid of each server.
    pub(crate) fn zxids(&self) -> [i64; 2] {
        self.twins.each().each_ref().map(|process| {
            let text = process.word("srvr");
            let zxid = text.lines().find_map(|line| line.strip_prefix("Zxid: 0x"));
            zxid.and_then(|zxid| i64::from_str_radix(zxid, 16).ok())
                .expect("srvr tells the zxid")
        })
    }

    /// Waits until both servers have come to this zxid.
    pub(crate) fn wait_for(&self, zxid: i64) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.zxids() != [zxid; 2] {
            assert!(
                Instant::now() < deadline,
                "{:?} and no {zxid}",
                self.zxids()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn ephemeral(path: &str) -> Call {
    let record = CreateRequest {
        path: Some(path.into()),
        data: None,
        acl: Some(vec![Acl::open()]),
        flags: 1,
    };
    Call::new(&Request::Create(OpCode::CREATE, record))
}

fn watched(path: &str) -> Call {
    Call::new(&Request::Exists(ReadRequest {
        path: Some(path.into()),
        watch: true,
    }))
}
