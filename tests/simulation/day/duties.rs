//! The reference for people: who must know of which alert, and what nobody may be told.
//!
//! A lane is a group at an integration. What receivers have been told is held against the alerts
//! that fire by the model of the rules, and against the routes, said once more in plain code.

mod arrival;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use watchbell::model::Timestamp;
use watchbell::outbox::OutboxEntry;
use watchbell::storage::Change;

use super::plan::{Health, INTEGRATIONS, MINUTE, Ms, PODS, Plan};
use super::rules::Rules;
use super::setup::{GROUP_INTERVAL, told_of_ends};
use super::world::clock;

/// In which time whoever can be told is told: a group's interval, an attempt that hangs, its
/// backoff, and a store that hangs.
const BOUND: Ms = GROUP_INTERVAL + 7 * MINUTE;

/// An integration and a group's key.
type Lane = (usize, Arc<str>);
/// A rule and a pod.
type Alert = (usize, usize);

/// An alert in a message: which, its start, how many firings began with that stamp (a clock that is
/// put back shows it twice), and whether it is over.
type Named = (Alert, Timestamp, usize, bool);

/// What a receiver was last told of an alert, whether the store knows that, and what the store knows
/// instead.
#[derive(Clone, Copy)]
struct Known {
    fires: bool,
    stored: bool,
    before: Option<bool>,
    /// For one that is not told of ends: since when the alert has been over.
    over: Option<Ms>,
}

/// The alerts of a pod are silenced, by the wall clock.
struct Silence {
    pod: usize,
    begin: Timestamp,
    end: Timestamp,
    /// It is in effect; where it is not, it may be.
    certain: bool,
    stored: bool,
}

/// The last message of a lane.
struct Message {
    key: String,
    alerts: Vec<Named>,
    arrived: Ms,
    /// Whether the sender may not know that it has arrived, or may have another reason to say it
    /// again.
    unsure: bool,
    stored: bool,
}

/// Everything that was told.
#[derive(Default)]
pub struct Duties {
    routing: usize,
    silences: Vec<Silence>,
    known: BTreeMap<Lane, BTreeMap<Alert, Known>>,
    last: BTreeMap<Lane, Message>,
    /// Since when somebody ought to be told of a firing, or of an end.
    owed: BTreeMap<(Lane, Alert, bool), Ms>,
    /// By which words it was first tried to tell a lane of a firing.
    tried: BTreeMap<(Lane, Alert), String>,
    begun: BTreeMap<String, Ms>,
    arrivals: BTreeMap<String, usize>,
    /// How many outcomes of attempts at these words the sender never learned.
    unlearned: BTreeMap<String, usize>,
    /// The keys of the entries in the store.
    entries: BTreeMap<u64, String>,
    limited_until: [Ms; INTEGRATIONS.len()],
    pub messages: usize,
    pub repeated: usize,
}

/// The routes of a configuration: where an alert goes, and whether that is muted at a time.
fn routes(
    routing: usize,
    severity: &str,
    alert: Alert,
    at: Timestamp,
) -> Vec<(&'static str, String, bool)> {
    let (rule, pod) = (format!("alertname=\"R{}\"", alert.0), format!("pod=\"p{}\"", alert.1));
    let child = format!("{{}}/{{severity=\"{severity}\"}}");
    let (night, office) = (between(at, 90, 210), between(at, 8 * 60, 18 * 60));
    match (routing, severity) {
        (0, _) => vec![("a", format!("{{}}:{{{rule}}}"), false)],
        (1, _) => {
            let mut found = Vec::new();
            if severity == "critical" {
                found.push(("b", format!("{child}:{{{pod}}}"), false));
            }
            if alert.1 == 0 {
                found.push(("c", format!("{{}}/{{pod=\"p0\"}}:{{{rule}, {pod}}}"), false));
            }
            if found.is_empty() {
                found.push(("a", format!("{{}}:{{{rule}}}"), false));
            }
            found
        }
        (2, "warning") => vec![("b", format!("{child}:{{{rule}, {pod}}}"), night)],
        (2, _) => vec![("a", format!("{{}}:{{{pod}}}"), false)],
        (_, "critical") => vec![("b", format!("{child}:{{{rule}}}"), !office)],
        _ => vec![("a", format!("{child}:{{{pod}}}"), false)],
    }
}

/// Whether it is between two minutes of the day in Berlin. Summer time of 2026 began and ended at
/// 01:00 UTC on these days.
fn between(at: Timestamp, from: i64, to: i64) -> bool {
    let seconds = at.millis().div_euclid(1000);
    let summer = (1_774_746_000..1_792_890_000).contains(&seconds);
    let minute = (seconds + if summer { 7200 } else { 3600 }).rem_euclid(86_400) / 60;
    (from..to).contains(&minute)
}

impl Duties {
    pub fn new() -> Self {
        Self::default()
    }

    /// A process starts, or takes another configuration.
    pub fn configure(&mut self, routing: usize) {
        if self.routing != routing {
            self.last.values_mut().for_each(|message| message.unsure = true);
        }
        self.routing = routing;
        self.owed.clear();
    }

    /// The process has died. What it told without having been able to store it is forgotten.
    /// `stepped` says that the wall clock had just stepped: nobody noticed.
    pub fn died(&mut self, stepped: bool) {
        self.owed.clear();
        for key in self.entries.values().filter(|key| self.arrivals.contains_key(*key)) {
            *self.unlearned.entry(key.clone()).or_default() += 1;
        }
        for message in self.last.values_mut() {
            message.unsure |=
                stepped || !message.stored || self.unlearned.contains_key(&message.key);
        }
        // What was told from memory is unknown to the next process: it goes on from what is stored.
        self.known.values_mut().for_each(|lane| {
            lane.retain(|_, known| {
                known.fires = if known.stored { known.fires } else { known.before == Some(true) };
                known.stored || known.before.is_some()
            });
        });
        self.silences.iter_mut().for_each(|silence| silence.certain &= silence.stored);
    }

