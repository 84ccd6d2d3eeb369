"""kazoo against a server of ours: every case raises when it finds something
wrong, and says its name when it does not. Called with HOST:PORT."""

import logging
import socket
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import (
    BadVersionError,
    NoAuthError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
    RolledBackError,
    RuntimeInconsistency,
)
from kazoo.protocol.states import EventType, KazooState
from kazoo.recipe.watchers import ChildrenWatch, DataWatch
from kazoo.security import make_acl, make_digest_acl

HOSTS = sys.argv[1]
PATIENCE = 20


def client(**options):
    made = KazooClient(hosts=HOSTS, timeout=10, **options)
    made.start(timeout=PATIENCE)
    return made


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "no " + what
        time.sleep(0.01)


def raises(error, function, *args, **options):
    try:
        function(*args, **options)
    except error:
        return
    raise AssertionError("no %s" % error.__name__)


def crud(zk):
    assert zk.create("/crud", b"one") == "/crud"
    data, stat = zk.get("/crud")
    assert (data, stat.version, stat.numChildren) == (b"one", 0, 0)
    assert zk.set("/crud", b"two", version=0).version == 1
    raises(BadVersionError, zk.set, "/crud", b"three", version=0)
    raises(NodeExistsError, zk.create, "/crud")
    path, stat = zk.create("/crud/child", b"x", include_data=True)
    assert (path, stat.dataLength) == ("/crud/child", 1)
    assert zk.get_children("/crud") == ["child"]
    names, stat = zk.get_children("/crud", include_data=True)
    assert (names, stat.cversion) == (["child"], 1)
    raises(NotEmptyError, zk.delete, "/crud")
    raises(NoNodeError, zk.get, "/none")
    assert zk.exists("/none") is None
    zk.ensure_path("/crud/deep/er/est")
    assert zk.sync("/crud") == "/crud"
    zk.delete("/crud", recursive=True)
    assert zk.exists("/crud") is None


def sequences(zk):
    zk.ensure_path("/sequences")
    made = [zk.create("/sequences/n-", sequence=True) for _ in range(5)]
    assert made == ["/sequences/n-%010d" % n for n in range(5)]
    assert zk.create("/sequences/", sequence=True) == "/sequences/0000000005"


def ephemerals(zk):
    other = client()
    other.create("/ephemeral", b"", ephemeral=True)
    assert zk.exists("/ephemeral").owner_session_id == other.client_id[0]
    gone = threading.Event()
    zk.exists("/ephemeral", watch=lambda event: gone.set())
    other.stop()
    other.close()
    assert gone.wait(PATIENCE)
    assert zk.exists("/ephemeral") is None


def watches(zk):
    events = []
    zk.create("/watched", b"0")
    zk.get("/watched", watch=events.append)
    zk.set("/watched", b"1")
    until(lambda: events, "data event")
    assert (events[0].type, events[0].path) == (EventType.CHANGED, "/watched")
    zk.get_children("/watched", watch=events.append)
    zk.create("/watched/child")
    until(lambda: len(events) == 2, "child event")
    assert events[1].type == EventType.CHILD
    zk.set("/watched", b"2")
    zk.sync("/watched")
    assert len(events) == 2


def data_and_children_watches(zk):
    values, children = [], []
    zk.create("/recipes-watch", b"0")
    DataWatch(zk, "/recipes-watch", lambda data, stat: values.append(data))
    ChildrenWatch(zk, "/recipes-watch", lambda names: children.append(sorted(names)))
    for n in range(1, 6):
        zk.set("/recipes-watch", b"%d" % n)
        until(lambda: values[-1] == b"%d" % n, "value")
        zk.create("/recipes-watch/c%d" % n)
        until(lambda: children[-1] == ["c%d" % m for m in range(1, n + 1)], "children")
    zk.delete("/recipes-watch", recursive=True)
    until(lambda: values[-1] is None, "deletion")


def transactions(zk):
    transaction = zk.transaction()
    transaction.create("/transaction", b"0")
    transaction.create("/transaction/n-", b"", sequence=True)
    transaction.set_data("/transaction", b"1")
    transaction.check("/transaction", 1)
    results = transaction.commit()
    assert results[:2] == ["/transaction", "/transaction/n-0000000000"]
    assert results[2].version == 1 and results[3] is True
    transaction = zk.transaction()
    transaction.create("/transaction/a")
    transaction.delete("/none")
    transaction.delete("/transaction")
    results = transaction.commit()
    kinds = [type(result) for result in results]
    assert kinds == [RolledBackError, NoNodeError, RuntimeInconsistency], kinds
    assert zk.exists("/transaction/a") is None


def acls(zk):
    owner = client(auth_data=[("digest", "owner:secret")])
    reader = client(auth_data=[("digest", "reader:secret")])
    acl = [
        make_digest_acl("owner", "secret", all=True),
        make_digest_acl("reader", "secret", read=True),
    ]
    owner.create("/acl", b"data", acl=acl)
    assert reader.get("/acl")[0] == b"data"
    raises(NoAuthError, reader.set, "/acl", b"")
    raises(NoAuthError, zk.get, "/acl")
    got, stat = owner.get_acls("/acl")
    assert (sorted(got), stat.aversion) == (sorted(acl), 0)
    zk.add_auth("digest", "reader:secret")
    assert zk.get("/acl")[0] == b"data"
    owner.set_acls("/acl", [make_acl("world", "anyone", all=True)], version=0)
    anyone = client()
    assert anyone.set("/acl", b"more").version == 1
    owner.create("/acl/auth", acl=[make_acl("auth", "", all=True)])
    assert owner.get_acls("/acl/auth")[0] == [make_digest_acl("owner", "secret", all=True)]
    for other in (owner, reader, anyone):
        other.stop()
        other.close()


