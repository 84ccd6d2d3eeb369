//! Every damaged directory whose treatment by Apache was recorded, with our
//! decision beside it. Where they differ the reason is given.

use crate::decisions::Ours::{Refuse, RefuseThough, Same, Start};
use crate::decisions::decision;
use crate::support::{dirs, disk, files, fixture, json, recover, zxid};
use std::collections::BTreeMap;
use zk_log::MemStorage;
use zk_proto::Zxid;

/// The base with a variant's changes.
fn variant(name: &str, behaviour: &serde_json::Value) -> MemStorage {
    let mut all: BTreeMap<_, _> = files("corrupt/intact").into_iter().collect();
    if name != "intact" && fixture(&format!("corrupt/{name}")).is_dir() {
        all.extend(files(&format!("corrupt/{name}")));
    }
    for removed in behaviour["removed_from_base"]
        .as_array()
        .into_iter()
        .flatten()
    {
        all.remove(removed.as_str().unwrap());
    }
    disk(&all.into_iter().collect::<Vec<_>>())
}

#[test]
fn every_recorded_damage_is_decided() {
    let behaviours = json("corrupt/behaviour.json");
    let variants = behaviours["variants"].as_object().unwrap();
    assert_eq!(variants.len(), 51);
    for (name, behaviour) in variants {
        let apache = &behaviour["behaviour"];
        let starts = apache["starts"].as_bool().unwrap();
        let result = recover(&variant(name, behaviour)).map(|(recovered, _)| recovered);
        match decision(name) {
            Same => {
                assert!(
                    starts,
                    "{name}: Apache does not start, so a decision is needed"
                );
                let recovered = result.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(recovered.last_zxid, zxid(&apache["srvr_zxid"]), "{name}");
            }
            Start(last, why) => {
                assert!(
                    !starts || zxid(&apache["srvr_zxid"]) != Zxid(last),
                    "{name}: {why}"
                );
                let recovered = result.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(recovered.last_zxid, Zxid(last), "{name}: {why}");
            }
            Refuse(message) => {
                assert!(!starts, "{name}");
                let error = result.expect_err(name).to_string();
                assert!(error.contains(message), "{name}: {error}");
            }
            RefuseThough(message, why) => {
                assert!(starts, "{name}");
                let error = result.expect_err(why).to_string();
                assert!(error.contains(message), "{name}: {error}");
            }
        }
    }
}

/// Not only the last zxid: the tree is the one that the intact files make.
#[test]
fn what_starts_has_a_prefix_of_the_intact_state() {
    let behaviours = json("corrupt/behaviour.json");
    let variants = behaviours["variants"].as_object().unwrap();
    let state_at = |last: Zxid| {
        let storage = disk(&files("corrupt/intact"));
        if last < Zxid(0x47) {
            zk_log::truncate_after(&storage, &dirs(), last).unwrap();
        }
        recover(&storage).unwrap().1
    };
    for (name, behaviour) in variants {
        // This one is a correct file that holds another history.
        if name == "txn-wrong-digest" {
            continue;
        }
        if let Ok((recovered, model)) = recover(&variant(name, behaviour)) {
            assert_eq!(model, state_at(recovered.last_zxid), "{name}");
        }
    }
}

/// What recovery repairs it repairs for good: a second start finds no more.
#[test]
fn a_torn_tail_is_cut_once() {
    let behaviours = json("corrupt/behaviour.json");
    for (name, behaviour) in behaviours["variants"].as_object().unwrap() {
        let storage = variant(name, behaviour);
        let Ok((first, model)) = recover(&storage) else {
            continue;
        };
        // Durable: what is lost in a crash right now is not the repair.
        let storage = storage.crash(&mut |_| 0);
        let (second, again) = recover(&storage).unwrap();
        assert_eq!(second.last_zxid, first.last_zxid, "{name}");
        assert_eq!(again, model, "{name}");
        assert!(second.torn.is_none() && second.removed.is_empty(), "{name}");
    }
}

#[test]
fn a_record_that_apaches_own_padding_overwrote_is_named() {
    let storage = disk(&files("corrupt/apache-padding-defect"));
    // The zero byte is at 8207, inside the first record; whole ones follow.
    let error = zk_log::read_txns(&storage, &dirs().log_dir, Zxid(0x1_0000_021a), &mut |_| {
        Ok(())
    })
    .unwrap_err()
    .to_string();
    assert!(
        error.contains("log.10000021b is damaged at offset 16: the checksum is"),
        "{error}"
    );
    assert!(error.contains("follows intact at offset"), "{error}");
}
