// Apache's client library and Curator's recipes against one server, as a
// script: what it prints must be the same for every server.

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.AsyncCallback;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;

public class Clients {
    static final int TIMEOUT_MS = 10_000;

    interface Action {
        Object run() throws Exception;
    }

    static void say(String what, Object value) {
        System.out.println(what + ": " + value);
    }

    /** The value, or the error's code. */
    static void attempt(String what, Action action) throws Exception {
        try {
            say(what, action.run());
        } catch (KeeperException error) {
            say(what, error.code() + " " + error.getPath());
        }
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] data) {
        return data == null ? "null" : new String(data, StandardCharsets.UTF_8);
    }

    static String numbers(Stat stat) {
        return stat.getVersion() + " " + stat.getCversion() + " " + stat.getAversion() + " "
            + stat.getDataLength() + " " + stat.getNumChildren();
    }

    /** Events as they come. */
    static class Events implements Watcher {
        final LinkedBlockingQueue<WatchedEvent> queue = new LinkedBlockingQueue<>();

        public void process(WatchedEvent event) {
            if (event.getType() != Event.EventType.None) {
                queue.add(event);
            }
        }

        String next() throws InterruptedException {
            WatchedEvent event = queue.poll(20, TimeUnit.SECONDS);
            return event == null ? "nothing" : event.getType() + " " + event.getPath();
        }
    }

    static ZooKeeper connect(String host) throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper zk = new ZooKeeper(host, TIMEOUT_MS, event -> {
            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                connected.countDown();
            }
        });
        if (!connected.await(20, TimeUnit.SECONDS)) {
            throw new IllegalStateException("no connection");
        }
        return zk;
    }

    static void basics(ZooKeeper zk) throws Exception {
        List<ACL> open = Ids.OPEN_ACL_UNSAFE;
        attempt("create", () -> zk.create("/java", bytes("one"), open, CreateMode.PERSISTENT));
        attempt("again", () -> zk.create("/java", null, open, CreateMode.PERSISTENT));
        Stat stat = new Stat();
        attempt("create2", () -> zk.create("/java/a", bytes("x"), open, CreateMode.PERSISTENT, stat));
        say("its stat", numbers(stat));
        attempt("ttl", () ->
            zk.create("/java/ttl", null, open, CreateMode.PERSISTENT_WITH_TTL, stat, 60_000));
        attempt("container", () -> zk.create("/java/c", null, open, CreateMode.CONTAINER));
        attempt("sequential", () ->
            zk.create("/java/s-", null, open, CreateMode.EPHEMERAL_SEQUENTIAL));
        attempt("below an ephemeral", () ->
            zk.create("/java/s-0000000003/x", null, open, CreateMode.PERSISTENT));
        attempt("get", () -> text(zk.getData("/java", false, stat)) + " " + numbers(stat));
        attempt("null data", () -> text(zk.getData("/java/c", false, stat)));
        attempt("set", () -> numbers(zk.setData("/java", bytes("two"), 0)));
        attempt("wrong version", () -> numbers(zk.setData("/java", bytes("three"), 0)));
        attempt("children", () -> new TreeSet<>(zk.getChildren("/java", false)));
        attempt("number", () -> zk.getAllChildrenNumber("/java"));
        attempt("ephemerals", () -> zk.getEphemerals());
        attempt("not empty", () -> {
            zk.delete("/java", -1);
            return "deleted";
        });
        attempt("none", () -> zk.exists("/none", false));
        attempt("none", () -> zk.getChildren("/none", false));
        attempt("config", () -> text(zk.getConfig(false, stat)));
        attempt("who", () -> zk.whoAmI());
    }

    static void rights(ZooKeeper zk, ZooKeeper other) throws Exception {
        zk.addAuthInfo("digest", bytes("java:secret"));
        attempt("create", () -> zk.create("/java-acl", null, Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT));
        attempt("acl", () -> zk.getACL("/java-acl", new Stat()));
        attempt("refused", () -> text(other.getData("/java-acl", false, null)));
        attempt("refused", () -> other.setACL("/java-acl", Ids.OPEN_ACL_UNSAFE, -1));
        List<ACL> acl = new ArrayList<>(Ids.CREATOR_ALL_ACL);
        acl.add(new ACL(Perms.READ, new Id("world", "anyone")));
        attempt("set acl", () -> numbers(zk.setACL("/java-acl", acl, 0)));
        attempt("allowed", () -> text(other.getData("/java-acl", false, null)));
        attempt("masked", () -> other.getACL("/java-acl", new Stat()));
        attempt("refused", () -> other.create("/java-acl/x", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT));
        attempt("invalid", () -> zk.setACL("/java-acl", Collections.singletonList(
            new ACL(Perms.ALL, new Id("digest", "nocolon"))), -1));
    }

    static void multis(ZooKeeper zk) throws Exception {
        List<ACL> open = Ids.OPEN_ACL_UNSAFE;
        List<OpResult> results = zk.multi(Arrays.asList(
            Op.create("/java/m", null, open, CreateMode.PERSISTENT),
            Op.create("/java/m/s-", null, open, CreateMode.PERSISTENT_SEQUENTIAL),
            Op.setData("/java/m", bytes("x"), 0),
            Op.check("/java/m", 1),
            Op.delete("/java/m/s-0000000000", -1)));
        for (OpResult result : results) {
            say("multi", result.getClass().getSimpleName() + " " + result.getType());
        }
        try {
            zk.multi(Arrays.asList(
                Op.create("/java/m/x", null, open, CreateMode.PERSISTENT),
                Op.check("/java/m", 7),
                Op.delete("/java", -1)));
        } catch (KeeperException error) {
            say("failed", error.code());
            for (OpResult result : error.getResults()) {
                say("multi", ((OpResult.ErrorResult) result).getErr());
            }
        }
        attempt("nothing done", () -> zk.exists("/java/m/x", false));
        for (OpResult result : zk.multi(Arrays.asList(
            Op.getData("/java/m"), Op.getChildren("/java/m"), Op.getData("/none")))) {
            say("multi read", result.getClass().getSimpleName() + " " + result.getType());
        }
    }

    static void watches(ZooKeeper zk, ZooKeeper other) throws Exception {
        Events events = new Events();
        zk.exists("/java-watch", events);
        other.create("/java-watch", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        say("event", events.next());
        zk.getData("/java-watch", events, null);
        zk.getChildren("/java-watch", events);
        other.setData("/java-watch", bytes("1"), -1);
        say("event", events.next());
        other.create("/java-watch/a", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        say("event", events.next());
        zk.addWatch("/java-watch", events, AddWatchMode.PERSISTENT_RECURSIVE);
        other.setData("/java-watch/a", bytes("1"), -1);
        other.create("/java-watch/a/b", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        other.delete("/java-watch/a/b", -1);
        for (int n = 0; n < 3; n++) {
            say("event", events.next());
        }
        zk.removeWatches("/java-watch", events, Watcher.WatcherType.Any, false);
        say("event", events.next());
        attempt("no watcher", () -> {
            zk.removeAllWatches("/java-watch", Watcher.WatcherType.Any, false);
            return "removed";
        });
        Events persistent = new Events();
        zk.addWatch("/java-watch", persistent, AddWatchMode.PERSISTENT);
        other.create("/java-watch/c", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        other.setData("/java-watch", bytes("2"), -1);
        other.setData("/java-watch", bytes("3"), -1);
        for (int n = 0; n < 3; n++) {
            say("event", persistent.next());
        }
    }

    /** Many requests in flight: the answers come in order. */
    static void pipelined(ZooKeeper zk) throws Exception {
        int count = 1000;
        CountDownLatch left = new CountDownLatch(count);
        List<Object> order = Collections.synchronizedList(new ArrayList<>());
        zk.create("/java-many", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        AsyncCallback.StringCallback done = (rc, path, context, name) -> {
            order.add(rc == 0 ? context : rc);
            left.countDown();
        };
        for (int n = 0; n < count; n++) {
            String path = "/java-many/" + n;
            zk.create(path, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT, done, n);
        }
        say("in time", left.await(30, TimeUnit.SECONDS));
        boolean sorted = true;
        for (int n = 0; n < count; n++) {
            sorted &= order.get(n).equals(n);
        }
        say("in order", sorted);
        say("children", zk.getChildren("/java-many", false).size());
    }

    /** The same session over another connection. */
    static void resume(String host, ZooKeeper other) throws Exception {
        ZooKeeper first = connect(host);
        first.create("/java-resume", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper second = new ZooKeeper(host, TIMEOUT_MS, event -> connected.countDown(),
            first.getSessionId(), first.getSessionPasswd());
        say("resumed", connected.await(20, TimeUnit.SECONDS));
        say("same", second.getSessionId() == first.getSessionId());
        say("ephemerals", second.getEphemerals());
        Events events = new Events();
        other.exists("/java-resume", events);
        second.close();
        say("event", events.next());
        first.close();
    }

    static void curator(String host) throws Exception {
        try (CuratorFramework one = CuratorFrameworkFactory.newClient(host, new RetryOneTime(100));
             CuratorFramework two = CuratorFrameworkFactory.newClient(host, new RetryOneTime(100))) {
            one.start();
            two.start();
            InterProcessMutex mine = new InterProcessMutex(one, "/curator/lock");
            InterProcessMutex yours = new InterProcessMutex(two, "/curator/lock");
            say("mine", mine.acquire(20, TimeUnit.SECONDS));
            say("yours", yours.acquire(200, TimeUnit.MILLISECONDS));
            mine.release();
            say("yours", yours.acquire(20, TimeUnit.SECONDS));
            yours.release();
            InterProcessReadWriteLock shared = new InterProcessReadWriteLock(one, "/curator/rw");
            say("read", shared.readLock().acquire(20, TimeUnit.SECONDS));
            InterProcessReadWriteLock other = new InterProcessReadWriteLock(two, "/curator/rw");
            say("read too", other.readLock().acquire(20, TimeUnit.SECONDS));
            say("write", other.writeLock().acquire(200, TimeUnit.MILLISECONDS));
            LeaderLatch latch = new LeaderLatch(one, "/curator/leader", "one");
            latch.start();
            latch.await();
            LeaderLatch next = new LeaderLatch(two, "/curator/leader", "two");
            next.start();
            latch.close();
            next.await();
            say("leader", next.getLeader().getId());
            next.close();
            DistributedAtomicLong sum = new DistributedAtomicLong(one, "/curator/sum", new RetryOneTime(100));
            for (int n = 0; n < 10; n++) {
                sum.add((long) n);
            }
            say("sum", sum.get().postValue());
            SimpleDistributedQueue queue = new SimpleDistributedQueue(two, "/curator/queue");
            queue.offer(bytes("a"));
            queue.offer(bytes("b"));
            say("queue", text(queue.take()) + text(queue.take()));
            cache(one, two);
        }
    }

    static void cache(CuratorFramework one, CuratorFramework two) throws Exception {
        LinkedBlockingQueue<String> seen = new LinkedBlockingQueue<>();
        try (CuratorCache cache = CuratorCache.build(one, "/curator/cache")) {
            CountDownLatch ready = new CountDownLatch(1);
            cache.listenable().addListener((type, before, after) ->
                seen.add(type + " " + (after == null ? before : after).getPath()));
            cache.listenable().addListener(
                org.apache.curator.framework.recipes.cache.CuratorCacheListener.builder()
                    .forInitialized(ready::countDown).build());
            cache.start();
            say("cache", ready.await(20, TimeUnit.SECONDS));
            two.create().creatingParentsIfNeeded().forPath("/curator/cache/a", bytes("1"));
            say("seen", seen.poll(20, TimeUnit.SECONDS));
            say("seen", seen.poll(20, TimeUnit.SECONDS));
            two.delete().forPath("/curator/cache/a");
            say("seen", seen.poll(20, TimeUnit.SECONDS));
        }
    }

    public static void main(String[] args) throws Exception {
        ZooKeeper zk = connect(args[0]);
        ZooKeeper other = connect(args[0]);
        say("timeout", zk.getSessionTimeout());
        basics(zk);
        rights(zk, other);
        multis(zk);
        watches(zk, other);
        pipelined(zk);
        resume(args[0], other);
        zk.close();
        other.close();
        curator(args[0]);
        System.out.println("done");
        System.exit(0);
    }
}
