//! Looks at the files of a stopped server: `inspect DATA_DIR [DATA_LOG_DIR]`.
//! Nothing is changed.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::env;
use std::path::PathBuf;
use zk_log::{FileStorage, LogConfig, LogDirs, LogError, verify};

fn main() -> Result<(), LogError> {
    let mut args = env::args_os().skip(1).map(PathBuf::from);
    let data = args.next().unwrap_or_else(|| PathBuf::from("."));
    let logs = args.next().unwrap_or_else(|| data.clone());
    let dirs = LogDirs::new(&data, &logs);
    let report = verify(&FileStorage, &dirs, &LogConfig::default())?;
    for log in &report.logs {
        let state = log.fault.as_deref().unwrap_or("good");
        println!("{}: {} records, {state}", log.path.display(), log.records);
    }
    for snapshot in &report.snapshots {
        let state = match &snapshot.end {
            Ok(_) => "good".to_owned(),
            Err(error) => error.to_string(),
        };
        println!(
            "{}: {} znodes, {state}",
            snapshot.path.display(),
            snapshot.nodes
        );
    }
    match report.start {
        Ok(zxid) => println!("a server starts at zxid {zxid}"),
        Err(error) => println!("a server does not start: {error}"),
    }
    Ok(())
}
