//! An unpacked distribution and what its scripts say.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// A directory with the distribution in it, as a user has it.
pub(crate) struct Site {
    root: TempDir,
    home: PathBuf,
    /// The configurations that were started.
    started: Vec<String>,
}

/// What a script said, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: i32,
}

impl Site {
    /// Unpacks what was built.
    pub(crate) fn unpacked() -> Self {
        static PACKED: OnceLock<PathBuf> = OnceLock::new();
        let tarball = PACKED.get_or_init(packed);
        let root = TempDir::new().expect("a temporary directory");
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(tarball).arg("-C").arg(root.path());
        assert!(tar.status().expect("tar runs").success());
        let name = tarball.file_name().expect("a name").to_string_lossy();
        let name = name.strip_suffix(".tar.gz").expect("a tarball");
        let home = root.path().join(name);
        Self {
            root,
            home,
            started: Vec::new(),
        }
    }

    /// Where it was unpacked.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// A directory of the user's own.
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        let path = self.root.path().join(name);
        fs::create_dir_all(&path).expect("a directory");
        path
    }

    /// Copies zoo_sample.cfg, changes lines of it and adds some.
    pub(crate) fn configure(&self, name: &str, changed: &[(&str, &str)], added: &str) {
        let sample = fs::read_to_string(self.home.join("conf/zoo_sample.cfg")).expect("a sample");
        let line = |line: &str| {
            let key = line.split('=').next().expect("a part");
            let change = changed.iter().find(|(changed, _)| *changed == key);
            change.map_or_else(|| line.to_owned(), |(key, value)| format!("{key}={value}"))
        };
        let lines: Vec<String> = sample.lines().map(line).collect();
        let text = format!("{}\n{added}", lines.join("\n"));
        fs::write(self.home.join("conf").join(name), text).expect("a file");
    }

    /// Runs a script of `bin` from the distribution's directory.
    pub(crate) fn run(&self, script: &str, args: &[&str]) -> Said {
        self.run_with(script, args, &[])
    }

    /// The same, with more in the environment.
    pub(crate) fn run_with(&self, script: &str, args: &[&str], env: &[(&str, &str)]) -> Said {
        let mut command = Command::new(format!("bin/{script}"));
        command.args(args).current_dir(&self.home);
        command.env_remove("ZOOCFGDIR").env("USER", "somebody");
        let output = command
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .output()
            .expect("the script runs");
        Said {
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code().expect("it was not killed"),
        }
    }

    /// `zkServer.sh start` with a configuration, which is stopped at the end at the latest.
    pub(crate) fn start(&mut self, config: &str) {
        self.stops_at_the_end(config);
        let said = self.run("zkServer.sh", &["start", config]);
        let log = self.log();
        assert_eq!(
            said.out, "Starting zookeeper ... STARTED\n",
            "{said:?}\n{log}"
        );
        assert_eq!(said.code, 0);
    }

    /// Whatever becomes of the test.
    pub(crate) fn stops_at_the_end(&mut self, config: &str) {
        self.started.push(config.to_owned());
    }

    /// Waits until `zkServer.sh status` tells a mode: ensembles elect first.
    pub(crate) fn mode(&self, config: &str) -> String {
        for _ in 0..300 {
            let said = self.run("zkServer.sh", &["status", config]);
            if let Some((_, mode)) = said.out.split_once("Mode: ") {
                assert_eq!(said.code, 0);
                return mode.trim_end().to_owned();
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("{config} never had a mode:\n{}", self.log());
    }

    /// What the servers wrote.
    pub(crate) fn log(&self) -> String {
        let files = fs::read_dir(self.home.join("logs")).into_iter().flatten();
        let texts = files.map(|file| fs::read_to_string(file.expect("a file").path()));
        texts.map(Result::unwrap_or_default).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for config in &self.started {
            self.run("zkServer.sh", &["stop", config]);
        }
    }
}

/// The tarball that `cargo xtask dist` makes of the release programs.
fn packed() -> PathBuf {
    let server = std::env::var_os("ZK_SERVER_BIN").expect("run `cargo xtask test --only dist`");
    let programs = Path::new(&server).parent().expect("a file in a directory");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dist");
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    xtask.arg("dist").arg("--programs").arg(programs);
    let output = xtask.arg("--out").arg(out).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().last().expect("the tarball").into()
}

/// Ports that nobody listens on.
pub(crate) fn free_ports(count: usize) -> Vec<String> {
    let bind = |_| TcpListener::bind("0.0.0.0:0").expect("a port");
    let held: Vec<TcpListener> = (0..count).map(bind).collect();
    let port = |held: &TcpListener| held.local_addr().expect("its address").port().to_string();
    held.iter().map(port).collect()
}
