//! Made-up records of every kind: what is written reads back as it was, what
//! follows it is left alone, and no part of it is taken for the whole.

use crate::made::{
    PARTS, REQUESTS, RESPONSES, TXNS, buffer, header, int, logged, long, maybe, request, response,
    sub, txn,
};
use crate::rng::Rng;
use zk_proto::jute::Error;
use zk_proto::txn::{LoggedTxn, Txn, TxnDigest};
use zk_proto::{ConnectRequest, ConnectResponse, OpCode, Request, Response, SessionId, Zxid};

const ROUNDS: u64 = 150;

#[test]
fn requests() {
    for seed in 0..ROUNDS {
        let mut rng = Rng(seed);
        for op in REQUESTS {
            let request = request(&mut rng, op);
            let bytes = written(&request, Request::encode);
            assert_eq!(Request::decode(op, &bytes).as_ref(), Ok(&request), "{seed}");
            let longer = [&bytes[..], &[7; 5]].concat();
            assert_eq!(
                Request::decode(op, &longer).as_ref(),
                Ok(&request),
                "{seed}"
            );
            for end in 0..bytes.len() {
                assert!(Request::decode(op, &bytes[..end]).is_err(), "{seed} {op}");
            }
        }
    }
}

#[test]
fn responses() {
    for seed in 0..ROUNDS {
        let mut rng = Rng(seed);
        for op in RESPONSES {
            let response = response(&mut rng, op);
            let bytes = written(&response, Response::encode);
            assert_eq!(
                Response::decode(op, &bytes).as_ref(),
                Ok(&response),
                "{seed}"
            );
            for end in 0..bytes.len() {
                assert!(Response::decode(op, &bytes[..end]).is_err(), "{seed} {op}");
            }
        }
    }
}

#[test]
fn transactions() {
    for seed in 0..ROUNDS {
        let mut rng = Rng(seed);
        for kind in TXNS {
            let logged = logged(&mut rng, kind);
            let bytes = written(&logged, LoggedTxn::encode);
            assert_eq!(LoggedTxn::decode(&bytes).as_ref(), Ok(&logged), "{seed}");
        }
    }
}

#[test]
fn multis_of_transactions() {
    let mut bodies = Vec::new();
    for seed in 0..ROUNDS {
        let mut rng = Rng(seed);
        bodies.clear();
        for _ in 0..rng.below(4) {
            let kind = PARTS[rng.below(PARTS.len())];
            let txn = txn(&mut rng, kind);
            bodies.push((txn.kind(), txn.clone(), written(&txn, Txn::encode)));
        }
        let part = |(kind, _, body): &'_ (OpCode, Txn<'static>, Vec<u8>)| (*kind, body.clone());
        let parts: Vec<_> = bodies.iter().map(part).collect();
        let logged = LoggedTxn {
            header: header(&mut rng, OpCode::MULTI),
            txn: Txn::Multi(parts.iter().map(|(kind, body)| sub(*kind, body)).collect()),
            digest: Some(TxnDigest {
                version: 2,
                tree: 5,
            }),
        };
        let bytes = written(&logged, LoggedTxn::encode);
        let read = LoggedTxn::decode(&bytes).unwrap();
        assert_eq!(read, logged, "{seed}");
        let Txn::Multi(subs) = read.txn else {
            panic!("no multi");
        };
        for (sub, (_, txn, _)) in subs.iter().zip(&bodies) {
            assert_eq!(sub.decode().as_ref(), Ok(txn), "{seed}");
        }
    }
}

/// A follower may log a failed multi's part as an error with the record of
/// what it was to be: Apache changes the type in place when it applies.
#[test]
fn parts_turned_into_errors() {
    let create = txn(&mut Rng(3), OpCode::CREATE);
    let body = written(&create, Txn::encode);
    let turned = sub(OpCode::ERROR, &body).decode();
    assert!(matches!(turned, Ok(Txn::Error(_))), "{turned:?}");
}

#[test]
fn multis_do_not_nest() {
    let inner = written(&Txn::Multi(Vec::new()), Txn::encode);
    let nested = sub(OpCode::MULTI, &inner).decode();
    assert_eq!(nested, Err(Error::UnknownType(14)));
}

#[test]
fn handshakes_with_and_without_the_last_byte() {
    for seed in 0..ROUNDS {
        let mut rng = Rng(seed);
        let request = ConnectRequest {
            protocol_version: int(&mut rng),
            last_zxid_seen: Zxid(long(&mut rng)),
            timeout_ms: int(&mut rng),
            session_id: SessionId(long(&mut rng)),
            password: buffer(&mut rng),
            read_only: maybe(&mut rng, |rng| rng.chance(2)),
        };
        let bytes = written(&request, ConnectRequest::encode);
        assert_eq!(
            ConnectRequest::decode(&bytes).as_ref(),
            Ok(&request),
            "{seed}"
        );
        let response = ConnectResponse {
            protocol_version: request.protocol_version,
            timeout_ms: request.timeout_ms,
            session_id: request.session_id,
            password: request.password,
            read_only: request.read_only,
        };
        let bytes = written(&response, ConnectResponse::encode);
        assert_eq!(
            ConnectResponse::decode(&bytes).as_ref(),
            Ok(&response),
            "{seed}"
        );
    }
}

fn written<T>(value: &T, encode: impl Fn(&T, &mut Vec<u8>) -> Result<(), Error>) -> Vec<u8> {
    let mut out = Vec::new();
    encode(value, &mut out).unwrap();
    out
}
