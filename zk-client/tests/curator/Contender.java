// A contender of Curator's, told what to do line by line on stdin. It answers
// each line with one on stdout: what it got, or "error" and why.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.leader.Participant;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.queue.DistributedPriorityQueue;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;

public class Contender {
    static final int PATIENCE_S = 120;

    final CuratorFramework client;
    final Map<String, Object> things = new HashMap<>();
    final List<Lease> leases = new ArrayList<>();
    final LinkedBlockingQueue<String> items = new LinkedBlockingQueue<>();
    final LinkedBlockingQueue<String> leads = new LinkedBlockingQueue<>();
    final LinkedBlockingQueue<String> resigns = new LinkedBlockingQueue<>();

    Contender(String servers, int timeoutMs) {
        client = CuratorFrameworkFactory.newClient(servers, timeoutMs, 30_000, new RetryNTimes(100, 50));
        client.start();
    }

    interface Maker<T> {
        T make() throws Exception;
    }

    /** The recipe of this kind at this path, the same each time. */
    @SuppressWarnings("unchecked")
    <T> T thing(String kind, String path, Maker<T> maker) throws Exception {
        String key = kind + " " + path;
        if (!things.containsKey(key)) {
            things.put(key, maker.make());
        }
        return (T) things.get(key);
    }

    InterProcessMutex mutex(String path) throws Exception {
        return thing("mutex", path, () -> new InterProcessMutex(client, path));
    }

    InterProcessReadWriteLock rwlock(String path) throws Exception {
        return thing("rwlock", path, () -> new InterProcessReadWriteLock(client, path));
    }

    InterProcessSemaphoreV2 semaphore(String path) throws Exception {
        return thing("semaphore", path, () -> new InterProcessSemaphoreV2(client, path, 2));
    }

    LeaderLatch latch(String path) throws Exception {
        return thing("latch", path, () -> {
            LeaderLatch latch = new LeaderLatch(client, path, "java");
            latch.start();
            return latch;
        });
    }

    LeaderSelector selector(String path) throws Exception {
        return thing("selector", path, () -> {
            LeaderSelector selector = new LeaderSelector(client, path, new LeaderSelectorListenerAdapter() {
                @Override
                public void takeLeadership(CuratorFramework ignored) throws Exception {
                    leads.put("leads");
                    resigns.take();
                }
            });
            selector.setId("java");
            selector.start();
            return selector;
        });
    }

    DistributedDoubleBarrier doubleBarrier(String path) throws Exception {
        return thing("double", path, () -> new DistributedDoubleBarrier(client, path, 2));
    }

    SharedCount count(String path) throws Exception {
        return thing("count", path, () -> {
            SharedCount count = new SharedCount(client, path, 5);
            count.start();
            return count;
        });
    }

    GroupMember member(String path) throws Exception {
        return thing("member", path, () -> {
            GroupMember member = new GroupMember(client, path, "java", bytes("from java"));
            member.start();
            return member;
        });
    }

    DistributedPriorityQueue<String> priorities(String path) throws Exception {
        return thing("priorities", path, () -> {
            DistributedPriorityQueue<String> queue =
                    QueueBuilder.builder(client, null, new Texts(), path).buildPriorityQueue(0);
            queue.start();
            return queue;
        });
    }

    DistributedPriorityQueue<String> consumer(String path) throws Exception {
        return thing("consumer", path, () -> {
            DistributedPriorityQueue<String> queue =
                    QueueBuilder.builder(client, new Consumer(), new Texts(), path).buildPriorityQueue(0);
            queue.start();
            return queue;
        });
    }

    class Consumer implements QueueConsumer<String> {
        @Override
        public void consumeMessage(String message) {
            items.add(message);
        }

        @Override
        public void stateChanged(CuratorFramework ignored, ConnectionState state) {}
    }

    static class Texts implements QueueSerializer<String> {
        @Override
        public byte[] serialize(String item) {
            return bytes(item);
        }

