//! Random multi and multiRead: most succeed, many fail at some operation, a
//! few are not even well-formed.

use super::call::Call;
use super::known::Known;
use super::{calls, draw};
use crate::support::rng::Rng;
use zk_proto::{
    Buffer, CheckVersionRequest, CreateRequest, CreateTtlRequest, DeleteRequest, MultiHeader,
    MultiOp, MultiReadOp, OpCode, ReadRequest, Request, SetDataRequest, Ustr, jute,
};

pub(crate) fn multi(rng: &mut Rng, known: &Known, _: i64) -> Call {
    let mut parts = Parts::default();
    for _ in 0..rng.weighted(&[2, 20, 25, 20, 15, 10, 8]) {
        parts.part(rng, known);
    }
    if rng.percent(4) {
        parts.odd(rng);
    }
    parts.finish()
}

/// A multi in the making.
#[derive(Default)]
struct Parts {
    body: Vec<u8>,
    deletes: Vec<String>,
    text: Vec<String>,
    /// Created by this multi, probably.
    fresh: Vec<String>,
}

impl Parts {
    fn part(&mut self, rng: &mut Rng, known: &Known) {
        match rng.weighted(&[30, 10, 5, 5, 20, 20, 15]) {
            0 => self.create(rng, known, OpCode::CREATE, calls::plain_flags),
            1 => self.create(rng, known, OpCode::CREATE2, calls::plain_flags),
            2 => self.create(rng, known, OpCode::CREATE_CONTAINER, calls::container_flags),
            3 => self.create_ttl(rng, known),
            4 => self.delete(rng, known),
            5 => self.set_data(rng, known),
            _ => self.check(rng, known),
        }
    }

    /// A path, of this multi's own creation now and then.
    fn path(&self, rng: &mut Rng, known: &Known) -> Option<String> {
        if !self.fresh.is_empty() && rng.percent(40) {
            return Some(rng.pick(&self.fresh).clone());
        }
        if rng.percent(85) {
            return Some(draw::existing(rng, known));
        }
        draw::path(rng, known)
    }

    fn new_path(&mut self, rng: &mut Rng, known: &Known) -> Option<String> {
        let path = if !self.fresh.is_empty() && rng.percent(40) {
            Some(format!("{}/m", rng.pick(&self.fresh)))
        } else {
            draw::new_path(rng, known)
        };
        self.fresh.extend(path.clone());
        path
    }

    fn create(&mut self, rng: &mut Rng, known: &Known, op: OpCode, flags: fn(&mut Rng) -> i32) {
        let path = self.new_path(rng, known);
        let data = draw::data(rng);
        let record = CreateRequest {
            path: path.as_deref().map(Ustr::from),
            data: data.as_deref().map(Buffer),
            acl: draw::acl(rng),
            flags: flags(rng),
        };
        self.push(&MultiOp::Create(op, record));
    }

    fn create_ttl(&mut self, rng: &mut Rng, known: &Known) {
        let path = self.new_path(rng, known);
        let data = draw::data(rng);
        let flags = calls::flags(rng, &[5, 5, 6]);
        let record = CreateTtlRequest {
            path: path.as_deref().map(Ustr::from),
            data: data.as_deref().map(Buffer),
            acl: draw::acl(rng),
            flags,
            ttl: calls::any_ttl(rng, flags),
        };
        self.push(&MultiOp::CreateTtl(record));
    }

    fn delete(&mut self, rng: &mut Rng, known: &Known) {
        let path = self.path(rng, known);
        self.deletes.extend(path.clone());
        self.push(&MultiOp::Delete(DeleteRequest {
            path: path.as_deref().map(Ustr::from),
            version: draw::version(rng),
        }));
    }

    fn set_data(&mut self, rng: &mut Rng, known: &Known) {
        let path = self.path(rng, known);
        let data = draw::data(rng);
        self.push(&MultiOp::SetData(SetDataRequest {
            path: path.as_deref().map(Ustr::from),
            data: data.as_deref().map(Buffer),
            version: draw::version(rng),
        }));
    }

    fn check(&mut self, rng: &mut Rng, known: &Known) {
        let path = self.path(rng, known);
        self.push(&MultiOp::Check(CheckVersionRequest {
            path: path.as_deref().map(Ustr::from),
            version: draw::version(rng),
        }));
    }

    fn push(&mut self, op: &MultiOp<'_>) {
        let mut one = Vec::new();
        let request = Request::Multi(vec![op.clone()]);
        request.encode(&mut one).expect("it encodes");
        // Without the header that ends the list.
        self.body.extend_from_slice(&one[..one.len() - 9]);
        self.text.push(format!("{op:?}"));
    }

    /// Something that no multi may hold.
    fn odd(&mut self, rng: &mut Rng) {
        let op = *rng.pick(&[14, 7, 4, 3, 9, 100, -1, -11, 0, 16, 20, 22, 999]);
        self.body.extend(header(op, false));
        let fill = rng.below(30);
        self.body.extend(rng.bytes(fill));
        self.text.push(format!("op {op} with {fill} bytes"));
    }

    fn finish(mut self) -> Call {
        self.body.extend(header(-1, true));
        let text = format!("multi [{}]", self.text.join(", "));
        let mut call = Call::raw(OpCode::MULTI, self.body).described(text);
        call.deletes = self.deletes;
        call
    }
}

fn header(op: i32, done: bool) -> Vec<u8> {
    let header = MultiHeader {
        op: OpCode(op),
        done,
        err: -1,
    };
    jute::to_vec(&header).expect("it encodes")
}

pub(crate) fn multi_read(rng: &mut Rng, known: &Known, _: i64) -> Call {
    let paths: Vec<_> = (0..rng.below(5)).map(|_| draw::path(rng, known)).collect();
    let mut ops = Vec::new();
    for path in &paths {
        let record = ReadRequest {
            path: path.as_deref().map(Ustr::from),
            watch: rng.percent(30),
        };
        ops.push(match rng.percent(50) {
            true => MultiReadOp::GetData(record),
            false => MultiReadOp::GetChildren(record),
        });
    }
    let mut call = Call::new(&Request::MultiRead(ops));
    if rng.percent(4) {
        let end = call.body.len() - 9;
        let mut body = call.body[..end].to_vec();
        body.extend(header(*rng.pick(&[3, 12, 1, 2, 5, 13, 22, 0, 999]), false));
        body.extend_from_slice(&call.body[end..]);
        call = call.with_body(body);
    }
    call
}

/// check is for multi only.
pub(crate) fn lone_check(rng: &mut Rng, known: &Known) -> Call {
    let path = draw::path(rng, known);
    Call::new(&Request::Check(CheckVersionRequest {
        path: path.as_deref().map(Ustr::from),
        version: draw::version(rng),
    }))
}
