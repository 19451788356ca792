//! What people ask of the store.

use super::samples::{self, alert, entry, group, lane, rule, transition};
use super::{commit, same};
use crate::alerting::Transition;
use crate::model::{Fingerprint, LabelSet, Matchers, Timestamp, parse_matchers};
use crate::outbox::{Attempt, AttemptOutcome, EntryId, OutboxEntry, Told};
use crate::storage::{
    Case, CaseFilter, Change, Decision, Deliveries, DeliveryFilter, Dossier, KnownAlert, Start,
    Store, StoredAlert, StoredLane,
};

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn matchers(text: &str) -> Matchers {
    parse_matchers(text).unwrap()
}

async fn dossier(store: &dyn Store, text: &str, limit: usize) -> Dossier {
    store.dossier(&CaseFilter { matchers: matchers(text), limit }).await.unwrap()
}

/// The labels in routing of the alert `number`, which has other ones within its rule.
fn routed(number: u64) -> LabelSet {
    let pod = format!("p\"{number}");
    LabelSet::from([("alertname", "Slow"), ("cluster", "c"), ("pod", pod.as_str())])
}

fn known(number: u64) -> Change {
    Change::PutKnown(KnownAlert {
        labels: routed(number),
        instance: transition(number).fingerprint,
        seen_at: at(i64::try_from(number).unwrap()),
    })
}

/// A transition, a decision and an attempt about the alert `number`.
fn history(number: u64) -> (Transition, Decision, Attempt) {
    let fingerprint = routed(number).fingerprint();
    let decision = Decision { fingerprint, ..samples::decision(number) };
    let attempt = Attempt { alerts: vec![fingerprint], ..samples::attempt(number) };
    (transition(number), decision, attempt)
}

async fn put(store: &dyn Store, number: u64) {
    let (transition, decision, attempt) = history(number);
    let changes = [
        Change::AddTransition { rule: rule("A", 0), transition },
        known(number),
        Change::AddDecision(decision),
        Change::add_attempt(attempt),
    ];
    commit(store, changes).await;
}

fn names(dossier: &Dossier) -> Vec<LabelSet> {
    dossier.cases.iter().map(|case| case.labels.clone()).collect()
}

pub async fn alerts_are_found_by_their_labels_when_they_are_gone(store: &dyn Store) {
    for number in 1..=3 {
        put(store, number).await;
    }
    for (text, found, more) in [
        ("alertname=Slow", &[3, 2][..], true),
        ("pod=\"p\\\"1\"", &[1], false),
        ("pod=~\"p.[13]\", cluster=c", &[3, 1], false),
        ("pod!=\"p\\\"3\"", &[2, 1], false),
        ("absent=\"\", pod!~\".*[23]\"", &[1], false),
        ("cluster=d", &[], false),
    ] {
        let dossier = dossier(store, text, 2).await;
        let expected: Vec<LabelSet> = found.iter().map(|number| routed(*number)).collect();
        assert_eq!((names(&dossier), dossier.more), (expected, more), "{text}");
        let nearby = if found.is_empty() { vec![routed(3), routed(2), routed(1)] } else { vec![] };
        assert_eq!(dossier.nearby, nearby, "{text}");
    }
    let (transition, decision, attempt) = history(2);
    let dossier = dossier(store, "pod=\"p\\\"2\"", 0).await;
    let [case] = dossier.cases.as_slice() else { panic!("{dossier:?}") };
    same(&case.history.transitions[0].transition, &transition);
    assert_eq!(case.history.transitions.len(), 1);
    assert_eq!(
        (&case.history.decisions, &case.history.attempts),
        (&vec![decision], &vec![attempt])
    );
    same(&case.current, &crate::storage::Snapshot::default());
}