        @Override
        public String deserialize(byte[] bytes) {
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** How many times the lock at a path is taken and left, with a look around. */
    String rounds(String path, int count) throws Exception {
        InterProcessMutex mutex = mutex(path);
        for (int round = 0; round < count; round++) {
            mutex.acquire();
            String inside = path + "-inside";
            // Somebody else inside makes this fail.
            client.create().forPath(inside);
            client.delete().forPath(inside);
            mutex.release();
        }
        return "done";
    }

    String act(String[] line) throws Exception {
        String path = line.length > 1 ? line[1] : "";
        String rest = line.length > 2 ? line[2] : "";
        switch (line[0]) {
            case "lock": return "" + mutex(path).acquire(PATIENCE_S, TimeUnit.SECONDS);
            case "try-lock": return "" + mutex(path).acquire(0, TimeUnit.SECONDS);
            case "unlock": mutex(path).release(); return "done";
            case "rounds": return rounds(path, Integer.parseInt(rest));
            case "read": return "" + rwlock(path).readLock().acquire(PATIENCE_S, TimeUnit.SECONDS);
            case "try-read": return "" + rwlock(path).readLock().acquire(0, TimeUnit.SECONDS);
            case "unread": rwlock(path).readLock().release(); return "done";
            case "write": return "" + rwlock(path).writeLock().acquire(PATIENCE_S, TimeUnit.SECONDS);
            case "try-write": return "" + rwlock(path).writeLock().acquire(0, TimeUnit.SECONDS);
            case "unwrite": rwlock(path).writeLock().release(); return "done";
            case "lease": leases.add(semaphore(path).acquire()); return "done";
            case "try-lease": return "" + (semaphore(path).acquire(200, TimeUnit.MILLISECONDS) != null);
            case "unlease": semaphore(path).returnLease(leases.remove(0)); return "done";
            case "latch": latch(path); return "done";
            case "latched": return "" + latch(path).await(PATIENCE_S, TimeUnit.SECONDS);
            case "leads": return "" + latch(path).hasLeadership();
            case "leader": return latch(path).getLeader().getId();
            case "unlatch": latch(path).close(); return "done";
            case "select": selector(path); return "done";
            case "selected": return "" + leads.poll(PATIENCE_S, TimeUnit.SECONDS);
            case "elected": return selector(path).getLeader().getId();
            case "resign": resigns.put(""); return "done";
            case "set-barrier": new DistributedBarrier(client, path).setBarrier(); return "done";
            case "remove-barrier": new DistributedBarrier(client, path).removeBarrier(); return "done";
            case "wait": return "" + new DistributedBarrier(client, path).waitOnBarrier(PATIENCE_S, TimeUnit.SECONDS);
            case "enter": return "" + doubleBarrier(path).enter(PATIENCE_S, TimeUnit.SECONDS);
            case "leave": return "" + doubleBarrier(path).leave(PATIENCE_S, TimeUnit.SECONDS);
            case "offer": return "" + new SimpleDistributedQueue(client, path).offer(bytes(rest));
            case "take": return new String(new SimpleDistributedQueue(client, path).take(), StandardCharsets.UTF_8);
            case "put": priorities(path).put(rest.substring(2), rest.charAt(0) - '0'); priorities(path).flushPuts(PATIENCE_S, TimeUnit.SECONDS); return "done";
            case "consume": consumer(path); return items.poll(PATIENCE_S, TimeUnit.SECONDS);
            case "count": return "" + count(path).getCount();
            case "set-count": count(path).setCount(Integer.parseInt(rest)); return "done";
            case "add": return "" + new DistributedAtomicLong(client, path, new RetryNTimes(100, 1)).add(Long.parseLong(rest)).postValue();
            case "join": member(path); return "done";
            case "members": return "" + new java.util.TreeSet<>(member(path).getCurrentMembers().keySet());
            case "quit": member(path).close(); return "done";
            default: return "error: no such command";
        }
    }

    public static void main(String[] arguments) throws Exception {
        Contender contender = new Contender(arguments[0], Integer.parseInt(arguments[1]));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.out.println("ready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try {
                System.out.println(contender.act(line.split(" ", 3)));
            } catch (Exception error) {
                System.out.println("error: " + error);
            }
        }
        // Executors of recipes would keep the process alive.
        contender.client.close();
        System.exit(0);
    }
}
