//! Networks that the test makes and removes: every server in a namespace of
//! its own, the clients in one, a bridge between the servers and another to
//! the clients in one more. Nothing is made outside of them.
//!
//! What a cut loses is lost in one direction, silently, as behind a broken
//! switch: the sender is given a wrong hardware address. The clients' network
//! is never cut. It needs Linux, root and iproute2.

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use zk_proto::ServerId;

/// An address that no interface has.
const NOWHERE: &str = "02:00:00:00:00:fe";

/// What the names of all namespaces begin with; the process's id is next.
const PREFIX: &str = "zkpart-";

/// From one server to another.
pub(crate) type Link = (ServerId, ServerId);

/// The networks of one ensemble. Dropping it removes them.
#[derive(Debug)]
pub(crate) struct Network {
    name: String,
    servers: Vec<ServerId>,
}

/// Why there can be no networks here, if so.
pub(crate) fn obstacle() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("network namespaces need root".to_owned());
    }
    let probe = format!("{PREFIX}{}-probe", std::process::id());
    let made = ip(&["netns", "add", &probe]);
    let removed = ip(&["netns", "delete", &probe]);
    made.and(removed).err()
}

impl Network {
    /// Makes the networks of servers from 1 on.
    pub(crate) fn make(servers: i64) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        remove_orphans();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let network = Self {
            name: format!("{PREFIX}{}-{number}", std::process::id()),
            servers: (1..=servers).map(ServerId).collect(),
        };
        // From here on a failure removes what was made.
        network.make_all();
        network
    }

    pub(crate) fn servers(&self) -> &[ServerId] {
        &self.servers
    }

    /// Where the other servers reach a server.
    pub(crate) fn peer_address(server: ServerId) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, 1, last_byte(server))
    }

    /// Where clients reach a server.
    pub(crate) fn client_address(server: ServerId) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, 2, last_byte(server))
    }

    /// Begins a command line that is run in a server's network; what follows
    /// takes the place of the process.
    pub(crate) fn command(&self, server: ServerId) -> Command {
        let mut command = Command::new(program());
        command.args(["netns", "exec", &self.namespace(server)]);
        command
    }

    /// Moves the calling thread to the clients.
    pub(crate) fn enter(&self) {
        let path = Path::new("/run/netns").join(self.clients());
        let namespace = File::open(&path).expect("the namespace is there");
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
            .expect("root may enter a namespace");
    }

    /// Loses what is sent on exactly these links from now on.
    pub(crate) fn cut(&self, links: &BTreeSet<Link>) {
        for from in &self.servers {
            let mut lines = "neigh flush dev peer nud permanent\n".to_owned();
            for (_, to) in links.iter().filter(|(own, _)| own == from) {
                let to = Self::peer_address(*to);
                lines.push_str(&format!(
                    "neigh replace {to} lladdr {NOWHERE} dev peer nud permanent\n"
                ));
            }
            batch(&self.namespace(*from), &lines);
        }
    }

    fn make_all(&self) {
        let (hub, clients) = (self.hub(), self.clients());
        make_namespace(&hub);
        let bridge = |name| format!("link add {name} type bridge\nlink set {name} up\n");
        batch(&hub, &(bridge("peers") + &bridge("clients")));
        self.attach(&clients, "clients", "c0", "client");
        batch(&clients, "address add 10.77.2.254/24 dev client\n");
        for server in &self.servers {
            let namespace = self.namespace(*server);
            self.attach(&namespace, "peers", &format!("p{server}"), "peer");
            self.attach(&namespace, "clients", &format!("c{server}"), "client");
            let peer = Self::peer_address(*server);
            let client = Self::client_address(*server);
            batch(
                &namespace,
                &format!("address add {peer}/24 dev peer\naddress add {client}/24 dev client\n"),
            );
        }
    }

    /// A cable from a namespace, which is made if need be, to a bridge.
    fn attach(&self, namespace: &str, bridge: &str, port: &str, interface: &str) {
        if !Path::new("/run/netns").join(namespace).exists() {
            make_namespace(namespace);
        }
        batch(
            &self.hub(),
            &format!(
                "link add {port} type veth peer name {interface} netns {namespace}\n\
                 link set {port} master {bridge} up\n"
            ),
        );
        batch(namespace, &format!("link set {interface} up\n"));
    }

    fn hub(&self) -> String {
        format!("{}-hub", self.name)
    }

    fn clients(&self) -> String {
        format!("{}-clients", self.name)
    }

    fn namespace(&self, server: ServerId) -> String {
        format!("{}-{server}", self.name)
    }
}

impl Drop for Network {
    /// The cables go with the namespaces. What was not made needs no removal.
    fn drop(&mut self) {
        let servers = self.servers.iter().map(|id| self.namespace(*id));
        for namespace in servers.chain([self.clients(), self.hub()]) {
            let _ = ip(&["netns", "delete", &namespace]);
        }
    }
}

fn last_byte(server: ServerId) -> u8 {
    u8::try_from(server.0).expect("fewer than 256 servers")
}

/// Runs that were killed left their namespaces.
fn remove_orphans() {
    let Ok(names) = std::fs::read_dir("/run/netns") else {
        return;
    };
    for name in names
        .flatten()
        .filter_map(|it| it.file_name().into_string().ok())
    {
        let process = name
            .strip_prefix(PREFIX)
            .and_then(|it| it.split('-').next());
        if process.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            // Another run may be faster.
            let _ = ip(&["netns", "delete", &name]);
        }
    }
}

fn make_namespace(name: &str) {
    ip(&["netns", "add", name]).unwrap_or_else(|error| panic!("{error}"));
    batch(name, "link set lo up\n");
}

/// Whoever runs this may say which program it is.
fn program() -> std::ffi::OsString {
    std::env::var_os("ZK_IP").unwrap_or_else(|| "ip".into())
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program()).args(arguments).output();
    let output = output.map_err(|error| format!("cannot run ip: {error}"))?;
    judge(&format!("{arguments:?}"), &output)
}

/// Runs lines of `ip` in a namespace.
fn batch(namespace: &str, lines: &str) {
    let mut child = Command::new(program())
        .args(["-n", namespace, "-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ip can be run");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(lines.as_bytes()).expect("ip reads");
    drop(stdin);
    let output = child.wait_with_output().expect("ip can be waited for");
    judge(lines, &output).unwrap_or_else(|error| panic!("{error}"));
}

fn judge(what: &str, output: &Output) -> Result<(), String> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {what}: {said}"))
}
