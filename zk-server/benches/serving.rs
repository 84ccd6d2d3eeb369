//! One connection against a server in this process: what a round trip and a
//! pipelined request cost, sockets included.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use zk_proto::{
    Acl, Buffer, ConnectRequest, CreateRequest, OpCode, ReadRequest, Request, RequestHeader,
    SessionId, SetDataRequest, Xid, Zxid, frame, jute,
};
use zk_server::Server;
use zk_server::config::{JvmFlags, ServerConfig};

const IN_FLIGHT: usize = 16;

struct Bench {
    runtime: Runtime,
    server: Option<Server>,
    stream: TcpStream,
    _dir: TempDir,
}

impl Bench {
    fn start() -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let text = format!(
            "dataDir={}\nclientPort=0\nclientPortAddress=127.0.0.1\ntickTime=2000\n",
            dir.path().display()
        );
        let flags = JvmFlags::default();
        let config = ServerConfig::parse(Path::new("zoo.cfg"), text.as_bytes(), &flags)
            .expect("the configuration is good");
        let runtime = Runtime::new().expect("a runtime");
        let server = runtime.block_on(Server::start(config)).expect("it starts");
        let stream = TcpStream::connect(server.client_address()).expect("it accepts");
        stream.set_nodelay(true).expect("no delay");
        let mut bench = Self {
            runtime,
            server: Some(server),
            stream,
            _dir: dir,
        };
        bench.connect();
        bench
    }

    fn connect(&mut self) {
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: Zxid::ZERO,
            timeout_ms: 30_000,
            session_id: SessionId::NONE,
            password: Some(Buffer(&[0; 16])),
            read_only: Some(false),
        };
        let mut out = Vec::new();
        let start = frame::start(&mut out);
        request.encode(&mut out).expect("it encodes");
        frame::finish(&mut out, start);
        self.round_trip(&out, 1);
    }

    /// Sends `bytes` and reads `answers` frames.
    fn round_trip(&mut self, bytes: &[u8], answers: usize) {
        self.stream.write_all(bytes).expect("the server reads");
        for _ in 0..answers {
            let mut length = [0; 4];
            self.stream.read_exact(&mut length).expect("an answer");
            let length = usize::try_from(i32::from_be_bytes(length)).expect("a length");
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).expect("an answer");
            black_box(&payload);
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop()).expect("a clean stop");
        }
    }
}

fn request(request: &Request<'_>, count: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for xid in 0..count {
        let header = RequestHeader {
            xid: Xid(i32::try_from(xid).expect("few")),
            op: request.op(),
        };
        let start = frame::start(&mut out);
        jute::append(&mut out, &header).expect("it encodes");
        request.encode(&mut out).expect("it encodes");
        frame::finish(&mut out, start);
    }
    out
}

fn serving(c: &mut Criterion) {
    let mut bench = Bench::start();
    let create = Request::Create(
        OpCode::CREATE,
        CreateRequest {
            path: Some("/node".into()),
            data: Some(Buffer(&[7; 100])),
            acl: Some(vec![Acl::open()]),
            flags: 0,
        },
    );
    bench.round_trip(&request(&create, 1), 1);
    let get = Request::GetData(ReadRequest {
        path: Some("/node".into()),
        watch: false,
    });
    let set = Request::SetData(SetDataRequest {
        path: Some("/node".into()),
        data: Some(Buffer(&[8; 100])),
        version: -1,
    });
    for (name, what) in [("read", &get), ("write", &set)] {
        for in_flight in [1, IN_FLIGHT] {
            let bytes = request(what, in_flight);
            let mut group = c.benchmark_group("serving");
            group.throughput(Throughput::Elements(in_flight as u64));
            group.bench_function(format!("{name}/{in_flight} in flight"), |b| {
                b.iter(|| bench.round_trip(&bytes, in_flight));
            });
            group.finish();
        }
    }
}

criterion_group!(benches, serving);
criterion_main!(benches);
