//! What clients do: mostly requests, and now and then everything else that
//! can happen to a connection.

use super::call::Call;
use super::connect::{Handshake, Password, with_length};
use super::world::World;
use super::{calls, draw, mutate};
use crate::support::process::SUPER;
use zk_proto::{Acl, CreateRequest, OpCode, Request, SetAclRequest};

/// Clients that act at random; one more audits.
pub(crate) const CLIENTS: usize = 6;
pub(crate) const AUDITOR: usize = CLIENTS;
/// Its sessions expire.
pub(crate) const MORTAL: usize = CLIENTS + 1;

/// What most clients show when they connect, by client.
const CREDENTIALS: [Option<&str>; CLIENTS] = [
    Some(SUPER),
    Some("user1:12345"),
    Some("user2:pw"),
    None,
    None,
    None,
];

impl World {
    /// Opens the sessions.
    pub(crate) fn begin(&mut self) {
        assert!(self.connect(AUDITOR, &Handshake::NEW));
        self.authenticate(AUDITOR, Some("digest"), Some(SUPER.as_bytes()));
        for client in 0..CLIENTS {
            self.renew(client);
        }
    }

    /// One thing, of one client.
    pub(crate) fn step(&mut self) {
        let client = self.rng.below(CLIENTS);
        self.known.turn(client);
        if self.clients[client].links.is_none() {
            return self.come_back(client);
        }
        match self.rng.weighted(&[900, 20, 8, 8, 8, 15, 6, 10, 6, 4]) {
            0 => self.requests(client),
            1 => self.identity(client),
            2 => self.malformed(client),
            3 => self.leave(client),
            4 => self.come_back(client),
            5 => self.close(client),
            6 => self.stranger(client),
            7 => self.end_badly(client),
            8 => self.large(client),
            _ => self.change_quotas(),
        }
        self.repair_root();
    }

    fn requests(&mut self, client: usize) {
        let count = match self.rng.weighted(&[30, 60, 10]) {
            0 => self.rng.between(1, 3),
            1 => self.rng.between(4, 20),
            _ => self.rng.between(20, 60),
        };
        let calls = self.some(count);
        self.burst(client, &calls);
    }

    /// Some calls. Nothing follows a setACL: while it is pending Apache judges
    /// what comes behind it by the list before it.
    fn some(&mut self, count: usize) -> Vec<Call> {
        let mut calls = Vec::new();
        while calls.len() < count.min(self.burst_max)
            && calls
                .last()
                .is_none_or(|call: &Call| call.op != OpCode::SET_ACL)
        {
            calls.push(calls::any(&mut self.rng, &self.known, self.zxid));
        }
        calls
    }

    /// A request that the server answers and then closes. Apache does so at
    /// once, whatever is pending: it is alone.
    fn end_badly(&mut self, client: usize) {
        let call = calls::last(&mut self.rng, &self.known);
        self.burst(client, &[call]);
    }

    /// A session with its usual identity.
    fn renew(&mut self, client: usize) {
        assert!(self.connect(client, &Handshake::NEW));
        self.usual_identity(client);
    }

    fn usual_identity(&mut self, client: usize) {
        if let Some(credentials) = CREDENTIALS[client] {
            self.authenticate(client, Some("digest"), Some(credentials.as_bytes()));
        }
    }

    fn identity(&mut self, client: usize) {
        const DIGESTS: [&str; 6] = ["user1:12345", "user2:pw", "nobody", "", "a:b:c", ":"];
        match self.rng.weighted(&[50, 10, 5, 10, 10, 3]) {
            0 => {
                let credentials = *self.rng.pick(&DIGESTS);
                self.authenticate(client, Some("digest"), Some(credentials.as_bytes()));
            }
            1 => self.authenticate(client, Some("ip"), Some(b"")),
            2 => self.authenticate(client, Some("digest"), None),
            3 => {
                let scheme = *self
                    .rng
                    .pick(&["kerberos", "world", "auth", "super", "", "sasl", "x509"]);
                self.authenticate(client, Some(scheme), Some(b"x"));
            }
            4 => self.sasl(client),
            _ => self.authenticate(client, None, Some(b"x")),
        }
    }

    fn sasl(&mut self, client: usize) {
        let token = *self.rng.pick(&[None, Some(&b""[..]), Some(&b"token"[..])]);
        let call = Call::new(&Request::Sasl(token.map(zk_proto::Buffer)));
        self.burst(client, &[call]);
    }

    /// Frames that are none; the connection ends.
    fn malformed(&mut self, client: usize) {
        let choice = self.rng.below(6);
        let short = self.rng.below(8);
        let short = self.rng.bytes(short);
        match choice {
            0 | 1 => self.raw(
                client,
                "a short frame",
                &crate::support::link::framed(&short),
                false,
            ),
            2 => {
                let length = *self.rng.pick(&[-1, -5, i32::MIN, 0x10_0000, i32::MAX]);
                let bytes = with_length(length, &[0, 0, 0, 1, 0, 0, 0, 3]);
                self.raw(client, "a length that is none", &bytes, false);
            }
            3 => {
                let bytes = with_length(100, &short);
                self.raw(
                    client,
                    "a frame that does not come to its end",
                    &bytes,
                    true,
                );
            }
            4 => {
                let mut call = Call::raw(OpCode::AUTH, self.rng.bytes(3));
                call.xid = Some(-4);
                let bytes = crate::support::link::framed(&call.payload(-4));
                self.raw(client, "an auth that is none", &bytes, false);
            }
            _ => self.raw(client, "nothing", &[], true),
        }
    }

