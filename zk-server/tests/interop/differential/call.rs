//! One request as it goes to both servers.

use serde::Serialize;
use std::fmt::Debug;
use zk_proto::{OpCode, Request, RequestHeader, Xid, jute};

/// A request, and what is needed to read its answer and to learn from it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) op: OpCode,
    pub(crate) body: Vec<u8>,
    /// A number other than the connection's next one.
    pub(crate) xid: Option<i32>,
    /// The znode it is about.
    pub(crate) path: Option<String>,
    /// Znodes that are gone when it succeeds.
    pub(crate) deletes: Vec<String>,
    text: String,
}

impl Call {
    pub(crate) fn new(request: &Request<'_>) -> Self {
        let mut body = Vec::new();
        request.encode(&mut body).expect("it encodes");
        Self {
            text: format!("{request:?}"),
            ..Self::raw(request.op(), body)
        }
    }

    /// An operation whose body is one record.
    pub(crate) fn record<T: Serialize + Debug>(op: OpCode, record: &T) -> Self {
        let body = jute::to_vec(record).expect("it encodes");
        Self::raw(op, body).described(format!("{op:?} {record:?}"))
    }

    /// A body of the test's making.
    pub(crate) fn raw(op: OpCode, body: Vec<u8>) -> Self {
        Self {
            op,
            body,
            xid: None,
            path: None,
            deletes: Vec::new(),
            text: String::new(),
        }
    }

    pub(crate) fn described(mut self, text: String) -> Self {
        self.text = text;
        self
    }

    pub(crate) fn about(mut self, path: Option<&str>) -> Self {
        self.path = path.map(str::to_owned);
        self
    }

    pub(crate) fn deleting(mut self, path: Option<&str>) -> Self {
        self.deletes.extend(path.map(str::to_owned));
        self.about(path)
    }

    /// The same operation with another body.
    pub(crate) fn with_body(mut self, body: Vec<u8>) -> Self {
        self.text = String::new();
        self.body = body;
        self
    }

    pub(crate) fn payload(&self, xid: i32) -> Vec<u8> {
        let header = RequestHeader {
            xid: Xid(xid),
            op: self.op,
        };
        let mut payload = jute::to_vec(&header).expect("it encodes");
        payload.extend_from_slice(&self.body);
        payload
    }

    /// What it is, for people.
    pub(crate) fn describe(&self) -> String {
        let text = if self.text.is_empty() {
            format!("{:?} with body {}", self.op, hex(&self.body))
        } else {
            self.text.clone()
        };
        shortened(text)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Long texts are cut, with a sum of what is not shown.
pub(crate) fn shortened(text: String) -> String {
    const MAX: usize = 1500;
    if text.len() <= MAX {
        return text;
    }
    let sum = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    let head: String = text.chars().take(MAX / 2).collect();
    format!("{head}... ({} bytes, {sum:016x})", text.len())
}
