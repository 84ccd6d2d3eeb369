// The load from Apache's Java client, as the Rust programs put it: asynchronous calls, of which
// each answer makes the next one.

import java.lang.management.ManagementFactory;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import org.apache.zookeeper.AsyncCallback;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

public class Load {
    static final String PATH = "/clients";
    static final byte[] DATA = new byte[100];
    static final LongAdder COUNT = new LongAdder();
    static volatile boolean over;
    static ZooKeeper client;

    public static void main(String[] args) throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        client = new ZooKeeper(args[0], 30000, event -> {
            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                connected.countDown();
            }
        });
        connected.await();
        try {
            client.create(PATH, DATA, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        } catch (KeeperException.NodeExistsException there) {
            // An earlier run made it.
        }
        Runnable next = args[1].equals("set") ? Load::write : Load::read;
        for (int task = 0; task < Integer.parseInt(args[2]); task++) {
            next.run();
        }
        Thread.sleep(1000L * Integer.parseInt(args[3]));
        long count = COUNT.sum();
        long used = used();
        long began = System.nanoTime();
        Thread.sleep(1000L * Integer.parseInt(args[4]));
        System.out.println((COUNT.sum() - count) + " " + (used() - used) + " "
            + (System.nanoTime() - began));
        over = true;
        System.exit(0);
    }

    static void read() {
        AsyncCallback.DataCallback answered = (code, path, context, data, stat) -> {
            if (code == 0) {
                COUNT.increment();
            }
            if (!over) {
                read();
            }
        };
        client.getData(PATH, false, answered, null);
    }

    static void write() {
        AsyncCallback.StatCallback answered = (code, path, context, stat) -> {
            if (code == 0) {
                COUNT.increment();
            }
            if (!over) {
                write();
            }
        };
        client.setData(PATH, DATA, -1, answered, null);
    }

    static long used() {
        var system = ManagementFactory.getOperatingSystemMXBean();
        return ((com.sun.management.OperatingSystemMXBean) system).getProcessCpuTime();
    }
}
