//! Prints what a client's frame says. Give the frame as hex digits, with its
//! four bytes of length, or nothing for a sample.
//!
//! `cargo run -p zk-proto --example decode_frame -- 0000000f0000000100000003000000022f6100`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use zk_proto::frame::{self, MAX_FRAME};
use zk_proto::{Request, RequestHeader, path};

/// create of "/app" with the data "hi", open to all, as client request 7.
const SAMPLE: &str = "00000035000000070000000f000000042f617070000000026869\
                      000000010000001f00000005776f726c6400000006616e796f6e6500000000";

fn main() -> Result<(), Box<dyn Error>> {
    let digits = std::env::args().nth(1).unwrap_or_else(|| SAMPLE.into());
    let bytes = unhex(&digits)?;
    let payload = frame::split(&bytes, MAX_FRAME)?.ok_or("the frame is not whole")?;
    let (header, body) = RequestHeader::split(payload)?;
    println!("xid {}, {}", header.xid.0, header.op);

    let request = Request::decode(header.op, body)?;
    println!("{request:#?}");
    if let Request::Create(_, create) = &request {
        let wanted = create.path.as_deref().unwrap_or_default();
        match path::validate(wanted) {
            Ok(()) => println!("{wanted} may name a znode"),
            Err(error) => println!("{}", error.java_message(wanted)),
        }
    }

    let mut again = Vec::new();
    request.encode(&mut again)?;
    println!(
        "encodes to the same {} bytes: {}",
        body.len(),
        again == body
    );
    Ok(())
}

fn unhex(digits: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect()
}
