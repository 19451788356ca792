//! What the end-to-end tests share: the real parts of `tests/peers`, child processes that never
//! outlive their test, waiting with a deadline, and a small HTTP client.
//!
//! A test that needs a part begins with
//! `let Some(prometheus) = require(Part::Prometheus) else { return };`
//! and is skipped by name where the part is not there.

#![allow(dead_code)] // every test binary compiles this module and uses its own share of it
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test stops at the first surprise

pub mod http;
pub mod process;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use process::Process;

/// How long a part may take to be ready, or a condition to come true, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A real part or a receiver that a test needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `tests/peers/receivers.py`: Slack, PagerDuty and a webhook.
    Receivers,
    /// `tests/peers/exporter.py`: series that the test sets.
    Exporter,
    /// `tests/peers/prometheus.sh`: Debian's Prometheus.
    Prometheus,
    /// `tests/peers/alertmanager.sh`: Debian's Alertmanager, and its amtool.
    Alertmanager,
    /// `tests/peers/smtp.py`: a fast SMTP server with faults.
    Smtp,
    /// `tests/peers/postfix.sh`: Postfix and Dovecot.
    Postfix,
}

impl Part {
    /// The part's name in `WATCHBELL_SKIP_<NAME>`.
    fn name(self) -> &'static str {
        match self {
            Self::Receivers => "RECEIVERS",
            Self::Exporter => "EXPORTER",
            Self::Prometheus => "PROMETHEUS",
            Self::Alertmanager => "ALERTMANAGER",
            Self::Smtp => "SMTP",
            Self::Postfix => "POSTFIX",
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Receivers => "receivers.py",
            Self::Exporter => "exporter.py",
            Self::Prometheus => "prometheus.sh",
            Self::Alertmanager => "alertmanager.sh",
            Self::Smtp => "smtp.py",
            Self::Postfix => "postfix.sh",
        }
    }

    /// The programs without which the part cannot run.
    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Receivers | Self::Exporter => &["python3"],
            Self::Prometheus => &["python3", "prometheus"],
            Self::Alertmanager => &["python3", "prometheus-alertmanager", "amtool"],
            Self::Smtp => &["python3", "openssl"],
            Self::Postfix => &["python3", "openssl", "postfix", "dovecot"],
        }
    }

    /// Why the part cannot be used here, if so.
    fn missing(self) -> Option<String> {
        if let Ok(why) = std::env::var(format!("WATCHBELL_SKIP_{}", self.name())) {
            return Some(why);
        }
        if let Some(program) = self.programs().iter().find(|program| !installed(program)) {
            return Some(format!("{program} is not installed, tests/run installs it"));
        }
        if self == Self::Smtp && !venv().join("lib").exists() {
            return Some("there is no target/venv, tests/run makes it".to_owned());
        }
        None
    }

    /// Starts the part. Its options are those of its script; `--until-eof` is added.
    pub fn start(self, options: &[&str]) -> Peer {
        let script = root().join("tests/peers").join(self.script());
        let mut command = Vec::new();
        if self.script().ends_with(".py") {
            let python = venv().join("bin/python");
            command.push(if python.exists() { path(&python) } else { "python3".to_owned() });
        }
        command.push(path(&script));
        command.extend(options.iter().map(|option| (*option).to_owned()));
        command.push("--until-eof".to_owned());
        let mut process = Process::peer(self.script(), &command);
        let line = process.wait_for_line("\"ready\": true");
        Peer { ready: serde_json::from_str(&line).expect("the ready line is JSON"), process }
    }
}

/// Gives the part back where it can be used. Otherwise says `skipped: <test>: <why>` and gives
/// nothing; fails instead where `WATCHBELL_REQUIRE_PARTS` is set and nobody said to skip.
pub fn require(part: Part) -> Option<Part> {
    let Some(why) = part.missing() else { return Some(part) };
    skip(part.name(), &why);
    None
}

/// Whether a program is installed; the same as [`require`] for a part that is one program.
pub fn require_program(program: &str) -> bool {
    let name = program.to_uppercase();
    let why = std::env::var(format!("WATCHBELL_SKIP_{name}")).ok().or_else(|| {
        (!installed(program)).then(|| format!("{program} is not installed, tests/run installs it"))
    });
    if let Some(why) = &why {
        skip(&name, why);
    }
    why.is_none()
}

