//! Child processes that end with their test.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::wait_until;

/// How long a child may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(15);

/// A running child whose output is kept. Dropping it ends its standard input, waits a little, and
/// kills it if that was no hint.
pub struct Process {
    name: String,
    child: Child,
    output: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
    /// Whether it stops by itself when its standard input ends; otherwise it is told by SIGTERM.
    ends_with_input: bool,
}

impl Process {
    /// Starts a peer of `tests/peers`, which stops when its standard input ends.
    pub fn peer(name: &str, command: &[String]) -> Self {
        let mut process = Self::start(name, command, &[]);
        process.ends_with_input = true;
        process
    }

    /// Starts a command with more environment.
    pub fn start(name: &str, command: &[String], env: &[(&str, &str)]) -> Self {
        let (program, arguments) = command.split_first().expect("a program");
        let mut child = Command::new(program)
            .args(arguments)
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let output = Arc::new(Mutex::new(Vec::new()));
        let readers = vec![
            keep(child.stdout.take().unwrap(), &output),
            keep(child.stderr.take().unwrap(), &output),
        ];
        Self { name: name.to_owned(), child, output, readers, ends_with_input: false }
    }

    /// Starts the `watchbell` binary of this build.
    pub fn watchbell(arguments: &[&str]) -> Self {
        let mut command = vec![env!("CARGO_BIN_EXE_watchbell").to_owned()];
        command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        Self::start("watchbell", &command, &[])
    }

    /// The first line of output that holds the words; fails when the child ends without it.
    pub fn wait_for_line(&mut self, words: &str) -> String {
        let mut looks_after_end = 0;
        wait_until(&format!("{} says {words:?}", self.name), || {
            let lines = self.output.lock().unwrap();
            let found = lines.iter().find(|line| line.contains(words)).cloned();
            drop(lines);
            if found.is_none() && !matches!(self.child.try_wait(), Ok(None)) {
                // What it said last may still be on its way.
                looks_after_end += 1;
                assert!(looks_after_end < 50, "{} ended without {words:?}", self.name);
            }
            found
        })
    }

    /// Everything that it has said, both streams, in order of arrival.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().join("\n")
    }

    /// The same once both streams have ended, so that nothing is missing.
    pub fn whole_output(&mut self) -> String {
        self.wait();
        for reader in self.readers.drain(..) {
            reader.join().expect("the reader does not fail");
        }
        self.output()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, such as `TERM` or `HUP`.
    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").args([format!("-{name}"), self.id().to_string()]).status();
        assert!(done.expect("kill runs").success(), "{} took no {name}", self.name);
    }

    /// Ends it as a crash would, at once and without a chance to clean up.
    pub fn crash(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let name = self.name.clone();
        wait_until(&format!("{name} ends"), || self.child.try_wait().expect("it can be asked"))
    }
}

/// Reads a stream to its end in a thread of its own.
fn keep(
    stream: impl std::io::Read + Send + 'static,
    output: &Arc<Mutex<Vec<String>>>,
) -> JoinHandle<()> {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            output.lock().unwrap().push(String::from_utf8_lossy(&line).into_owned());
        }
    })
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let start = Instant::now();
        if !self.ends_with_input && matches!(self.child.try_wait(), Ok(None)) {
            let id = self.id().to_string();
            let _already_gone = Command::new("kill").args(["-TERM", &id]).status();
        }
        while matches!(self.child.try_wait(), Ok(None)) {
            if start.elapsed() > GRACE {
                let _already_gone = self.child.kill();
                let _ended = self.child.wait();
            } else {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        if std::thread::panicking() {
            let text = format!("--- output of {}\n{}\n", self.name, self.output());
            let _unheard = std::io::stderr().write_all(text.as_bytes());
        }
    }
}
