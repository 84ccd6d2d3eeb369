//! A contender that measures how fast a lock goes from hand to hand: it takes
//! and leaves the lock of two processes so many times, and prints when it did,
//! in nanoseconds since 1970, as `acquired` and `released` lines.
//!
//! `cargo xtask bench lock` starts two of them.
//!
//! `lock_hand_over SERVERS PATH ROUNDS HOLD_US`

#![allow(clippy::print_stdout, reason = "an example speaks")]

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zk_client::Client;
use zk_client::recipes::Lock;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [servers, path, rounds, hold_us] = &arguments[..] else {
        return Err("usage: lock_hand_over SERVERS PATH ROUNDS HOLD_US".into());
    };
    let lock = Lock::new(Client::connect(servers).await?, path.as_str());
    let pause = Duration::from_micros(hold_us.parse()?);
    let mut times = String::new();
    for _ in 0..rounds.parse::<u32>()? {
        let hold = lock.acquire().await?;
        writeln!(times, "acquired {}", now_ns()?)?;
        // Long enough for the other one to stand in the line.
        tokio::time::sleep(pause).await;
        writeln!(times, "released {}", now_ns()?)?;
        hold.release().await?;
    }
    print!("{times}");
    Ok(())
}

fn now_ns() -> Outcome<u128> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())
}
