//! The reference for rules: Prometheus' way from samples to firing alerts, and what DESIGN.md says
//! of restarts and of a datasource that was away. All of it in true time, so that no step of the
//! wall clock can matter.
//!
//! It follows the questions that the datasource was asked and says which transitions must come of
//! each answer. What the process stores is held against that.

mod stop;
mod told;

use watchbell::alerting::AlertState;
use watchbell::model::Timestamp;

use super::plan::{self, MINUTE, Ms, PODS, Plan, StoreFault};
use super::prometheus::{returns, targets};
use super::setup::{interval_of, rule_of};
use super::world::clock;

use AlertState::{Firing, Inactive, Pending};

/// For how long at most an empty answer of a datasource that was away is doubted.
const DOUBT: Ms = 5 * MINUTE;

/// An alert that is pending or fires.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Alert {
    since: Ms,
    fired: Option<Ms>,
    /// Since when only `keep_firing_for` keeps it.
    kept: Option<Ms>,
    /// It fired when the datasource went, and was not returned since.
    unseen: bool,
}

impl Alert {
    fn moved(self, by: Ms) -> Self {
        let moved = |at: Ms| at + by;
        let (fired, kept) = (self.fired.map(moved), self.kept.map(moved));
        Self { since: self.since + by, fired, kept, ..self }
    }

    fn state(alert: Option<&Self>) -> AlertState {
        alert.map_or(Inactive, |a| if a.fired.is_some() { Firing } else { Pending })
    }
}

#[derive(Clone, Default)]
struct Rule {
    /// As configured now; `None` where no such rule is.
    timing: Option<plan::Rule>,
    interval: Ms,
    alerts: [Option<Alert>; PODS],
    /// The same as the store has it, each with how far the wall clock was ahead then: what is
    /// stored are stamps, and a process that starts knows of no other clock than its own.
    stored: [Option<(Alert, Ms)>; PODS],
    /// How far the wall clock was ahead when it was evaluated last.
    offset: Ms,
    /// Set while the datasource does not answer, or has not for a while: when it answered last, and
    /// when it first answered again.
    away: Option<(Ms, Option<Ms>)>,
    answered: Ms,
    /// What a former process left has still to be taken up.
    left: bool,
    looked_back: bool,
}

/// A transition that must come, or may.
struct Expected {
    rule: usize,
    pod: usize,
    from: AlertState,
    after: Option<Alert>,
    /// The stamp, where it is that of an evaluation.
    stamp: Option<Ms>,
    at: Ms,
    optional: bool,
    seen: bool,
    /// Only its times move along with the wall clock.
    moves: bool,
    offset: Ms,
}

impl Expected {
    /// That the times of an alert move along with the wall clock, and nothing else.
    fn moves(
        rule: usize,
        pod: usize,
        after: Option<Alert>,
        stamp: Option<Ms>,
        at: Ms,
        seen: bool,
        offset: Ms,
    ) -> Self {
        let (from, optional, moves) = (Alert::state(after.as_ref()), false, true);
        Self { rule, pod, from, after, stamp, at, optional, seen, moves, offset }
    }

    fn fires(&self) -> bool {
        let after = Alert::state(self.after.as_ref());
        (self.from, after) != (Firing, Firing) && after == Firing
    }
}

/// All rules.
pub struct Rules {
    rules: Vec<Rule>,
    expected: Vec<Expected>,
    /// When each group was evaluated last, in this life and configuration.
    rounds: Vec<Option<Ms>>,
    /// When this life or configuration began.
    began: Ms,
    /// The stamps at which alerts began to fire: rule, pod, milliseconds.
    firings: Vec<(usize, usize, Ms)>,
    /// The last heartbeat that was stored, as a stamp.
    heartbeat: Option<Timestamp>,
    /// That of the former process; when this one was born, and how far the wall clock was ahead.
    left: (Option<Timestamp>, Ms, Ms),
}

impl Rules {
    pub fn new(plan: &Plan) -> Self {
        Self {
            rules: vec![Rule::default(); plan.rules.len()],
            expected: Vec::new(),
            rounds: vec![None; plan.intervals.len()],
            began: 0,
            firings: Vec::new(),
            heartbeat: None,
            left: (None, 0, 0),
        }
    }

    pub fn fires(&self, rule: usize, pod: usize) -> bool {
        self.fires_since(rule, pod).is_some()
    }

    /// Since when an alert has fired, in true time.
    pub fn fires_since(&self, rule: usize, pod: usize) -> Option<Ms> {
        self.rules[rule].alerts[pod].and_then(|alert| alert.fired)
    }

    /// How often an alert has begun to fire with this stamp.
    pub fn fired(&self, rule: usize, pod: usize, stamp: Timestamp) -> usize {
        let begins = |e: &Expected| {
            !e.seen && (e.rule, e.pod, e.stamp) == (rule, pod, Some(stamp.millis())) && e.fires()
        };
        let known = |firing: &&(usize, usize, Ms)| **firing == (rule, pod, stamp.millis());
        // While the store hangs, what is found is told before anybody tries to store it.
        self.firings.iter().filter(known).count()
            + self.expected.iter().filter(|e| begins(e)).count()
    }

    pub fn is_quiet(&self) -> bool {
        self.rules.iter().flat_map(|rule| &rule.alerts).all(Option::is_none)
    }

