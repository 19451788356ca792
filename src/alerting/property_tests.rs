//! The step against a slow reference that replays an alert's whole history at every tick.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use crate::alerting::{
    ActiveSample, AlertInstance, AlertState, RuleAlerts, RuleTiming, Step, StepError,
};
use crate::model::{Fingerprint, LabelSet, Timestamp};

/// One evaluation: the time since the last one, the pods returned, and the rule at that time.
#[derive(Clone, Debug)]
struct Tick {
    wait_secs: u64,
    pods: Vec<u8>,
    rule: RuleTiming,
}

/// What the reference knows of a pod that is pending or fires.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Known {
    state: AlertState,
    active_at: Timestamp,
    fired_at: Option<Timestamp>,
    keep_firing_since: Option<Timestamp>,
}

/// One pod's history since the last clearing: time, rule, whether the expression returned it.
type History = Vec<(Timestamp, RuleTiming, bool)>;

fn replay(history: &History) -> Option<Known> {
    let mut known: Option<Known> = None;
    for (ts, rule, returned) in history {
        let mut now = match known {
            Some(known) => known,
            None if !returned => continue,
            None => Known {
                state: AlertState::Pending,
                active_at: *ts,
                fired_at: None,
                keep_firing_since: None,
            },
        };
        let kept_since = now.keep_firing_since.unwrap_or(*ts);
        let fires_on = now.state == AlertState::Firing
            && ts.millis() - kept_since.millis() < rule.keep_firing_for.as_millis() as i64;
        if !returned && !fires_on {
            known = None;
            continue;
        }
        let held = ts.millis() - now.active_at.millis() >= rule.for_duration.as_millis() as i64;
        now.fired_at = held.then(|| now.fired_at.unwrap_or(*ts));
        now.state = if held { AlertState::Firing } else { AlertState::Pending };
        now.keep_firing_since = (held && !returned).then_some(kept_since);
        known = Some(now);
    }
    known
}

fn labels(pod: u8) -> LabelSet {
    LabelSet::from([("alertname", "A"), ("pod", pod.to_string().as_str())])
}

fn sample(pod: u8, ts: Timestamp) -> ActiveSample {
    let value = ts.as_secs_f64() + f64::from(pod);
    ActiveSample { labels: labels(pod), annotations: LabelSet::new(), value }
}

fn known(alert: &AlertInstance) -> Known {
    Known {
        state: alert.state,
        active_at: alert.active_at,
        fired_at: alert.fired_at,
        keep_firing_since: alert.keep_firing_since,
    }
}

fn tick() -> impl Strategy<Value = Tick> {
    let secs =
        |choices: &'static [u64]| prop::sample::select(choices).prop_map(Duration::from_secs);
    let rule = (secs(&[0, 30, 60, 90]), secs(&[0, 0, 45]), prop::sample::select(&[0, 0, 3][..]));
    let pods = prop_oneof![
        20 => prop::collection::btree_set(0_u8..5, 0..5).prop_map(|s| s.into_iter().collect()),
        1 => Just(vec![1, 2, 1]),
    ];
    let wait = prop_oneof![10 => 1_u64..60, 1 => 800_u64..1000];
    (wait, pods, rule).prop_map(|(wait_secs, pods, (for_duration, keep_firing_for, limit))| Tick {
        wait_secs,
        pods,
        rule: RuleTiming { for_duration, keep_firing_for, limit },
    })
}

/// Ticks of a rule that stays as it is most of the time.
fn ticks() -> impl Strategy<Value = Vec<Tick>> {
    let changed = prop::bool::weighted(0.1);
    prop::collection::vec((tick(), changed), 1..40).prop_map(|ticks| {
        let mut rule = ticks.first().map(|(tick, _)| tick.rule).unwrap_or_default();
        let keep_rule = |(mut tick, changed): (Tick, bool)| {
            rule = if changed { tick.rule } else { rule };
            tick.rule = rule;
            tick
        };
        ticks.into_iter().map(keep_rule).collect()
    })
}

/// The reference's verdict on one tick.
fn reference(
    histories: &mut BTreeMap<u8, History>,
    tick: &Tick,
    ts: Timestamp,
) -> Option<StepError> {
    let duplicate = tick.pods.iter().enumerate().find(|(i, p)| tick.pods[..*i].contains(p));
    if let Some((_, pod)) = duplicate {
        return Some(StepError::DuplicateLabels { labels: labels(*pod) });
    }
    for pod in 0..5 {
        let returned = tick.pods.contains(&pod);
        histories.entry(pod).or_default().push((ts, tick.rule, returned));
    }
    let count = histories.values().filter(|h| replay(h).is_some()).count() as u64;
    if tick.rule.limit > 0 && count > tick.rule.limit {
        histories.clear();
        return Some(StepError::LimitExceeded { limit: tick.rule.limit, count });
    }
    None
}

/// Does to a table of current alerts what a store does with a step.
fn store(table: &mut BTreeMap<Fingerprint, AlertInstance>, step: &Step) {
    for change in &step.transitions {
        let before = table.get(&change.fingerprint);
        let from = before.map_or(AlertState::Inactive, |alert| alert.state);
        assert_eq!(from, change.from, "{change:?}");
        assert_eq!(change.to, change.instance.state);
        assert_eq!(
            change.resolves(),
            change.instance.resolved_at == Some(change.at) || {
                change.from == AlertState::Firing && change.to == AlertState::Pending
            }
        );
        assert_ne!(before, Some(&change.instance), "a transition without a change");
        table.insert(change.fingerprint, change.instance.clone());
    }
    for fingerprint in &step.forgotten {
        assert!(table.remove(fingerprint).is_some(), "forgotten, but never stored");
    }
}

proptest! {
    #[test]
    fn the_step_agrees_with_a_replay_and_the_store_with_the_step(ticks in ticks()) {
        let (mut alerts, mut histories) = (RuleAlerts::default(), BTreeMap::new());
        let (mut table, mut ts) = (BTreeMap::new(), Timestamp::from_secs(1_700_000_000));
        for tick in &ticks {
            ts = ts + Duration::from_secs(tick.wait_secs);
            let vector = tick.pods.iter().map(|pod| sample(*pod, ts)).collect();
            let step = alerts.step(&tick.rule, vector, ts);
            prop_assert_eq!(&step.error, &reference(&mut histories, tick, ts));
            let expected: BTreeMap<Fingerprint, Known> = histories
                .iter()
                .filter_map(|(pod, h)| Some((labels(*pod).fingerprint(), replay(h)?)))
                .collect();
            let actual: BTreeMap<Fingerprint, Known> =
                alerts.active().map(|(fp, alert)| (fp, known(alert))).collect();
            prop_assert_eq!(actual, expected);

            store(&mut table, &step);
            prop_assert!(table.keys().eq(alerts.iter().map(|(fp, _)| fp).collect::<Vec<_>>().iter()));
            for (fp, alert) in alerts.iter() {
                prop_assert_eq!(known(&table[&fp]), known(alert));
            }
            if step.error.is_some() {
                continue;
            }
            for pod in &tick.pods {
                let alert = alerts.get(labels(*pod).fingerprint()).unwrap();
                prop_assert_eq!(alert.value, ts.as_secs_f64() + f64::from(*pod));
            }
            for (_, alert) in alerts.iter().filter(|(_, alert)| !alert.is_active()) {
                prop_assert!(ts.since(alert.resolved_at.unwrap()) <= Duration::from_secs(900));
            }
        }
    }
}
