//! Who is told during a test: routing, grouping and the messages' words are the daemon's, the
//! receivers take everything at once, and nothing leaves the program.

mod compare;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::alerting::AlertState;
use crate::config::{ConfigError, Loaded};
use crate::daemon::routing_setup;
use crate::diag::Diagnostic;
use crate::engine::{DeliveryTicket, Dispatcher, Observation, RoutingSetup};
use crate::model::{
    LabelSet, Monotonic, Notification, Now, RuleKey, SilenceDraft, SilenceId, Timestamp,
};
use crate::notify::{Notifier, Preview};
use crate::outbox::Outcome;
use crate::ruletest::report::Failure;
use crate::ruletest::unit::bench::Told;
use crate::ruletest::unit::{Case, ExpectedHold, NotificationTest, UnitTestFile};

/// The most notifications of one test. A route that repeats every second fills memory otherwise.
const MAX_SENT: usize = 10_000;

/// Routes and receivers of a configuration.
pub(super) struct Site {
    setup: Arc<RoutingSetup>,
    notifiers: BTreeMap<String, Arc<dyn Notifier>>,
}

/// A notification that was sent.
#[derive(Debug)]
pub(super) struct Sent {
    /// When, from the test's start.
    pub(super) at: Duration,
    pub(super) notification: Notification,
    /// The message, or why its templates do not render.
    pub(super) preview: Result<Preview, String>,
}

/// The way of the alerts of one test.
pub(super) struct Watch<'s> {
    site: &'s Site,
    dispatcher: Dispatcher,
    start: Timestamp,
    now: Now,
    /// The labels of the alerts that fire, by rule.
    firing: BTreeMap<RuleKey, Vec<LabelSet>>,
    /// What was sent since the last check.
    sent: Vec<Sent>,
    /// The checks that are still to be made, in order of time.
    checks: VecDeque<&'s NotificationTest>,
    overflowed: bool,
}

impl Site {
    /// The configuration of a test file, if it names one.
    ///
    /// # Errors
    /// All mistakes of the configuration and of what it names.
    pub(super) fn load(file: &UnitTestFile) -> Result<Option<Self>, Vec<Diagnostic>> {
        let Some((path, span)) = &file.config_file else { return Ok(None) };
        let loaded = Loaded::load(Path::new(path)).map_err(|error| match error {
            ConfigError::Invalid(findings) => findings,
            ConfigError::File(error) => {
                vec![Diagnostic::error("test/config", &file.source, *span, error.to_string())]
            }
        })?;
        let integrations = loaded.receivers.iter().flat_map(|receiver| &receiver.integrations);
        let notifiers = integrations.map(|i| (i.id.to_string(), Arc::clone(&i.notifier)));
        let setup = Arc::new(routing_setup(&loaded.config));
        Ok(Some(Self { setup, notifiers: notifiers.collect() }))
    }
}

impl<'s> Watch<'s> {
    /// Nobody has been told of anything; the test's silences are set.
    ///
    /// # Errors
    /// Where a silence cannot be set.
    pub(super) fn new(site: &'s Site, case: &'s Case) -> Result<Self, Failure> {
        let mut checks: Vec<&NotificationTest> = case.notifications.iter().collect();
        checks.sort_by_key(|check| check.eval_time);
        let now = Now { wall: case.start, mono: Monotonic::default() };
        let mut dispatcher = Dispatcher::new(Arc::clone(&site.setup));
        for (index, silence) in case.silences.iter().enumerate() {
            let draft = SilenceDraft {
                id: None,
                matchers: silence.matchers.clone(),
                starts_at: case.start + silence.starts,
                ends_at: case.start + silence.ends,
                created_by: "test".to_string(),
                comment: "a silence of the test".to_string(),
            };
            let id = SilenceId::from_random((index as u128 + 1).to_be_bytes());
            dispatcher
                .set_silence(draft, id, now)
                .map_err(|error| Failure::new(silence.span, error.to_string()))?;
        }
        Ok(Self {
            site,
            dispatcher,
            start: case.start,
            now,
            firing: BTreeMap::new(),
            sent: Vec::new(),
            checks: checks.into(),
            overflowed: false,
        })
    }

