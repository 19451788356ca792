//! The timeline of the demo, line by line.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use crate::alerting::{AlertState, Transition};
use crate::cli::demo::Messages;
use crate::cli::demo::incident::Incident;
use crate::cli::demo::stage::{Event, Message};
use crate::cli::output::{Paint, count, one_line};
use crate::model::{Timestamp, format_duration};
use crate::notify::Preview;
use crate::storage::{Change, Decision};

/// How many lines of a message are printed where it is kept short.
const SHORT: usize = 6;
/// How many characters of a line are printed.
const MAX_LINE: usize = 110;
/// Labels that say nothing that the line does not say already.
const KNOWN: &[&str] = &["alertname", "severity", "service", "component", "cluster"];

/// Prints what happens.
pub(super) struct Screen {
    paint: Paint,
    messages: Messages,
    start: Timestamp,
    sent: usize,
    fired: usize,
    /// Alerts by identity, so that a decision can be shown with words.
    known: Vec<(crate::model::Fingerprint, String)>,
}

impl Screen {
    pub(super) fn new(paint: Paint, messages: Messages, start: Timestamp) -> Self {
        Self { paint, messages, start, sent: 0, fired: 0, known: Vec::new() }
    }

    /// What is going to be seen.
    pub(super) fn opening(&self, incident: &Incident, speed: u32, address: SocketAddr) -> String {
        let length = format_duration(incident.length);
        let real = format_duration(Duration::from_secs((incident.length / speed).as_secs().max(1)));
        let rules: usize = incident.loaded.rules.groups.iter().map(|group| group.rules.len()).sum();
        format!(
            "An incident of {length} in {real}: {} over {} recorded series of an MLflow stack.\n\
             Pages and API: http://{address}  (nothing is sent anywhere)\n\n",
            count(rules, "rule"),
            incident.series.len(),
        )
    }

    /// What has happened; may be nothing to show.
    pub(super) fn event(&mut self, event: &Event) -> String {
        let mut text = String::new();
        match event {
            Event::Message(message) => self.message(&mut text, message),
            Event::Committed(changes) => {
                for change in changes {
                    match change {
                        Change::AddTransition { transition, .. } => {
                            self.transition(&mut text, transition);
                        }
                        Change::PutKnown(known) => self.remember(known),
                        Change::AddDecision(decision) => self.decision(&mut text, decision),
                        _ => {}
                    }
                }
            }
        }
        text
    }

    /// The incident is over, and the API stays.
    pub(super) fn over(&self) -> String {
        format!("\n{}\nPages and API stay until Ctrl-C.\n", self.summary())
    }

    /// The end.
    pub(super) fn closing(&self) -> String {
        format!("\n{}\n", self.summary())
    }

    fn summary(&self) -> String {
        format!(
            "{} fired, {} would have been sent.",
            count(self.fired, "alert"),
            count(self.sent, "message")
        )
    }

    fn transition(&mut self, text: &mut String, transition: &Transition) {
        let words = match (transition.from, transition.to) {
            (_, AlertState::Pending) => self.paint.yellow("pending "),
            (AlertState::Firing, AlertState::Firing) => return,
            (_, AlertState::Firing) => {
                self.fired += 1;
                self.paint.red("firing  ")
            }
            (AlertState::Firing, AlertState::Inactive) => self.paint.green("resolved"),
            (_, AlertState::Inactive) => self.paint.dim("vanished"),
        };
        let labels = named(&transition.instance.labels);
        let _ = writeln!(text, "{}  {words}  {labels}", self.time(transition.at));
    }

    fn remember(&mut self, known: &crate::storage::KnownAlert) {
        let fingerprint = known.labels.fingerprint();
        if self.known.iter().all(|(seen, _)| *seen != fingerprint) {
            self.known.push((fingerprint, named(&known.labels)));
        }
    }

    /// Only what keeps people from being told: the rest shows as messages.
    fn decision(&self, text: &mut String, decision: &Decision) {
        let held = ["inhibited", "silenced", "in_mute_interval", "outside_active_interval"];
        if !held.contains(&&*decision.reason) {
            return;
        }
        let known = self.known.iter().find(|(seen, _)| *seen == decision.fingerprint);
        let alert =
            known.map_or_else(|| decision.fingerprint.to_string(), |(_, words)| words.clone());
        let why = one_line(&format!("{}: {}", decision.reason, decision.detail));
        let at = self.time(decision.at);
        let _ = writeln!(
            text,
            "{at}  {}  {alert} {}",
            self.paint.dim("held    "),
            self.paint.dim(&why)
        );
    }

    fn message(&mut self, text: &mut String, message: &Message) {
        self.sent += 1;
        let to = one_line(&message.integration.to_string());
        let why = self.paint.dim(message.reason.as_str());
        let _ = writeln!(
            text,
            "{}  {}  {to} {why}",
            self.time(message.at),
            self.paint.green("told    ")
        );
        if self.messages == Messages::None {
            return;
        }
        match &message.preview {
            Ok(preview) => self.body(text, preview),
            Err(error) => {
                let _ = writeln!(text, "        {}", one_line(&error.to_string()));
            }
        }
    }

    fn body(&self, text: &mut String, preview: &Preview) {
        let most = if self.messages == Messages::Full { usize::MAX } else { SHORT };
        let part = |name| preview.parts.iter().find(|(known, _)| *known == name).map(|(_, t)| t);
        // A message has a subject and a text for people; the rest is the same for programs.
        let subject = part("subject").into_iter().flat_map(|text| text.lines());
        let body = part("text").or_else(|| part("body")).into_iter().flat_map(|text| text.lines());
        let lines = subject.chain(body).map(|line| truncated(&one_line(line)));
        let mut lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
        lines.dedup();
        for line in lines.iter().take(most) {
            let _ = writeln!(text, "          {} {line}", self.paint.dim("│"));
        }
        if lines.len() > most {
            let more = format!("… {} more lines", lines.len() - most);
            let _ = writeln!(text, "          {} {}", self.paint.dim("│"), self.paint.dim(&more));
        }
    }

    /// `12:30`: minutes and seconds since the start.
    fn time(&self, at: Timestamp) -> String {
        let seconds = at.since(self.start).as_secs();
        self.paint.dim(&format!("{:>3}:{:02}", seconds / 60, seconds % 60))
    }
}

/// A line of a message; links are long.
fn truncated(line: &str) -> String {
    match line.char_indices().nth(MAX_LINE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_string(),
    }
}

/// The alert's name, and the labels that tell it from its neighbours.
fn named(labels: &crate::model::LabelSet) -> String {
    let others = labels.iter().filter(|(name, _)| !KNOWN.contains(name));
    let others: Vec<String> = others.map(|(name, value)| format!("{name}={value}")).collect();
    one_line(&format!("{} {}", labels.alertname(), others.join(" ")))
}
