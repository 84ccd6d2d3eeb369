//! A server that expects recorded requests and sends recorded answers. The
//! recordings are of Apache ZooKeeper 3.9.5.
//!
//! A fixture is a list of exchanges: `# name`, `> request`, `< answer` and
//! perhaps `< notification`, as hex without the frame's length.

use std::collections::HashMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const HANDSHAKE: &str =
    "00000000000075300100002af4de00000000001040b29d4ecd96dfc61e2fac015e4cef7100";

/// One recorded request and what was sent for it.
#[derive(Clone)]
pub(crate) struct Exchange {
    request: Vec<u8>,
    answers: Vec<Vec<u8>>,
}

pub(crate) struct Fixture(HashMap<&'static str, Exchange>);

impl Fixture {
    pub(crate) fn operations() -> Self {
        Self::parse(include_str!("../fixtures/operations.txt"))
    }

    pub(crate) fn watches() -> Self {
        Self::parse(include_str!("../fixtures/watches.txt"))
    }

    fn parse(text: &'static str) -> Self {
        let mut exchanges = HashMap::new();
        let mut name = "";
        for line in text.lines() {
            match line.split_once(' ').unwrap() {
                ("#", new) => name = new,
                (">", request) => {
                    let exchange = Exchange {
                        request: bytes(request),
                        answers: Vec::new(),
                    };
                    assert!(exchanges.insert(name, exchange).is_none(), "{name}");
                }
                ("<", answer) => {
                    let exchange: &mut Exchange = exchanges.get_mut(name).unwrap();
                    exchange.answers.push(bytes(answer));
                }
                other => panic!("{other:?}"),
            }
        }
        Self(exchanges)
    }

    pub(crate) fn exchanges(&self, names: &[&str]) -> Vec<Exchange> {
        names.iter().map(|name| self.0[name].clone()).collect()
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// Listens on a free port of the loopback address.
pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Serves one connection with these exchanges, in this order, until the
/// client closes its session or leaves. Returns the connect string.
pub(crate) async fn serve(exchanges: Vec<Exchange>) -> (String, tokio::task::JoinHandle<()>) {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut server = Connection::accept(&listener).await;
        server.handshake().await;
        for exchange in exchanges {
            server.exchange(&exchange).await;
        }
        server.finish().await;
    });
    (address, server)
}

/// The server's end of a connection.
pub(crate) struct Connection(TcpStream);

impl Connection {
    pub(crate) async fn accept(listener: &TcpListener) -> Self {
        Self(listener.accept().await.unwrap().0)
    }

    /// Takes the ConnectRequest and grants the recorded session.
    pub(crate) async fn handshake(&mut self) -> Vec<u8> {
        let request = self.receive().await.unwrap();
        self.send(&bytes(HANDSHAKE)).await;
        request
    }

    /// Expects the recorded request, whatever its xid, and answers.
    async fn exchange(&mut self, exchange: &Exchange) {
        let request = self.receive().await.expect("a request is due");
        assert_eq!(hex(&request[4..]), hex(&exchange.request[4..]));
        for answer in &exchange.answers {
            let mut answer = answer.clone();
            if answer[..4] == exchange.request[..4] {
                answer[..4].copy_from_slice(&request[..4]);
            }
            self.send(&answer).await;
        }
    }

    /// Answers closeSession if it comes, and nothing else.
    async fn finish(&mut self) {
        let Some(request) = self.receive().await else {
            return;
        };
        assert_eq!(hex(&request[4..]), "fffffff5", "only a closeSession is due");
        let mut answer = request[..4].to_vec();
        answer.extend([0; 12]);
        self.send(&answer).await;
    }

    /// A frame's payload, or `None` at the end.
    pub(crate) async fn receive(&mut self) -> Option<Vec<u8>> {
        let length = self.0.read_u32().await.ok()?;
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(payload)
    }

    pub(crate) async fn send(&mut self, payload: &[u8]) {
        let mut frame = (payload.len() as u32).to_be_bytes().to_vec();
        frame.extend_from_slice(payload);
        self.0.write_all(&frame).await.unwrap();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