    /// Takes what an evaluation of a rule did.
    pub(super) fn observe(&mut self, told: &Told<'_, '_>, ts: Timestamp) {
        self.now = self.at(ts.since(self.start));
        let active = told.alerts.active().map(|(_, alert)| alert);
        let firing: Vec<_> =
            active.filter(|alert| alert.state == AlertState::Firing).cloned().collect();
        let labels = firing.iter().map(|alert| self.site.setup.routed_labels(&alert.labels));
        self.firing.insert(told.rule.key.clone(), labels.collect());
        let transitions = told.step.transitions.clone();
        let observation = Observation { transitions, firing };
        // The changes are for a store, and a test has none.
        drop(self.dispatcher.observe(&told.rule.key, "", observation, self.now));
    }

    /// Sends what is due at the time that it is.
    pub(super) fn settle(&mut self) {
        loop {
            drop(self.dispatcher.on_time(self.now));
            let tickets = self.dispatcher.take_due(usize::MAX, self.now);
            if tickets.is_empty() {
                return;
            }
            for ticket in tickets {
                self.deliver(ticket);
            }
        }
    }

    /// Lets the time pass until just before `end` and makes the checks that come before it.
    pub(super) fn until(&mut self, end: Duration) -> Vec<Failure> {
        let mut failures = Vec::new();
        while let Some(&check) = self.checks.front() {
            let due = self.dispatcher.next_deadline(true);
            let due = due.map(|due| due.since(Monotonic::default()).max(self.passed()));
            match due {
                Some(due) if due <= check.eval_time && due < end => {
                    self.now = self.at(due);
                    self.settle();
                }
                _ if check.eval_time < end => {
                    self.now = self.at(check.eval_time);
                    failures.extend(self.check(check));
                    self.checks.pop_front();
                }
                _ => break,
            }
        }
        failures
    }

    fn check(&mut self, test: &NotificationTest) -> Vec<Failure> {
        let sent = std::mem::take(&mut self.sent);
        let mut failures = Vec::new();
        if std::mem::take(&mut self.overflowed) {
            let message =
                format!("more than {MAX_SENT} notifications are sent; the rest is left out");
            failures.push(Failure::new(test.span, message));
        }
        if let Some(expected) = &test.sent {
            failures.extend(compare::sent(test, expected, &sent));
        }
        if let Some(expected) = &test.held {
            failures.extend(compare::held(test, expected, self.held()));
        }
        failures
    }

    /// The alerts that fire and are held back, at each receiver.
    fn held(&self) -> Vec<(ExpectedHold, String)> {
        let mut held = Vec::new();
        for labels in self.firing.values().flatten() {
            for end in self.dispatcher.whereabouts(labels, self.now.wall).ends {
                let Some(why) = end.held else { continue };
                let hold = ExpectedHold {
                    labels: labels.clone(),
                    receiver: end.receiver,
                    reason: why.reason.to_string(),
                };
                held.push((hold, why.words));
            }
        }
        held
    }

    fn deliver(&mut self, ticket: DeliveryTicket) {
        let delivery = &ticket.delivery;
        let preview = match self.site.notifiers.get(&ticket.integration.to_string()) {
            Some(notifier) => {
                notifier.preview(delivery, self.now.wall).map_err(|error| error.to_string())
            }
            None => Err("the integration is not there".to_string()),
        };
        let notification = delivery.notification.clone();
        let outcome = Outcome::Delivered { receiver_state: None, status: None };
        drop(self.dispatcher.finished(&ticket, &outcome, self.now));
        if self.sent.len() >= MAX_SENT {
            self.overflowed = true;
            return;
        }
        self.sent.push(Sent { at: self.passed(), notification, preview });
    }

    fn passed(&self) -> Duration {
        self.now.mono.since(Monotonic::default())
    }

    fn at(&self, passed: Duration) -> Now {
        Now { wall: self.start + passed, mono: Monotonic::default() + passed }
    }
}