    /// A process starts with a set of rules and what the store holds.
    pub fn born(&mut self, plan: &Plan, ruleset: usize, now: Ms, offset: Ms) {
        self.expected.retain(|expected| expected.seen);
        self.configure(plan, ruleset, now);
        self.left = (self.heartbeat, now, offset);
        for rule in &mut self.rules {
            rule.offset = offset;
            rule.alerts = rule
                .stored
                .map(|stored| stored.map(|(alert, before)| alert.moved(before - offset)));
            let last = self.heartbeat.map_or(now, |at| at.millis() - plan.start.millis() - offset);
            rule.goes_away(last);
            (rule.left, rule.looked_back) = (true, false);
        }
    }

    /// Another set of rules is in place, with the alerts of those that were there before.
    pub fn configure(&mut self, plan: &Plan, ruleset: usize, now: Ms) {
        for (number, rule) in self.rules.iter_mut().enumerate() {
            rule.timing = rule_of(plan, ruleset, number);
            rule.interval = interval_of(plan, ruleset, plan.rules[number].group);
        }
        self.rounds.fill(None);
        self.began = now;
    }

    /// The datasource has been asked for the time of a former process.
    pub fn looked_back(&mut self, rule: usize) {
        self.rules[rule].looked_back = true;
    }

    /// The datasource was asked for a rule at a slot, and answers or not.
    pub fn evaluated(
        &mut self,
        plan: &Plan,
        number: usize,
        at: Ms,
        offset: Ms,
        ok: bool,
    ) -> Result<(), String> {
        self.take_up(plan, number, at)?;
        self.check_round(plan, number, at)?;
        self.check_moved(plan, number, at, offset)?;
        self.expected.retain(|e| e.rule != number || e.seen || !e.optional);
        let rule = &mut self.rules[number];
        if !ok {
            let last = rule.away.map_or(rule.answered, |(last, _)| last);
            rule.goes_away(last);
            return Ok(());
        }
        let stamp = plan.start.millis() + at + offset;
        let sees_all = targets(plan, at) == PODS;
        let knew_all = rule.away.is_some_and(|(last, _)| targets(plan, last) != 1);
        let Some(timing) = rule.timing else {
            return Err(format!("R{number} is evaluated and does not exist"));
        };
        for pod in 0..PODS {
            let before = rule.alerts[pod];
            let returned = returns(plan, number, pod, at);
            let doubted = rule.away.is_some() && before.is_some_and(|alert| alert.unseen);
            if !returned && doubted && !sees_all && knew_all {
                continue;
            }
            let after = step(before, returned, timing, at);
            let optional = !returned && doubted;
            let from = Alert::state(before.as_ref());
            let changes = from != Alert::state(after.as_ref())
                || before.and_then(|a| a.kept).is_some() != after.and_then(|a| a.kept).is_some();
            if changes {
                let stamp = Some(stamp);
                let rule = number;
                let (seen, moves) = (false, false);
                self.expected.push(Expected {
                    rule,
                    pod,
                    from,
                    after,
                    stamp,
                    at,
                    optional,
                    seen,
                    moves,
                    offset,
                });
            }
            if !optional {
                rule.alerts[pod] = after;
            }
        }
        rule.answered = at;
        if let Some((last, back)) = rule.away {
            let back = back.unwrap_or(at);
            let unseen = rule.alerts.iter().flatten().any(|alert| alert.unseen);
            rule.away = (unseen && at - back < DOUBT).then_some((last, Some(back)));
        }
        Ok(())
    }

    /// Every group is evaluated at every slot, unless something hangs.
    fn check_round(&mut self, plan: &Plan, number: usize, at: Ms) -> Result<(), String> {
        let group = plan.rules[number].group;
        let first = (0..self.rules.len())
            .find(|n| self.rules[*n].timing.is_some_and(|rule| rule.group == group));
        if first != Some(number) {
            return Ok(());
        }
        let interval = self.rules[number].interval;
        let last = self.rounds[group].replace(at);
        match last {
            Some(last) if (at - last - interval).abs() > 1000 && !hangs(plan, last, at) => {
                Err(format!("g{group} was evaluated at {} and then at {}", clock(last), clock(at)))
            }
            _ => Ok(()),
        }
    }
}

impl Rule {
    /// Nothing is heard of the datasource, whose last answer was at `last`.
    fn goes_away(&mut self, last: Ms) {
        self.away = Some((last, None));
        for alert in self.alerts.iter_mut().flatten() {
            alert.unseen = alert.fired.is_some() && alert.kept.is_none();
        }
    }
}

/// One evaluation of one alert, as Prometheus does it.
fn step(before: Option<Alert>, returned: bool, rule: plan::Rule, at: Ms) -> Option<Alert> {
    let mut alert = match before {
        None if !returned => return None,
        None => Alert { since: at, fired: None, kept: None, unseen: false },
        Some(known) => known,
    };
    // A start does not know of a step that came just before it.
    alert.since = alert.since.min(at);
    alert.kept = alert.kept.map(|since| since.min(at));
    if returned {
        (alert.kept, alert.unseen) = (None, false);
    } else {
        alert.fired?;
        let kept = *alert.kept.get_or_insert(at);
        if at - kept >= rule.keep {
            return None;
        }
    }
    let age = alert.fired.unwrap_or(at).max(at) - alert.since;
    if age < rule.held {
        // Also where `for` was raised past the alert's age.
        (alert.fired, alert.kept) = (None, None);
    } else {
        alert.fired.get_or_insert(at);
    }
    Some(alert)
}

/// Whether something hung between two times that may have kept a group from its slots.
fn hangs(plan: &Plan, from: Ms, to: Ms) -> bool {
    let near = |span: plan::Span| span.from <= to && from <= span.to + MINUTE;
    plan.outages.iter().any(|outage| outage.hangs && near(outage.span))
        || plan.store.iter().any(|(span, fault)| *fault == StoreFault::Hangs && near(*span))
}
