//! A server for tests that answers every request with what its operation calls for, and can be
//! told to answer one of them wrongly.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use super::meter::Target;
use super::wire;

/// What is wrong with the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// The answers belong to the next request.
    Xid,
    /// The requests fail.
    Error,
    /// The answers lack a byte.
    Short,
    /// The connection ends instead.
    Hangup,
}

/// Starts a server whose answers to getData have that fault. It ends with the test's process.
pub(super) fn serve(fault: Fault) -> Target {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || converse(stream, fault));
        }
    });
    Target { address, pid: None }
}

/// Serves one connection until either side ends it.
fn converse(mut stream: TcpStream, fault: Fault) -> Option<()> {
    let request = frame(&mut stream)?;
    let timeout: [u8; 4] = request[12..16].try_into().unwrap();
    let mut answer = vec![0; wire::CONNECT_ANSWER_BYTES];
    answer[3] = 37;
    answer[8..12].copy_from_slice(&timeout);
    answer[19] = 1;
    answer[23] = 16;
    stream.write_all(&answer).ok()?;
    loop {
        let request = frame(&mut stream)?;
        let (answer, last) = answered(&request, fault)?;
        stream.write_all(&answer).ok()?;
        if last {
            return None;
        }
    }
}

fn frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut frame).ok()?;
    Some(frame)
}

/// The bytes of an answer, and whether the connection ends with it.
fn answered(request: &[u8], fault: Fault) -> Option<(Vec<u8>, bool)> {
    let op = i32::from_be_bytes(request[4..8].try_into().unwrap());
    let mut xid = i32::from_be_bytes(request[..4].try_into().unwrap());
    let fault = if op == 4 { fault } else { Fault::None };
    let mut err = 0_i32;
    let mut body = match op {
        1 => created(request),
        4 => vec![0; wire::GET_BODY_BYTES],
        5 => vec![0; wire::SET_BODY_BYTES],
        _ => Vec::new(),
    };
    match fault {
        Fault::None => {}
        Fault::Xid => xid += 1,
        Fault::Error => err = -101,
        Fault::Short => drop(body.pop()),
        Fault::Hangup => return None,
    }
    let mut answer = Vec::new();
    answer.extend_from_slice(&(16 + body.len() as i32).to_be_bytes());
    answer.extend_from_slice(&xid.to_be_bytes());
    answer.extend_from_slice(&[0; 8]);
    answer.extend_from_slice(&err.to_be_bytes());
    answer.extend_from_slice(&body);
    Some((answer, op == -11))
}

/// The path of a create; a sequential one gets ten digits.
fn created(request: &[u8]) -> Vec<u8> {
    let length = u32::from_be_bytes(request[8..12].try_into().unwrap()) as usize;
    let mut path = request[12..12 + length].to_vec();
    if path.ends_with(b"-") {
        path.extend_from_slice(b"0000000007");
    }
    let mut body = (path.len() as i32).to_be_bytes().to_vec();
    body.append(&mut path);
    body
}
