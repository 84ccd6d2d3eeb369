//! What a request costs the session core: encode, send, answer, decode.

use bytes::{BufMut, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::{Duration, Instant};
use zk_client::session::{Session, SessionConfig};
use zk_proto::{Buffer, ConnectResponse, ReadRequest, Request, SessionId, Stat, frame, jute};

const IN_FLIGHT: i32 = 16;

/// A session whose handshake is done.
fn connected(now: Instant) -> Session<i32> {
    let config = SessionConfig {
        timeout: Duration::from_secs(30),
        read_only: false,
        max_answer_bytes: 1 << 20,
    };
    let mut session = Session::new(config, now);
    session.handle_connected(Duration::from_secs(30), now);
    let response = ConnectResponse {
        protocol_version: 0,
        timeout_ms: 30_000,
        session_id: SessionId(1),
        password: Some(Buffer(&[0; 16])),
        read_only: Some(false),
    };
    let mut out = Vec::new();
    let start = frame::start(&mut out);
    response.encode(&mut out).expect("it is well formed");
    frame::finish(&mut out, start);
    let mut input = BytesMut::from(out.as_slice());
    session
        .handle_input(&mut input, now)
        .expect("the handshake is accepted");
    session.take_transmit(&mut Vec::new(), now);
    session
}

/// Answers of 100 bytes for requests numbered from `first`.
fn answers(input: &mut BytesMut, first: i32, data_and_stat: &[u8]) {
    for xid in first..first + IN_FLIGHT {
        input.put_u32(16 + data_and_stat.len() as u32);
        input.put_i32(xid);
        input.put_i64(7);
        input.put_i32(0);
        input.put_slice(data_and_stat);
    }
}

fn get_data(c: &mut Criterion) {
    let now = Instant::now();
    let body = jute::to_vec(&(Buffer(&[b'x'; 100]), Stat::default())).expect("it is well formed");
    let mut group = c.benchmark_group("session");
    group.throughput(Throughput::Elements(IN_FLIGHT as u64));
    group.bench_function("get 100 bytes, 16 in flight", |b| {
        let mut session = connected(now);
        let mut output = Vec::new();
        let mut input = BytesMut::new();
        let mut first = 1;
        b.iter(|| {
            let request = Request::GetData(ReadRequest {
                path: Some("/bench/node".into()),
                watch: false,
            });
            for number in 0..IN_FLIGHT {
                session
                    .submit(&request, None, number)
                    .expect("the session is up");
            }
            output.clear();
            session.take_transmit(&mut output, now);
            answers(&mut input, first, &body);
            // Xids wrap to 1, as the session's do.
            first = first.checked_add(IN_FLIGHT).unwrap_or(1);
            session
                .handle_input(&mut input, now)
                .expect("the answers are in order");
            while let Some((waiter, reply)) = session.poll_answer() {
                let reply = reply.expect("it was answered");
                let record: (Buffer<'_>, Stat) =
                    jute::from_prefix(&reply.body).expect("it is well formed");
                black_box((waiter, record.0.len(), record.1));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, get_data);
criterion_main!(benches);
