//! Whether the simulator finds what it is there for: each known bug is put
//! back, and seeds run until one fails. It refuses to know where the bugs are.

use crate::args::Args;
use crate::report::profile_of;
use crate::run::{self, Verdict};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A bug's name, and the scenario or the rule that it breaks.
const MUTANTS: &[(&str, &str)] = &[
    // What is acknowledged is on the disk.
    ("ack_before_disk", "S1: acknowledged before it is written"),
    (
        "flush_a_step_behind",
        "S2: acknowledged before it is flushed",
    ),
    (
        "epoch_before_history",
        "S3: currentEpoch before the history",
    ),
    ("epoch_before_sync", "S4: currentEpoch before the DIFF"),
    ("failed_flush_forgotten", "S10: a failed flush is no end"),
    (
        "dead_log_is_survived",
        "S40: the log is dead, the pings go on",
    ),
    ("flush_is_a_lie", "I17: flushes do nothing"),
    (
        "recovered_not_flushed",
        "I17: what was read was not on the disk",
    ),
    (
        "snapshot_not_flushed",
        "S13: a snapshot's name before its bytes",
    ),
    ("epoch_not_flushed", "S34: an epoch's name before its bytes"),
    (
        "epoch_name_not_flushed",
        "I15: an epoch file that may vanish",
    ),
    (
        "epoch_order_refused",
        "S34: no start behind a crash between files",
    ),
    ("promise_not_written", "I16: acceptedEpoch is not written"),
    // What a learner gets.
    (
        "serves_before_up_to_date",
        "S5: served before it is in the tree",
    ),
    (
        "pending_forgotten_at_new_leader",
        "S6: what is pending at NEWLEADER",
    ),
    ("ack_order", "S7: an ACK before that of NEWLEADER"),
    ("late_append", "S8: appended by a role that is over"),
    ("memory_with_holes", "S9: a hole in the leader's memory"),
    (
        "snapshot_stamped_ahead",
        "S11: a snapshot older than its stamp",
    ),
    (
        "snapshot_before_delivery",
        "S11: a snapshot before what it holds",
    ),
    ("installed_not_written", "S12: a snapshot in memory alone"),
    (
        "disk_diff_with_holes",
        "S14: a log that does not reach back",
    ),
    ("empty_gets_a_diff", "S15: an empty server gets a part"),
    (
        "logged_not_applied",
        "S17: a role begins without all of the log",
    ),
    (
        "foreign_zxid_gets_a_diff",
        "S18: a tail within the leader's history",
    ),
    ("nothing_is_cut", "S18: a tail beyond the leader's history"),
    ("cut_too_far", "S19: one transaction too many"),
    ("later_logs_kept", "S19: one log file too few"),
    (
        "logs_below_a_snapshot_kept",
        "S20: stale logs below a snapshot",
    ),
    (
        "tree_kept_after_cut",
        "S21: the log is cut and the tree is not",
    ),
    ("later_snapshots_kept", "S22: a snapshot beyond the cut"),
    ("failed_truncation_forgotten", "S39: a cut that failed"),
    (
        "not_proposed_before_ack",
        "S24: proposals while a learner syncs",
    ),
    // Leaders.
    ("commit_without_quorum", "I12: one disk is enough"),
    (
        "serve_without_quorum",
        "I1: a leader whose history nobody has",
    ),
    ("epoch_without_quorum", "I2: an epoch that nobody accepted"),
    ("epoch_used_twice", "I2: an epoch that somebody accepted"),
    (
        "learner_ahead_taken",
        "I9: a leader with less than its learners",
    ),
    (
        "followers_vote_stays",
        "S35: votes for one leader that differ",
    ),
    ("votes_ignore_history", "I26: the highest id wins"),
    ("elected_without_quorum", "I26: one vote is enough"),
    ("observers_counted", "S38: observers as a part of quorums"),
    (
        "lone_leader_goes_on",
        "S49: a leader that hears nobody stays",
    ),
    ("sync_without_proof", "S50, C6: a sync that asks nobody"),
    // Sessions and clients.
    ("closing_is_open", "S43: creates behind a close"),
    (
        "close_lost_at_the_end_of_a_role",
        "S42: a close that comes as the link breaks",
    ),
    (
        "behind_a_sync_forgotten",
        "S41: what waits behind a sync is not woken",
    ),
    ("owner_never_changes", "S44: moved for good"),
    (
        "unknown_session_taken",
        "S48: a session that is over goes on",
    ),
    ("touches_not_told", "C9: a follower's clients expire"),
    (
        "sessions_not_taken_over",
        "I24: no session of the former leader ends",
    ),
    ("watches_forgotten", "C7: no watch fires"),
    ("client_ahead_taken", "C4: a client goes back in time"),
];

/// How one bug fared.
struct Found {
    seeds: u64,
    how: Option<String>,
}

/// Puts back each bug whose name contains what was asked for.
pub(crate) fn run(args: &Args, part: &str) -> ExitCode {
    let chosen = MUTANTS.iter().filter(|(name, _)| name.contains(part));
    let (mut count, mut survivors, mut seeds) = (0, Vec::new(), Vec::new());
    for (name, what) in chosen {
        zk_proto::mutation::put_back(Some(name));
        let found = hunt(args);
        zk_proto::mutation::put_back(None);
        count += 1;
        match found.how {
            Some(how) => {
                println!("{name} ({what}): found by seed {}: {how}", found.seeds);
                seeds.push(found.seeds);
            }
            None => {
                println!("{name} ({what}): SURVIVED {} seeds", found.seeds);
                survivors.push(*name);
            }
        }
    }
    seeds.sort_unstable();
    let median = seeds.get(seeds.len() / 2).copied().unwrap_or(0);
    let worst = seeds.last().copied().unwrap_or(0);
    println!(
        "mutants: {count}, {} survived {survivors:?}; seeds needed: median {median}, worst {worst}",
        survivors.len()
    );
    if survivors.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs seeds until one fails; the lowest that did.
fn hunt(args: &Args) -> Found {
    let next = AtomicU64::new(0);
    let found: Mutex<Option<(u64, String)>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..args.jobs {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= args.seeds || found.lock().expect(UNSPOILT).is_some() {
                        break;
                    }
                    if let Some(how) = try_seed(args, number + 1) {
                        let mut found = found.lock().expect(UNSPOILT);
                        if found.as_ref().is_none_or(|(first, _)| number + 1 < *first) {
                            *found = Some((number + 1, how));
                        }
                    }
                }
            });
        }
    });
    match found.into_inner().expect(UNSPOILT) {
        Some((seeds, how)) => Found {
            seeds,
            how: Some(how),
        },
        None => Found {
            seeds: args.seeds,
            how: None,
        },
    }
}

const UNSPOILT: &str = "nobody panics with it";

fn try_seed(args: &Args, seed: u64) -> Option<String> {
    let outcome = run::run(seed, profile_of(args, seed), 0);
    match outcome.verdict {
        Verdict::Unsafe(what) | Verdict::Stuck(what) => Some(what),
        // A run that did little was spoilt by the bug, too, but is no proof.
        Verdict::Passed | Verdict::Void(_) => None,
    }
}