/// The alert of the second rule is known under the same labels.
pub async fn a_case_has_all_that_concerns_it_now(store: &dyn Store) {
    put(store, 1).await;
    let fingerprint = routed(1).fingerprint();
    let own = StoredAlert { routed: routed(1), ..alert(rule("A", 0), 1) };
    let instance = own.instance.fingerprint();
    let told = Told { firing: [fingerprint].into(), ..Told::default() };
    let telling = StoredLane { delivered: Some(told), enqueued: None, ..lane(2) };
    let mut waiting = entry(2);
    std::sync::Arc::make_mut(&mut waiting.notification.alerts[1].alert).labels = routed(1);
    let current = [
        Change::PutAlert(own.clone()),
        Change::PutAlert(alert(rule("A", 0), 9)),
        Change::PutKnown(KnownAlert { labels: routed(1), instance, seen_at: at(5) }),
        // The group of the decision, that of a lane that knows the alert, and another.
        Change::PutGroup(group(1)),
        Change::PutGroup(group(2)),
        Change::PutGroup(group(3)),
        Change::put_lane(lane(1)),
        Change::put_lane(telling.clone()),
        Change::put_lane(lane(3)),
        Change::put_entry(waiting.clone()),
        Change::put_entry(entry(3)),
        Change::put_entry(OutboxEntry { id: EntryId(7), ..entry(1) }),
        Change::Heartbeat(at(50)),
        Change::AddStart(Start { at: at(2), last_alive: None }),
        Change::AddStart(Start { at: at(4), last_alive: Some(at(3)) }),
    ];
    commit(store, current).await;
    let dossier = dossier(store, "cluster=c", 0).await;
    assert_eq!(dossier.heartbeat, Some(at(50)));
    let starts = [(at(2), None), (at(4), Some(at(3)))];
    assert_eq!(dossier.starts, starts.map(|(at, last_alive)| Start { at, last_alive }));
    let [case] = dossier.cases.as_slice() else { panic!("{dossier:?}") };
    let Case { current, history, .. } = case;
    assert_eq!(history.transitions.len(), 1);
    assert_eq!(current.alerts, [own]);
    assert_eq!(current.groups, [group(1), group(2)]);
    assert_eq!(current.lanes, [lane(1), telling]);
    waiting.notification.alerts.remove(0);
    assert_eq!(current.entries, [waiting], "with its own words alone");
}

/// Where history was dropped because the store failed for long.
pub async fn an_alert_that_is_only_current_is_found(store: &dyn Store) {
    commit(store, [Change::PutAlert(StoredAlert { routed: routed(1), ..alert(rule("A", 0), 1) })])
        .await;
    assert_eq!(names(&dossier(store, "cluster=c", 1).await), [routed(1)]);
}

pub async fn an_alert_is_known_as_long_as_it_has_a_history(store: &dyn Store) {
    put(store, 1).await;
    put(store, 2).await;
    let active = StoredAlert { routed: routed(2), ..alert(rule("A", 0), 2) };
    let instance = active.instance.fingerprint();
    let mut of_active = transition(2);
    of_active.fingerprint = instance;
    let (_, of_group, _) = history(2);
    let of_group = Decision { integration: None, reason: "grouped".into(), ..of_group };
    commit(
        store,
        [
            Change::PutAlert(active.clone()),
            Change::PutKnown(KnownAlert { labels: routed(2), instance, seen_at: at(2) }),
            Change::AddTransition { rule: rule("A", 0), transition: of_active },
            Change::AddDecision(of_group.clone()),
            Change::AddStart(Start { at: at(1), last_alive: None }),
        ],
    )
    .await;
    // Three records of each, the alert 1, the start; the row of 2 that is not current.
    assert_eq!(store.prune(at(9)).await.unwrap(), 3 + 3 - 1 + 1 + 1 + 1);
    let dossier = dossier(store, "alertname=Slow", 0).await;
    assert_eq!(names(&dossier), [routed(2)]);
    let history = &dossier.cases[0].history;
    assert_eq!(history.transitions.len(), 1, "its own changes stay");
    // A decision about the whole group stays; the even number made another such one.
    assert!(history.decisions.contains(&of_group) && history.decisions.len() == 2);
    assert_eq!((history.attempts.len(), dossier.starts.len()), (0, 0));
    let fingerprint = instance;
    let over = Change::DeleteAlert { rule: rule("A", 0), fingerprint, resolved: false };
    commit(store, [over]).await;
    assert_eq!(store.prune(at(9)).await.unwrap(), 4);
    assert_eq!(names(&self::dossier(store, "alertname=Slow", 0).await), Vec::<LabelSet>::new());
}