/// Says that the running test is skipped; fails where nobody said to skip and all is required.
fn skip(name: &str, why: &str) {
    let why = why.replace('\n', " ");
    let said = std::env::var_os(format!("WATCHBELL_SKIP_{name}")).is_some();
    let strict = std::env::var_os("WATCHBELL_REQUIRE_PARTS").is_some();
    assert!(said || !strict, "{name} is required: {why}");
    let test = std::thread::current().name().unwrap_or("unnamed").to_owned();
    let line = format!("skipped: {test}: {why}\n");
    // Not by a macro: the test harness would swallow the line of a test that passes.
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    if let Some(log) = std::env::var_os("WATCHBELL_SKIPPED_LOG") {
        let mut log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        log.write_all(line.as_bytes()).unwrap();
    }
}

/// A part that runs until this is dropped.
pub struct Peer {
    /// The line it printed when it was ready: ports and paths.
    pub ready: Value,
    process: Process,
}

impl Peer {
    /// The port it serves on.
    pub fn port(&self) -> u16 {
        self.number("port")
    }

    /// Another number of the ready line, such as `smtps_port`.
    pub fn number(&self, key: &str) -> u16 {
        let number = self.ready.get(key).and_then(Value::as_u64);
        u16::try_from(number.expect("the ready line has it")).unwrap()
    }

    /// A path of the ready line, such as `maildir`.
    pub fn path(&self, key: &str) -> PathBuf {
        self.ready.get(key).and_then(Value::as_str).expect("the ready line has it").into()
    }

    /// The URL of a path that it serves over HTTP.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port())
    }

    /// Sends a control request (`tests/peers/peer.py`) and gives its answer.
    pub fn control(&self, method: &str, what: &str, body: &Value) -> Value {
        let url = format!("http://127.0.0.1:{}/_control/{what}", self.number("control_port"));
        let answer = http::request(method, &url, &[], &body.to_string()).expect("control answers");
        assert_eq!(answer.status, 200, "{method} {what}: {}", answer.body);
        answer.json()
    }

    /// Adds a fault, such as `{"path": "/v2/*", "action": "status", "status": 503, "count": 2}`.
    pub fn fault(&self, fault: Value) {
        self.control("POST", "faults", &fault);
    }

    /// How many requests will still meet a fault, where all faults are counted.
    pub fn faults_left(&self) -> u64 {
        let faults = self.control("GET", "faults", &Value::Null);
        faults.as_array().expect("a list").iter().filter_map(|fault| fault["left"].as_u64()).sum()
    }

    /// Ends all faults; a request that hangs is let go.
    pub fn reset_faults(&self) {
        self.control("DELETE", "faults", &Value::Null);
    }

    /// Refuses connections, or accepts them again.
    pub fn listen(&self, listening: bool) {
        self.control("POST", "listen", &json!({"listening": listening}));
    }

    /// The requests that came in, oldest first; `path` may be a glob.
    pub fn received(&self, path: &str) -> Vec<Value> {
        let found = self.control("GET", &format!("received?path={path}"), &Value::Null);
        found.as_array().expect("a list").clone()
    }

    /// What the service made of the requests: messages, incidents, anomalies.
    pub fn state(&self) -> Value {
        self.control("GET", "state", &Value::Null)
    }
}

/// The package's folder: of this run, not of the build, which may come from a copied `target`.
pub fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into()).into()
}

fn venv() -> PathBuf {
    std::env::var_os("WATCHBELL_VENV").map_or_else(|| root().join("target/venv"), PathBuf::from)
}

fn path(path: &Path) -> String {
    path.to_str().expect("paths are UTF-8").to_owned()
}

fn installed(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Makes a CA with a server and a client certificate in a folder, see `tests/peers/certs.sh`.
pub fn certs(folder: &Path) {
    let script = root().join("tests/peers/certs.sh");
    let done = std::process::Command::new(script).arg(folder).output().expect("certs.sh runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A TCP port on loopback that is free now.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().unwrap().port()
}

/// Asks every 10 ms until there is an answer; fails after [`PATIENCE`].
pub fn wait_until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A new folder that Postfix' processes may walk through. It is removed at the end, unless the
/// test failed: then its path is said.
pub struct TempDir(PathBuf);

impl TempDir {
    /// A folder whose name holds the given word.
    pub fn new(word: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("watchbell-{word}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("the folder is new");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        Self(path)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A path inside, as text.
    pub fn join(&self, name: &str) -> String {
        path(&self.0.join(name))
    }

    /// Writes a file inside and gives its path.
    pub fn write(&self, name: &str, content: &str) -> String {
        let file = self.0.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, content).unwrap();
        path(&file)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let line = format!("kept for a look: {}\n", self.0.display());
            let _unheard = std::io::stderr().write_all(line.as_bytes());
        } else {
            let _already_gone = std::fs::remove_dir_all(&self.0);
        }
    }
}
