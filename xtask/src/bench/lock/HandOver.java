// A contender of Curator's that takes and leaves the lock of two processes so
// many times, and prints when it did, in nanoseconds since 1970. It does what
// the example lock_hand_over of zk-client does.

import java.time.Instant;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryNTimes;

public class HandOver {
    static long nowNs() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }

    public static void main(String[] arguments) throws Exception {
        CuratorFramework client = CuratorFrameworkFactory.newClient(arguments[0], new RetryNTimes(10, 100));
        client.start();
        InterProcessMutex mutex = new InterProcessMutex(client, arguments[1]);
        int rounds = Integer.parseInt(arguments[2]);
        long holdUs = Long.parseLong(arguments[3]);
        StringBuilder times = new StringBuilder();
        for (int round = 0; round < rounds; round++) {
            mutex.acquire();
            times.append("acquired ").append(nowNs()).append('\n');
            Thread.sleep(holdUs / 1000);
            times.append("released ").append(nowNs()).append('\n');
            mutex.release();
        }
        System.out.print(times);
        client.close();
    }
}
