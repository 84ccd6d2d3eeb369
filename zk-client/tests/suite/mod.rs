//! What the client must do with any server: every operation, watch kind and
//! error, over reconnects, expiry and changes of leader. The same cases run
//! against ours, inside the test, and against Apache's, as processes.

pub(crate) mod ensemble;
mod errors;
mod operations;
mod proxy;
pub(crate) mod servers;
pub(crate) mod sessions;
mod transactions;
mod watches;

use proxy::Proxy;
use servers::Servers;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::timeout;
use zk_client::{Client, Connector, CreateOptions, Error, ErrorCode, Event, Events};

/// Longer than anything takes on the busiest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Lines of zoo.cfg on which the cases rely.
pub(crate) const SETTINGS: [(&str, &str); 4] = [
    ("extendedTypesEnabled", "true"),
    ("enforceQuota", "true"),
    ("maxClientCnxns", "0"),
    (
        "DigestAuthenticationProvider.superDigest",
        "super:aUNvlR1MTvkJltEXyKE6RkjAUlk=",
    ),
];

/// A part of a server's tree that is a case's own.
pub(crate) struct Place {
    hosts: String,
    chroot: String,
    is_of_today: bool,
}

impl Place {
    pub(crate) async fn new(servers: &impl Servers) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let chroot = format!("/case-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let hosts = servers.connect_string();
        let root = Client::connect(&hosts).await.unwrap();
        let options = CreateOptions::default();
        root.create(&chroot, None, &options).await.unwrap();
        root.close().await.unwrap();
        Self {
            hosts,
            chroot,
            is_of_today: servers.is_of_today(),
        }
    }

    /// A client that takes this place for the whole tree.
    pub(crate) async fn client(&self) -> Client {
        self.listening().await.0
    }

    pub(crate) async fn listening(&self) -> (Client, Events) {
        self.connected(|connector| connector).await
    }

    pub(crate) async fn connected(
        &self,
        settings: impl FnOnce(Connector) -> Connector,
    ) -> (Client, Events) {
        let connector = Connector::new(&self.connect_string()).unwrap();
        let (client, mut events) = settings(connector).start();
        soon(client.connected()).await.unwrap();
        soon(events.next()).await.unwrap();
        (client, events)
    }

    /// A client whose link to the first server can be cut.
    pub(crate) async fn client_to_cut(
        &self,
        settings: impl FnOnce(Connector) -> Connector,
    ) -> (Client, Proxy) {
        let first = self.hosts.split(',').next().unwrap_or_default();
        let proxy = Proxy::to(first.to_owned()).await;
        let connect_string = format!("{}{}", proxy.address(), self.chroot);
        let (client, _) = settings(Connector::new(&connect_string).unwrap()).start();
        soon(client.connected()).await.unwrap();
        (client, proxy)
    }

    pub(crate) fn connect_string(&self) -> String {
        format!("{}{}", self.hosts, self.chroot)
    }
}

/// Waits for what must come.
#[track_caller]
pub(crate) fn soon<F: Future>(what: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    async move {
        let waited = timeout(PATIENCE, what).await;
        waited.unwrap_or_else(|_| panic!("nothing came at {caller}"))
    }
}

pub(crate) async fn create(client: &Client, path: &str) {
    let options = CreateOptions::default();
    client.create(path, Some(b"x"), &options).await.unwrap();
}

pub(crate) fn refused(code: ErrorCode, path: &str) -> Error {
    Error::Server {
        code,
        path: path.into(),
    }
}

/// The event's kind and path.
pub(crate) fn told(event: Event) -> (zk_client::EventType, Option<String>) {
    (event.kind, event.path)
}

/// Runs cases, each at a place of its own. The name of the last one that is
/// printed is that of one that fails.
macro_rules! run {
    ($servers:expr, $($case:path),* $(,)?) => {{
        $(
            println!("{}", stringify!($case));
            $case(Place::new($servers).await).await;
        )*
    }};
}

/// The cases for which any server that runs will do.
pub(crate) async fn on_one_server(servers: &impl Servers) {
    run!(
        servers,
        operations::creates_of_all_kinds,
        operations::null_and_empty_data_differ,
        operations::reads,
        operations::ephemerals,
        operations::writes_by_version,
        operations::access_lists,
        operations::identities,
        operations::the_configuration,
        operations::several_reads_in_one,
        operations::large_data,
        operations::many_at_once_keep_their_order,
        transactions::all_or_nothing,
        transactions::receipts_find_their_results,
        transactions::the_operation_that_failed_is_named,
        errors::of_the_tree,
        errors::of_access,
        errors::of_quotas,
        errors::of_watches,
        errors::of_reconfiguration,
        errors::of_identities,
        errors::of_arguments,
        errors::of_requests_that_are_too_long,
        errors::of_time,
        errors::of_sessions_that_are_over,
        watches::of_one_shot_on_data,
        watches::of_one_shot_on_absence,
        watches::of_one_shot_on_children,
        watches::on_one_path_are_told_together,
        watches::that_were_dropped_are_not_told,
        watches::that_persist,
        watches::that_persist_and_recurse,
        watches::that_are_removed,
        watches::that_nobody_holds_are_removed,
        watches::for_everyone,
        watches::on_the_configuration,
        sessions::futures_may_be_dropped,
        sessions::are_resumed_by_others,
        sessions::that_are_ended_elsewhere_have_expired,
    );
}
