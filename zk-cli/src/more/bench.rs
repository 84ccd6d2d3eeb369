//! How fast an ensemble answers this machine: create, get, set and delete,
//! one session, some requests in flight.

use super::{number, parse};
use crate::commands::create::create_parents;
use crate::commands::{Context, Outcome, on};
use crate::error::CliError;
use crate::flags::{Flag, value};
use futures_util::stream::{self, StreamExt};
use serde_json::json;
use std::time::{Duration, Instant};
use zk_client::{Client, CreateOptions, Error};

pub(super) const ARGUMENTS: &str = "[-n count] [-s bytes] [-c in_flight] [path]";
pub(super) const HELP: &str = "\
  -n count      operations of each kind (10000)
  -s bytes      data of each znode (100)
  -c in_flight  requests on their way at a time (16)
  Works below a new znode, /zk-bench if no path is given, and removes it.";
const FLAGS: &[Flag] = &[value("n"), value("s"), value("c")];

#[derive(Clone, Copy)]
enum Kind {
    Create,
    Get,
    Set,
    Delete,
}

const KINDS: [(Kind, &str); 4] = [
    (Kind::Create, "create"),
    (Kind::Get, "get"),
    (Kind::Set, "set"),
    (Kind::Delete, "delete"),
];

pub(super) async fn bench(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(FLAGS, words, 0..=1)?;
    let root = parsed.words.first();
    let root = root.map_or("/zk-bench".to_owned(), |path| context.path(path));
    let count = number(&parsed, "n", 10_000usize)?;
    let in_flight = number(&parsed, "c", 16usize)?.max(1);
    let data = vec![b'x'; number(&parsed, "s", 100usize)?];
    if count == 0 {
        return Err(CliError::usage("-n 0: nothing to measure"));
    }
    create_parents(context.client, &root)
        .await
        .map_err(on(&root))?;
    let options = CreateOptions::default();
    let created = context.client.create(&root, None, &options).await;
    created.map_err(on(&root))?;
    for (kind, name) in KINDS {
        let measured = measure(context.client, kind, &root, count, in_flight, &data).await;
        let (seconds, times) = measured.map_err(on(&root))?;
        print(context, name, seconds, times);
        context.output.flush();
    }
    context.client.delete(&root, -1).await.map_err(on(&root))
}

/// How long all took, and each.
async fn measure(
    client: &Client,
    kind: Kind,
    root: &str,
    count: usize,
    in_flight: usize,
    data: &[u8],
) -> Result<(Duration, Vec<Duration>), Error> {
    let started = Instant::now();
    let mut running = stream::iter(0..count)
        .map(|number| async move {
            let path = format!("{root}/{number:08}");
            let started = Instant::now();
            let done = run(client, kind, &path, data).await;
            done.map(|()| started.elapsed())
        })
        .buffer_unordered(in_flight);
    let mut times = Vec::with_capacity(count);
    while let Some(time) = running.next().await {
        times.push(time?);
    }
    Ok((started.elapsed(), times))
}

async fn run(client: &Client, kind: Kind, path: &str, data: &[u8]) -> Result<(), Error> {
    match kind {
        Kind::Create => {
            let options = CreateOptions::default();
            client.create(path, Some(data), &options).await.map(drop)
        }
        Kind::Get => client.get_data(path, false).await.map(drop),
        Kind::Set => client.set_data(path, Some(data), -1).await.map(drop),
        Kind::Delete => client.delete(path, -1).await,
    }
}

fn print(context: &Context<'_>, name: &str, all: Duration, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: f64| {
        let index = (times.len() as f64 * part) as usize;
        let time = times.get(index.min(times.len() - 1));
        time.copied().unwrap_or_default().as_secs_f64() * 1000.0
    };
    let per_second = times.len() as f64 / all.as_secs_f64();
    let (p50, p99, max) = (at(0.5), at(0.99), at(1.0));
    if context.json {
        context.value(&json!({
            "operation": name,
            "count": times.len(),
            "perSecond": per_second.round(),
            "p50Ms": p50,
            "p99Ms": p99,
            "maxMs": max,
        }));
        return;
    }
    context.output.line(&format!(
        "{name:<7}{per_second:>10.0}/s   p50 {p50:.3} ms   p99 {p99:.3} ms   max {max:.3} ms"
    ));
}