    /// A silence is asked for; gives its number.
    pub fn silence(&mut self, pod: usize, begin: Timestamp, end: Timestamp) -> usize {
        let (certain, stored) = (false, false);
        self.silences.push(Silence { pod, begin, end, certain, stored });
        self.silences.len() - 1
    }

    /// It is in effect, and stored or not.
    pub fn silenced(&mut self, number: usize, stored: bool) {
        let silence = &mut self.silences[number];
        (silence.certain, silence.stored) = (true, stored);
    }

    /// The silences of a pod at a time.
    fn silences(&self, pod: usize, at: Timestamp) -> impl Iterator<Item = &Silence> {
        self.silences.iter().filter(move |s| s.pod == pod && s.begin <= at && at < s.end)
    }

    /// What is stored now. A commit brings everything that was decided before it.
    pub fn committed(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::PutEntry(entry) => {
                    let OutboxEntry { id, idempotency_key, .. } = &**entry;
                    self.entries.insert(id.0, idempotency_key.clone());
                }
                Change::DeleteEntry(id) => drop(self.entries.remove(&id.0)),
                _ => {}
            }
        }
        for (_, known) in self.known.values_mut().flatten() {
            (known.stored, known.before) = (true, None);
        }
        for silence in self.silences.iter_mut().filter(|silence| silence.certain) {
            silence.stored = true;
        }
        self.last.values_mut().for_each(|message| message.stored = true);
    }

    /// A receiver will not be tried before then.
    pub fn limited(&mut self, integration: usize, until: Ms) {
        let known = &mut self.limited_until[integration];
        *known = until.max(*known);
    }

    /// A message has arrived and the sender does not learn of it.
    pub fn unlearned(&mut self, key: &str) {
        *self.unlearned.entry(key.to_string()).or_default() += 1;
    }

    /// Who has to be told of what, and for how long already. To be asked every other minute.
    pub fn check(
        &mut self,
        plan: &Plan,
        rules: &Rules,
        now: Ms,
        wall: Timestamp,
    ) -> Result<(), String> {
        let mut there: BTreeMap<(Lane, Alert), bool> = BTreeMap::new();
        for (number, rule) in plan.rules.iter().enumerate() {
            for pod in (0..PODS).filter(|pod| rules.fires(number, *pod)) {
                let inhibited = rule.severity == "warning"
                    && (0..plan.rules.len())
                        .any(|n| plan.rules[n].severity == "critical" && rules.fires(n, pod));
                let silenced = self.silences(pod, wall).next().is_some();
                let alert = (number, pod);
                for (receiver, key, muted) in routes(self.routing, rule.severity, alert, wall) {
                    for n in (0..INTEGRATIONS.len()).filter(|n| INTEGRATIONS[*n].0 == receiver) {
                        there.insert(
                            ((n, key.as_str().into()), alert),
                            inhibited || silenced || muted,
                        );
                    }
                }
            }
        }
        let mut owed = BTreeSet::new();
        for ((lane, alert), held) in &there {
            let known = self.known.get(lane).and_then(|lane| lane.get(alert));
            if !held && !known.is_some_and(|known| known.fires) {
                owed.insert((lane.clone(), *alert, true));
            }
        }
        for (lane, alerts) in &mut self.known {
            alerts.retain(|alert, known| {
                let over = known.fires && !there.contains_key(&(lane.clone(), *alert));
                if over && told_of_ends(lane.0) {
                    owed.insert((lane.clone(), *alert, false));
                }
                known.over = over.then(|| known.over.unwrap_or(now));
                if !told_of_ends(lane.0) && known.over.is_some_and(|since| now - since >= BOUND) {
                    // It takes the next firing as new. Where that cannot be stored, the next
                    // process does not know.
                    let before = if known.stored { Some(true) } else { known.before };
                    *known = Known { fires: false, stored: false, before, over: None };
                }
                known.fires || !known.stored || told_of_ends(lane.0)
            });
        }
        let works = |lane: &Lane| {
            plan.health(lane.0, now) == Health::Works && self.limited_until[lane.0] <= now
        };
        self.owed.retain(|duty, _| owed.contains(duty) && works(&duty.0));
        for duty in owed {
            if plan.health(duty.0.0, now) == Health::Works && self.limited_until[duty.0.0] <= now {
                let since = *self.owed.entry(duty.clone()).or_insert(now);
                if now - since > BOUND {
                    let (lane, alert, fires) = duty;
                    let what = if fires { "fires" } else { "is over" };
                    return Err(format!(
                        "{lane:?} has not been told since {} that {alert:?} {what}",
                        clock(since)
                    ));
                }
            }
        }
        Ok(())
    }

    /// The firings whose end was not told.
    pub fn open(&self) -> Vec<(Lane, Alert)> {
        let lanes = self.known.iter().filter(|(lane, _)| told_of_ends(lane.0));
        let open = lanes.flat_map(|(lane, alerts)| {
            let open = alerts.iter().filter(|(_, known)| known.fires);
            open.map(|(alert, _)| (lane.clone(), *alert))
        });
        open.collect()
    }
}

/// The rule and the pod that an alert's labels name.
fn place(labels: &watchbell::model::LabelSet) -> Alert {
    let number = |name| labels.value(name).get(1..).and_then(|digits: &str| digits.parse().ok());
    (number("alertname").unwrap_or(usize::MAX), number("pod").unwrap_or(usize::MAX))
}