    /// The client goes away; its session stays.
    fn leave(&mut self, client: usize) {
        self.journal.note(format!("client {client} leaves"));
        self.clients[client].links = None;
    }

    /// The client takes up its session again, after a few tries that fail.
    fn come_back(&mut self, client: usize) {
        if self.rng.percent(25) {
            self.fail_to_come_back(client);
        }
        let mut handshake = Handshake::RESUME;
        self.vary(&mut handshake);
        assert!(self.connect(client, &handshake), "the session was refused");
        self.usual_identity(client);
    }

    fn vary(&mut self, handshake: &mut Handshake) {
        if self.rng.percent(60) {
            return;
        }
        handshake.version = *self.rng.pick(&[0, 7, -1]);
        handshake.read_only = *self.rng.pick(&[None, Some(true), Some(false)]);
        handshake.trailing = self.rng.below(3) * usize::from(handshake.read_only.is_some());
        handshake.timeout_ms = *self.rng.pick(&[600_000, 36_000_000, i32::MAX]);
        handshake.last_zxid = *self.rng.pick(&[0, self.zxid, -1, i64::MIN]);
    }

    fn fail_to_come_back(&mut self, client: usize) {
        // Apache closes the good connection before it looks at the password.
        self.clients[client].links = None;
        let handshake = match self.rng.below(4) {
            0 => Handshake {
                last_zxid: *self.rng.pick(&[i64::MAX, self.zxid + 1_000_000]),
                ..Handshake::RESUME
            },
            1 => Handshake {
                password: *self
                    .rng
                    .pick(&[Password::Wrong, Password::Null, Password::Short]),
                ..Handshake::RESUME
            },
            2 => Handshake {
                last_zxid: i64::MAX,
                ..Handshake::NEW
            },
            _ => return self.cut_handshake(client),
        };
        assert!(!self.connect(client, &handshake), "this cannot succeed");
    }

    /// The first frame, too short or too long for what it says.
    fn cut_handshake(&mut self, client: usize) {
        let tickets = self.clients[client].tickets.as_ref();
        let whole = Handshake::RESUME.payload(tickets.map(|tickets| &tickets[0]));
        let cut = self.rng.below(whole.len() - 1);
        self.dial(client);
        self.raw(
            client,
            "a cut handshake",
            &crate::support::link::framed(&whole[..cut]),
            false,
        );
    }

    /// Ends the session, with something behind it that nobody answers.
    fn close(&mut self, client: usize) {
        let count = self.rng.below(4);
        let mut calls = self.some(count);
        calls.push(Call::new(&Request::CloseSession));
        self.burst(client, &calls);
        if self.rng.percent(20) {
            assert!(!self.connect(client, &Handshake::RESUME), "it was closed");
        }
        self.renew(client);
    }

    /// A session that is none of the clients', over as soon as it began.
    fn stranger(&mut self, client: usize) {
        self.close_now(client);
        let mut handshake = Handshake::NEW;
        self.vary(&mut handshake);
        handshake.timeout_ms = *self.rng.pick(&[0, -1, 1, 5000, i32::MIN, i32::MAX]);
        handshake.password = *self
            .rng
            .pick(&[Password::Right, Password::Null, Password::Short]);
        handshake.last_zxid = 0;
        assert!(self.connect(client, &handshake));
        self.close_now(client);
        self.renew(client);
    }

    fn close_now(&mut self, client: usize) {
        self.burst(client, &[Call::new(&Request::CloseSession)]);
    }

    /// A frame as large as may be, or larger by one.
    fn large(&mut self, client: usize) {
        const MAX: usize = 0xf_ffff;
        if self.rng.percent(80) {
            return self.requests(client);
        }
        let path = draw::existing(&mut self.rng, &self.known);
        let request = |data: &[u8]| {
            let mut body = Vec::new();
            let record = CreateRequest {
                path: Some(format!("{path}/large").into()),
                data: Some(zk_proto::Buffer(data)),
                acl: Some(vec![Acl::open()]),
                flags: 0,
            };
            let request = Request::Create(OpCode::CREATE, record);
            request.encode(&mut body).expect("it encodes");
            body
        };
        let room = MAX - 8 - request(b"").len();
        let call = |size| Call::raw(OpCode::CREATE, request(&vec![b'x'; size]));
        if self.rng.percent(50) {
            let bytes = crate::support::link::framed(&call(room + 1).payload(1));
            self.raw(client, "a frame of one byte too many", &bytes, false);
            return;
        }
        let call = call(room).about(Some(&path));
        self.burst(client, &[call]);
        let path = format!("{path}/large");
        let delete = zk_proto::DeleteRequest {
            path: Some(path.as_str().into()),
            version: -1,
        };
        let delete = Call::new(&Request::Delete(delete)).deleting(Some(&path));
        self.burst(AUDITOR, &[delete]);
    }

    /// Without rights on the root nothing more would happen.
    fn repair_root(&mut self) {
        if !self.rng.percent(2) {
            return;
        }
        let open = SetAclRequest {
            path: Some("/".into()),
            acl: Some(vec![Acl::open()]),
            version: -1,
        };
        let call = Call::new(&Request::SetAcl(open));
        let call = if self.rng.percent(1) {
            mutate::body(&mut self.rng, call)
        } else {
            call
        };
        self.burst(AUDITOR, &[call]);
    }
}
