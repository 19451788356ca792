//! A running `watchbell run`, and questions to it.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::http::{self, Response};
use crate::support::process::Process;
use crate::support::wait_until;

/// A daemon on a port of its own choice.
pub struct Daemon {
    process: Process,
    url: String,
    /// How long it took from the start of the process until it was ready.
    pub ready_after: Duration,
}

impl Daemon {
    /// Starts it and waits until it is ready.
    pub fn start(config: &str) -> Self {
        Self::start_with(config, &[])
    }

    /// The same with more arguments.
    pub fn start_with(config: &str, arguments: &[&str]) -> Self {
        let began = Instant::now();
        Self::listening(Self::spawn(config, arguments), began).ready(began)
    }

    /// Starts it and waits for its API alone: it may not become ready.
    pub fn start_unready(config: &str) -> Self {
        Self::listening(Self::spawn(config, &[]), Instant::now())
    }

    /// Starts it with more environment, and waits until it is ready.
    pub fn start_in(config: &str, env: &[(&str, &str)]) -> Self {
        let began = Instant::now();
        Self::start_unready_in(config, env).ready(began)
    }

    /// Starts it with more environment, and waits for its API alone.
    pub fn start_unready_in(config: &str, env: &[(&str, &str)]) -> Self {
        let command =
            [env!("CARGO_BIN_EXE_watchbell"), "run", "--config", config, "--listen", "127.0.0.1:0"];
        let began = Instant::now();
        Self::listening(Process::start("watchbell", &command.map(str::to_owned), env), began)
    }

    fn listening(mut process: Process, began: Instant) -> Self {
        let line = process.wait_for_line("listening");
        let address = line.split("address=").nth(1).expect("the log names the address").trim();
        let url = format!("http://{address}");
        Self { process, url, ready_after: began.elapsed() }
    }

    fn ready(self, began: Instant) -> Self {
        let ready = || http::get(&format!("{}/-/ready", self.url)).ok().filter(|a| a.status == 200);
        wait_until("the daemon is ready", ready);
        Self { ready_after: began.elapsed(), ..self }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Starts the process alone, which may not come far.
    pub fn spawn(config: &str, arguments: &[&str]) -> Process {
        let mut all = vec!["run", "--config", config, "--listen", "127.0.0.1:0"];
        all.extend(arguments);
        Process::watchbell(&all)
    }

    /// Where its API is.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn get(&self, path: &str) -> Response {
        http::get(&format!("{}{path}", self.url)).expect("the API answers")
    }

    /// The first line of the log that holds the words.
    pub fn wait_for_log(&mut self, words: &str) -> String {
        self.process.wait_for_line(words)
    }

    /// The alerts of `/api/v1/alerts` in a state.
    pub fn alerts(&self, state: &str) -> Vec<Value> {
        let answer = self.get("/api/v1/alerts").json();
        let alerts = answer["data"]["alerts"].as_array().expect("a list").clone();
        alerts.into_iter().filter(|alert| alert["state"] == state).collect()
    }

    /// Waits until that many alerts are in a state.
    pub fn wait_for_alerts(&self, state: &str, count: usize) -> Vec<Value> {
        wait_until(&format!("{count} alerts are {state}"), || {
            Some(self.alerts(state)).filter(|alerts| alerts.len() == count)
        })
    }

    /// The sum of the samples of a metric whose labels contain all of `labels`, each written as in
    /// the exposition: `state="firing"`.
    pub fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let text = self.get("/metrics").body;
        let samples = text.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (found, set) = series.split_once('{').unwrap_or((series, ""));
            let holds = found == name && labels.iter().all(|label| set.contains(label));
            holds.then(|| value.parse::<f64>().expect("a number"))
        });
        samples.sum()
    }

    pub fn wait_for_metric(&self, name: &str, labels: &[&str], value: f64) {
        wait_until(&format!("{name}{labels:?} is {value}"), || {
            (self.metric(name, labels) == value).then_some(())
        });
    }

    /// Waits until every group has been evaluated so many more times.
    pub fn wait_for_rounds(&self, rounds: u32) {
        let count = || self.metric("watchbell_rule_evaluations_total", &[]);
        let until = count() + f64::from(rounds);
        wait_until(&format!("{rounds} more evaluations"), || (count() >= until).then_some(()));
    }

    /// `POST /-/reload`.
    pub fn reload(&self) -> Response {
        self.request("POST", "/-/reload", &[])
    }

    /// A request without a body.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        http::request(method, &format!("{}{path}", self.url), headers, "").expect("it answers")
    }

    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// SIGKILL.
    pub fn crash(mut self) {
        self.process.crash();
    }

    /// SIGTERM; gives the log when the process has ended as it should.
    pub fn stop(mut self) -> String {
        self.process.signal("TERM");
        let status = self.process.wait();
        let log = self.process.whole_output();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }
}
