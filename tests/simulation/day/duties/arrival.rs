//! A message on its way to a receiver: what it may say, and when it may be said again.

use watchbell::model::{NotifyReason, Timestamp};
use watchbell::notify::Delivery;

use super::{Alert, Duties, Known, Lane, Message, Named, place, routes};
use crate::day::plan::{Event, MINUTE, Ms, Plan, SECOND};
use crate::day::rules::Rules;
use crate::day::setup::{GROUP_INTERVAL, REPEAT_INTERVAL, told_of_ends};

/// For how long after a fault of the store things may still be told from memory: a commit that had
/// no answer, and the time that a failed store is left alone.
const FROM_MEMORY: Ms = 15 * SECOND;

/// After which time everybody takes an alert to fire.
const SURELY: Ms = 3 * MINUTE;

impl Duties {
    /// An attempt begins. What is to be said is stored before it is said, where the store works.
    pub fn begun(
        &mut self,
        plan: &Plan,
        integration: usize,
        delivery: &Delivery,
        now: Ms,
    ) -> Result<(), String> {
        let lane = (integration, delivery.notification.group_key.0.clone());
        let firing = delivery.notification.alerts.iter().filter(|a| !a.alert.is_resolved());
        let key = &delivery.idempotency_key;
        for named in firing {
            let firing = (lane.clone(), place(&named.alert.labels));
            self.tried.entry(firing).or_insert_with(|| key.clone());
        }
        self.begun.entry(key.clone()).or_insert(now);
        let works =
            !plan.store.iter().any(|(span, _)| span.from <= now && now <= span.to + FROM_MEMORY);
        if works && !self.entries.values().any(|stored| stored == key) {
            return Err(format!("{lane:?} is told {key} before that is stored"));
        }
        Ok(())
    }

    /// A message arrives.
    pub fn arrived(
        &mut self,
        plan: &Plan,
        rules: &Rules,
        integration: usize,
        delivery: &Delivery,
        now: Ms,
    ) -> Result<(), String> {
        self.messages += 1;
        let notification = &delivery.notification;
        let key = delivery.idempotency_key.clone();
        let lane: Lane = (integration, notification.group_key.0.clone());
        let mut alerts = Vec::new();
        for named in &notification.alerts {
            let alert = place(&named.alert.labels);
            let begun = rules.fired(alert.0, alert.1, named.alert.starts_at);
            if begun == 0 {
                return Err(format!("{lane:?} is told of {alert:?}, which never fired so"));
            }
            alerts.push((alert, named.alert.starts_at, begun, named.alert.is_resolved()));
        }
        alerts.sort_unstable();
        let arrivals = self.arrivals.entry(key.clone()).or_default();
        *arrivals += 1;
        if *arrivals > 1 {
            self.repeated += 1;
            let excused = self.unlearned.get(&key).copied().unwrap_or(0);
            return match *arrivals > 1 + excused {
                true => Err(format!("{lane:?} gets {key} again")),
                false => Ok(()),
            };
        }
        self.check_repetition(&lane, &alerts, delivery)?;
        self.check_words(plan, rules, &lane, delivery)?;
        let stored = self.entries.values().any(|known| *known == key);
        let known = self.known.entry(lane.clone()).or_default();
        for (alert, _, _, over) in &alerts {
            if *over {
                self.tried.remove(&(lane.clone(), *alert));
            }
            let former = known.get(alert);
            let before = former.and_then(|k| if k.stored { Some(k.fires) } else { k.before });
            known.insert(*alert, Known { fires: !over, stored, before, over: None });
        }
        self.last.insert(lane, Message { key, alerts, arrived: now, unsure: false, stored });
        Ok(())
    }

    /// Nothing is said twice, but by the repeat interval or where the sender cannot know.
    fn check_repetition(
        &self,
        lane: &Lane,
        alerts: &[Named],
        delivery: &Delivery,
    ) -> Result<(), String> {
        let Some(last) = self.last.get(lane) else { return Ok(()) };
        let unlearned = self.unlearned.contains_key(&last.key);
        if last.alerts != alerts || last.unsure || unlearned {
            return Ok(());
        }
        let begun = self.begun.get(&delivery.idempotency_key).copied().unwrap_or_default();
        let apart = begun - last.arrived;
        let repeats = delivery.notification.reason == NotifyReason::RepeatIntervalElapsed;
        // Counted from the decision where the message arrived before the group's next flush.
        if repeats && apart >= REPEAT_INTERVAL - GROUP_INTERVAL - MINUTE {
            return Ok(());
        }
        Err(format!("{lane:?} is told the same again after {} s", apart / 1000))
    }

    /// An end is told where the beginning was, or as missed; what is muted is not news.
    fn check_words(
        &self,
        plan: &Plan,
        rules: &Rules,
        lane: &Lane,
        delivery: &Delivery,
    ) -> Result<(), String> {
        let known = self.known.get(lane);
        for named in &delivery.notification.alerts {
            let alert = place(&named.alert.labels);
            let over = named.alert.is_resolved();
            let knows = known.is_some_and(|known| known.contains_key(&alert));
            let tried = self.tried.get(&(lane.clone(), alert));
            if over && !named.missed && !knows && tried.is_none() {
                return Err(format!("{lane:?} is told of the end of {alert:?} alone"));
            }
            if over && !named.missed && !told_of_ends(lane.0) {
                return Err(format!("{lane:?} is told of an end"));
            }
            let severity = plan.rules[alert.0].severity;
            let created = delivery.notification.created_at;
            let muted = routes(self.routing, severity, alert, created)
                .iter()
                .any(|(_, key, muted)| **key == *lane.1 && *muted)
                || self.silences(alert.1, created).any(|silence| silence.certain)
                || inhibited(plan, rules, alert, created);
            let first = tried.is_none_or(|key| *key == delivery.idempotency_key);
            let believes = |known: &Known| known.fires || known.before == Some(true);
            let news = !known.and_then(|known| known.get(&alert)).is_some_and(believes);
            if muted && !over && news && first {
                return Err(format!("{lane:?} is told of {alert:?}, which is muted"));
            }
        }
        Ok(())
    }
}

/// Whether an alert was surely inhibited when a message was made: a critical one of the same pod had
/// fired for a while and goes on.
fn inhibited(plan: &Plan, rules: &Rules, alert: Alert, created: Timestamp) -> bool {
    // Where the wall clock steps, its stamps do not tell the order of things.
    let steps = plan.events.iter().any(|(_, event)| matches!(event, Event::Step(_)));
    let created = created.millis() - plan.start.millis();
    let inhibits = |rule: usize| {
        let since = rules.fires_since(rule, alert.1);
        plan.rules[rule].severity == "critical" && since.is_some_and(|at| created - at > SURELY)
    };
    plan.rules[alert.0].severity == "warning" && !steps && (0..plan.rules.len()).any(inhibits)
}
