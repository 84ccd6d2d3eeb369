//! kazoo, the Python client, against our server.

use crate::support::environment;
use crate::support::process::{Process, Program};
use std::path::Path;
use std::process::Command;

#[test]
fn kazoo_finds_nothing_wrong() {
    let Some(python) = environment::path("ZK_PYTHON") else {
        return;
    };
    let server = Process::start(Program::ours(), "tickTime=500\nmaxClientCnxns=0\n");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/kazoo_suite.py");
    let output = Command::new(python)
        .arg(script)
        .arg(server.address().to_string())
        .output()
        .expect("Python runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    print!("{said}");
    assert!(output.status.success(), "{errors}\n{}", server.log());
    assert!(said.contains("all of "), "{errors}");
}
