//! A made-up history on a disk in memory: a log, snapshots, epochs, and the
//! state at every zxid, to compare what survives with what was.

use crate::model::Model;
use crate::support::{Rng, config, dirs};
use std::collections::BTreeMap;
use std::sync::Arc;
use zk_log::{LogConfig, LogError, SnapshotWriter, Storage, TxnLog};
use zk_proto::snapshot::SnapshotDigest;
use zk_proto::txn::{CreateTxn, SetDataTxn, Txn};
use zk_proto::{Acl, Buffer, Epoch, ErrorCode, Perms, Ustr, Zxid};

/// What a client does next. The same for the same zxid, so that a history can
/// be continued after a crash.
pub(crate) fn payload(model: &mut Model, zxid: Zxid) -> Vec<u8> {
    let mut rng = Rng(zxid.0.cast_unsigned());
    let data: Vec<u8> = (0..size(&mut rng)).map(|_| rng.next() as u8 | 1).collect();
    let data = Some(Buffer(&data));
    let path = format!("/n{}", rng.below(24));
    let exists = model.nodes.contains_key(&path);
    let txn = match rng.below(10) {
        0 => Txn::CreateSession(4000),
        1 => Txn::CloseSession(None),
        2 => Txn::Error(ErrorCode(-101)),
        3 if exists => Txn::Delete(Ustr::from(path.as_str())),
        _ if exists => Txn::SetData(SetDataTxn {
            path: path.as_str().into(),
            data,
            version: model.nodes[&path].stat.version + 1,
        }),
        turn => Txn::Create(CreateTxn {
            path: path.as_str().into(),
            data,
            acl: Some(vec![if turn > 7 {
                Acl::open()
            } else {
                Acl::new(Perms::READ, "ip", "10.0.0.1")
            }]),
            ephemeral: turn == 4,
            parent_cversion: -1,
        }),
    };
    model.write(zxid, 0x77 + zxid.0 % 3, txn)
}

/// Mostly small, now and then more than a sector, a page, a step.
fn size(rng: &mut Rng) -> usize {
    match rng.below(12) {
        0 => 600 + rng.below(1000),
        1 => 5000 + rng.below(3000),
        _ => rng.below(60),
    }
}

/// The zxid after `last`: every 40 transactions a new epoch begins.
pub(crate) fn next(last: Zxid) -> Zxid {
    if last.counter() >= 40 {
        Zxid::new(Epoch(last.epoch().0 + 1), 1)
    } else {
        Zxid(last.0 + 1)
    }
}

/// A server's life with its files, and what it knows to be durable.
pub(crate) struct Life {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) config: LogConfig,
    pub(crate) model: Model,
    pub(crate) log: TxnLog,
    /// The state at every zxid of this life.
    pub(crate) states: BTreeMap<Zxid, Model>,
    /// The last transaction that was acknowledged.
    pub(crate) promised: Zxid,
}

impl Life {
    /// Starts on what is there, as a server does.
    pub(crate) fn start(storage: Arc<dyn Storage>) -> Result<Self, LogError> {
        Self::start_with(storage, config())
    }

    pub(crate) fn start_with(
        storage: Arc<dyn Storage>,
        config: LogConfig,
    ) -> Result<Self, LogError> {
        let mut model = Model::default();
        let recovered = zk_log::recover(&*storage, &dirs(), &config, &mut model)?;
        if recovered.empty {
            model = Model::fresh();
        }
        let last = recovered.last_zxid;
        let log = TxnLog::open(storage.clone(), &dirs().log_dir, &config, last);
        let mut life = Self {
            states: BTreeMap::from([(last, model.clone())]),
            storage,
            config,
            model,
            log,
            promised: last,
        };
        if recovered.empty {
            life.snapshot()?;
        }
        Ok(life)
    }

    /// Appends and flushes `count` transactions at once.
    pub(crate) fn batch(&mut self, count: usize) -> Result<(), LogError> {
        for _ in 0..count {
            let zxid = next(self.log.last_zxid());
            let payload = payload(&mut self.model, zxid);
            self.states.insert(zxid, self.model.clone());
            self.log.append(zxid, &payload)?;
        }
        self.log.flush()?;
        self.promised = self.log.last_zxid();
        Ok(())
    }

    pub(crate) fn snapshot(&mut self) -> Result<(), LogError> {
        let zxid = self.model.last;
        let mut writer = SnapshotWriter::create(self.storage.clone(), &dirs(), &self.config, zxid)?;
        for chunk in self.model.content().chunks(1000) {
            writer.write(chunk)?;
        }
        let digest = SnapshotDigest {
            zxid,
            version: 2,
            tree: self.model.digest(),
        };
        writer.finish(Some(digest), Some(zxid)).map(drop)
    }

    /// Two batches, a snapshot with a new log, and so on, and a purge.
    pub(crate) fn work(&mut self, rounds: usize) -> Result<(), LogError> {
        for round in 1..=rounds {
            self.batch(1 + round % 5)?;
            self.batch(7)?;
            if round % 2 == 0 {
                self.log.roll()?;
                self.snapshot()?;
            }
            if round % 8 == 0 {
                zk_log::purge(&*self.storage, &dirs(), 3)?;
            }
        }
        Ok(())
    }
}

/// Recovers a disk and compares with what was: nothing promised is lost, and
/// the state is one that there was.
#[track_caller]
pub(crate) fn check(
    storage: &dyn Storage,
    states: &BTreeMap<Zxid, Model>,
    promised: Zxid,
    context: &str,
) {
    let (recovered, model) = match crate::support::recover(storage) {
        Ok(it) => it,
        Err(error) => panic!("{context}: {error}"),
    };
    let last = recovered.last_zxid;
    assert!(
        last >= promised,
        "{context}: {promised} was lost, {last} is left"
    );
    if recovered.empty {
        return;
    }
    let state = states.get(&last);
    let state = state.unwrap_or_else(|| panic!("{context}: {last} never was"));
    assert_eq!(&model.nodes, &state.nodes, "{context} at {last}");
    assert_eq!(&model.sessions, &state.sessions, "{context} at {last}");
}
