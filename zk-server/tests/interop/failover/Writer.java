// One session of Apache's client library that writes and watches all the time
// while servers come and go. Called with a connect string and a path; says
// "ready", then "wrote N" now and then. When its input ends it looks at what
// must be there and says "done N".

import java.nio.charset.StandardCharsets;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

public class Writer {
    static final int TIMEOUT_MS = 30_000;
    static final int PATIENCE_S = 60;
    static final int SAID_EVERY = 20;

    interface Action<T> {
        T run() throws Exception;
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }

    /** What may be asked again is asked until a server answers. */
    static <T> T insist(Action<T> action) throws Exception {
        while (true) {
            try {
                return action.run();
            } catch (KeeperException.ConnectionLossException lost) {
                Thread.sleep(5);
            }
        }
    }

    static byte[] bytes(int number) {
        return Integer.toString(number).getBytes(StandardCharsets.UTF_8);
    }

    final ZooKeeper client;
    final String path;
    final LinkedBlockingQueue<EventType> events = new LinkedBlockingQueue<>();

    Writer(String servers, String path) throws Exception {
        this.client = new ZooKeeper(servers, TIMEOUT_MS, event -> {});
        this.path = path;
    }

    void create() throws Exception {
        insist(() -> {
            try {
                return client.create(path, bytes(0), Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
            } catch (KeeperException.NodeExistsException exists) {
                return path;
            }
        });
    }

    /** Sets a number, once, whatever becomes of the connection meanwhile. */
    void write(int number) throws Exception {
        insist(() -> client.getData(path, event -> fired(event.getType()), null));
        while (true) {
            try {
                client.setData(path, bytes(number), number - 1);
                break;
            } catch (KeeperException.ConnectionLossException lost) {
                if (version() == number) {
                    break;
                }
            }
        }
        EventType fired = events.poll(PATIENCE_S, TimeUnit.SECONDS);
        check(fired == EventType.NodeDataChanged, "the watch before " + number + " says " + fired);
    }

    /** Watches hear of lost connections, too, and stay. */
    void fired(EventType type) {
        if (type != EventType.None) {
            events.add(type);
        }
    }

    int version() throws Exception {
        return insist(() -> {
            client.sync(path, (rc, at, context) -> {}, null);
            return client.exists(path, false).getVersion();
        });
    }

    void checkWhatIsThere(int number, long session) throws Exception {
        Stat stat = new Stat();
        byte[] data = insist(() -> client.getData(path, false, stat));
        check(new String(data, StandardCharsets.UTF_8).equals(Integer.toString(number)), "other data");
        check(stat.getVersion() == number, "version " + stat.getVersion() + ", not " + number);
        check(stat.getEphemeralOwner() == session, "another owner");
        check(client.getSessionId() == session, "another session");
        check(events.isEmpty(), "a watch fired twice");
    }

    public static void main(String[] args) throws Exception {
        Writer writer = new Writer(args[0], args[1]);
        writer.create();
        long session = writer.client.getSessionId();
        System.out.println("ready");
        int number = 0;
        while (System.in.available() == 0) {
            number++;
            writer.write(number);
            if (number % SAID_EVERY == 0) {
                System.out.println("wrote " + number);
            }
        }
        writer.checkWhatIsThere(number, session);
        writer.client.close();
        System.out.println("done " + number);
    }
}