def many_at_once(zk):
    zk.ensure_path("/many")
    creates = [zk.create_async("/many/%d" % n, b"%d" % n) for n in range(500)]
    assert [result.get(PATIENCE) for result in creates][499] == "/many/499"
    gets = [zk.get_async("/many/%d" % n) for n in range(500)]
    for n, result in enumerate(gets):
        assert result.get(PATIENCE)[0] == b"%d" % n
    assert len(zk.get_children("/many")) == 500


def large(zk):
    data = bytes(1000 * 1000)
    zk.create("/large", data)
    assert zk.get("/large")[0] == data


def lock(zk):
    other = client()
    first, second = zk.Lock("/lock", "first"), other.Lock("/lock", "second")
    assert first.acquire()
    assert not second.acquire(blocking=False)
    assert first.contenders() == ["first"]
    order = []
    thread = threading.Thread(target=lambda: second.acquire() and order.append("second"))
    thread.start()
    until(lambda: len(first.contenders()) == 2, "contender")
    order.append("first")
    first.release()
    thread.join(PATIENCE)
    assert order == ["first", "second"]
    second.release()
    shared = zk.ReadLock("/read-write")
    with shared:
        assert not other.WriteLock("/read-write").acquire(blocking=False)
    semaphore = zk.Semaphore("/semaphore", max_leases=2)
    with semaphore, other.Semaphore("/semaphore", max_leases=2):
        assert not client().Semaphore("/semaphore", max_leases=2).acquire(blocking=False)
    other.stop()
    other.close()


def election(zk):
    led = []
    others = [client() for _ in range(3)]
    elections = [
        other.Election("/election", str(n)) for n, other in enumerate(others)
    ]
    threads = [
        threading.Thread(target=elected.run, args=(led.append, n))
        for n, elected in enumerate(elections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(led) == [0, 1, 2]
    for other in others:
        other.stop()
        other.close()


def barrier(zk):
    gate = zk.Barrier("/barrier")
    gate.create()
    other = client()
    waits = []
    thread = threading.Thread(
        target=lambda: waits.append(other.Barrier("/barrier").wait(PATIENCE))
    )
    thread.start()
    gate.remove()
    thread.join(PATIENCE)
    assert waits == [True]
    pair = [(zk, 0), (other, 1)]
    left = []

    def meet(member, number):
        double = member.DoubleBarrier("/double-barrier", 2, "m%d" % number)
        double.enter()
        left.append(double.participating)
        double.leave()

    threads = [threading.Thread(target=meet, args=args) for args in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert left == [True, True]
    other.stop()
    other.close()


def queue(zk):
    line = zk.Queue("/queue")
    for item in (b"a", b"b"):
        line.put(item)
    line.put(b"urgent", priority=1)
    assert [line.get() for _ in range(4)] == [b"urgent", b"a", b"b", None]
    locking = zk.LockingQueue("/locking-queue")
    locking.put_all([b"1", b"2"])
    assert locking.get(PATIENCE) == b"1"
    assert locking.consume()
    assert locking.get(PATIENCE) == b"2" and locking.consume()


def counter(zk):
    others = [client() for _ in range(2)]

    def count(member):
        counted = member.Counter("/counter")
        for _ in range(20):
            counted += 1

    threads = [threading.Thread(target=count, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert zk.Counter("/counter").value == 40
    for other in others:
        other.stop()
        other.close()


def party(zk):
    other = client()
    host, guest = zk.Party("/party", "host"), other.Party("/party", "guest")
    host.join()
    guest.join()
    assert sorted(host) == ["guest", "host"]
    guest.leave()
    assert list(host) == ["host"]
    host.leave()
    other.stop()
    other.close()


def reconnect(zk):
    states = []
    dropped = client()
    dropped.add_listener(states.append)
    session = dropped.client_id
    dropped.create("/reconnect", b"", ephemeral=True)
    events = []
    dropped.get("/reconnect", watch=events.append)
    dropped._connection._socket.shutdown(socket.SHUT_RDWR)
    until(lambda: KazooState.CONNECTED in states, "reconnect")
    assert states[0] == KazooState.SUSPENDED
    assert dropped.client_id == session
    assert zk.exists("/reconnect")
    zk.set("/reconnect", b"1")
    until(lambda: events, "event of a watch set before")
    assert dropped.get("/reconnect")[0] == b"1"
    dropped.stop()
    dropped.close()


def version(zk):
    assert zk.server_version()[:2] == (3, 9), zk.server_version()
    assert "Mode: standalone" in zk.command(b"srvr")
    assert zk.command(b"ruok") == "imok"


CASES = [
    crud,
    sequences,
    ephemerals,
    watches,
    data_and_children_watches,
    transactions,
    acls,
    many_at_once,
    large,
    lock,
    election,
    barrier,
    queue,
    counter,
    party,
    reconnect,
    version,
]


def main():
    logging.basicConfig(level=logging.ERROR)
    zk = client()
    for case in CASES:
        case(zk)
        print(case.__name__, "ok", flush=True)
    zk.stop()
    zk.close()
    print("all of %d cases" % len(CASES))


main()