pub async fn deliveries_are_listed_newest_first(store: &dyn Store) {
    for number in [2, 3, 1] {
        put(store, number).await;
    }
    let list = |filter: DeliveryFilter| async move { store.deliveries(&filter).await.unwrap() };
    let numbers = |deliveries: &Deliveries| {
        deliveries.attempts.iter().map(|attempt| attempt.entry.0).collect::<Vec<_>>()
    };
    let all = DeliveryFilter::default;
    for (filter, expected) in [
        (all(), &[3, 2, 1][..]),
        (DeliveryFilter { receiver: Some("team".into()), ..all() }, &[3, 2, 1]),
        (DeliveryFilter { receiver: Some("other".into()), ..all() }, &[]),
        (DeliveryFilter { kind: Some("slack".into()), index: Some(2), ..all() }, &[2]),
        (DeliveryFilter { kind: Some("email".into()), ..all() }, &[]),
        (DeliveryFilter { outcome: Some(AttemptOutcome::Retry), ..all() }, &[1]),
        (DeliveryFilter { since: Some(at(2)), ..all() }, &[3, 2]),
        (DeliveryFilter { matchers: matchers("pod=~\"p.[13]\""), ..all() }, &[3, 1]),
        (DeliveryFilter { matchers: matchers("pod=none"), ..all() }, &[]),
    ] {
        let found = list(filter.clone()).await;
        assert_eq!((numbers(&found), found.more), (expected.to_vec(), false), "{filter:?}");
    }
    let two = list(DeliveryFilter { limit: 2, ..all() }).await;
    assert_eq!((numbers(&two), two.more), (vec![3, 2], true));
    let labels: Vec<LabelSet> = two.labels.into_values().collect();
    assert!(labels.contains(&routed(3)) && labels.contains(&routed(2)) && labels.len() == 2);
}

pub async fn what_waits_is_listed_newest_first(store: &dyn Store) {
    commit(store, (1..=3).map(|number| Change::put_entry(entry(number)))).await;
    commit(store, [Change::Heartbeat(at(8))]).await;
    let list = |filter: DeliveryFilter| async move {
        let found = store.deliveries(&DeliveryFilter { pending: true, ..filter }).await.unwrap();
        assert_eq!((found.attempts.len(), found.heartbeat), (0, Some(at(8))));
        (found.entries.iter().map(|entry| entry.id.0).collect::<Vec<_>>(), found.more)
    };
    let all = DeliveryFilter::default;
    assert_eq!(list(all()).await, (vec![3, 2, 1], false));
    assert_eq!(list(DeliveryFilter { limit: 1, ..all() }).await, (vec![3], true));
    assert_eq!(list(DeliveryFilter { since: Some(at(2)), ..all() }).await.0, [3, 2]);
    assert_eq!(list(DeliveryFilter { index: Some(1), ..all() }).await.0, [1]);
    let one = DeliveryFilter { matchers: matchers("alertname=Slow"), ..all() };
    assert_eq!(list(one).await.0, [3, 2, 1]);
    let none = DeliveryFilter { matchers: matchers("alertname=Fast"), ..all() };
    assert_eq!(list(none).await.0, [] as [u64; 0]);
}

#[test]
fn a_fingerprint_is_no_part_of_another() {
    // The embedded store looks for its text in the logs.
    assert_eq!(Fingerprint(0xab).to_string().len(), Fingerprint(u64::MAX).to_string().len());
}
