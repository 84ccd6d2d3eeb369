//! The load that every client puts on a server: so many tasks on one session,
//! each with one operation under way at a time. It knows no client.
//!
//! What is counted begins after a warm-up. A program prints one line:
//! operations, nanoseconds of processor time, nanoseconds of time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::LocalSet;

/// Bytes of data of the znode that is read and written.
pub const BYTES: usize = 100;

/// The znode.
pub const PATH: &str = "/clients";

/// What to do, from the command line: address, operation, tasks, seconds of
/// warm-up, seconds that are counted.
#[derive(Debug, Clone)]
pub struct Load {
    /// The server.
    pub address: String,
    /// Whether znodes are written, not read.
    pub writes: bool,
    tasks: usize,
    warm_up: Duration,
    counted: Duration,
}

impl Load {
    /// From this program's arguments.
    ///
    /// # Panics
    /// When they are others.
    #[must_use]
    pub fn from_args() -> Self {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let [address, operation, tasks, warm_up, counted] = &args[..] else {
            panic!("ADDRESS get|set TASKS WARM-UP SECONDS");
        };
        let seconds = |text: &str| Duration::from_secs(text.parse().expect("a number of seconds"));
        Self {
            address: address.clone(),
            writes: operation == "set",
            tasks: tasks.parse().expect("a number of tasks"),
            warm_up: seconds(warm_up),
            counted: seconds(counted),
        }
    }

    /// Repeats an operation in every task until the time is over, and prints
    /// what it cost.
    ///
    /// # Panics
    /// When the system does not tell the processor time.
    pub async fn run<F: Future<Output = ()> + 'static>(
        &self,
        operation: impl Fn() -> F + Clone + 'static,
    ) {
        let local = LocalSet::new();
        let (count, over) = (Rc::new(Cell::new(0u64)), Rc::new(Cell::new(false)));
        for _ in 0..self.tasks {
            let (operation, count, over) = (operation.clone(), count.clone(), over.clone());
            local.spawn_local(async move {
                while !over.get() {
                    operation().await;
                    count.set(count.get() + 1);
                }
            });
        }
        local
            .run_until(async {
                tokio::time::sleep(self.warm_up).await;
                let before = (count.get(), processor_ns(), Instant::now());
                tokio::time::sleep(self.counted).await;
                let operations = count.get() - before.0;
                let (used, passed) = (processor_ns() - before.1, before.2.elapsed());
                println!("{operations} {used} {}", passed.as_nanos());
                over.set(true);
            })
            .await;
    }
}

/// What this process, all its threads, has used so far; from the kernel's
/// count for each, which is exact.
fn processor_ns() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux tells of threads");
    let of = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    tasks.flatten().filter_map(of).sum()
}
