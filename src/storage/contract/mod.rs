//! One suite of tests that every store passes.

mod collected;
pub mod lookup;
pub mod samples;

use crate::alerting::TransitionReason;
use crate::model::{Fingerprint, Timestamp};
use crate::outbox::EntryId;
use crate::storage::{Change, History, HistoryFilter, Snapshot, Store, StoredAlert};
pub use collected::*;
pub use lookup::*;
use samples::{alert, attempt, decision, entry, group, lane, rule, told, transition};

/// Makes a test out of every case. The argument is an expression that gives a pair: what must
/// outlive the store, and an empty store.
macro_rules! store_contract {
    ($fresh:expr) => {
        $crate::storage::contract::store_contract!(@ $fresh,
            an_empty_store_holds_nothing,
            what_is_put_is_loaded_in_order,
            a_put_replaces_and_a_delete_removes,
            an_alert_has_an_active_and_a_resolved_slot,
            rules_move_all_at_once,
            changes_of_one_list_apply_in_order,
            the_highest_number_of_an_entry_is_remembered,
            history_is_read_oldest_first,
            history_is_filtered,
            history_is_bounded,
            pruning_takes_old_history_only,
            concurrent_commits_are_all_there,
            alerts_are_found_by_their_labels_when_they_are_gone,
            a_case_has_all_that_concerns_it_now,
            an_alert_that_is_only_current_is_found,
            an_alert_is_known_as_long_as_it_has_a_history,
            deliveries_are_listed_newest_first,
            what_waits_is_listed_newest_first,
            what_is_collected_is_kept,
            another_source_takes_the_place_of_the_former,
        );
    };
    (@ $fresh:expr, $($case:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let (_guard, store) = $fresh;
                $crate::storage::contract::$case(&store).await;
            }
        )*
    };
}
pub(crate) use store_contract;

async fn commit(store: &dyn Store, changes: impl IntoIterator<Item = Change>) {
    store.commit(changes.into_iter().collect()).await.unwrap();
}

async fn history(store: &dyn Store, filter: &HistoryFilter) -> History {
    store.history(filter).await.unwrap()
}

/// Compares by what is printed: a `NaN` is not equal to itself.
fn same<T: std::fmt::Debug>(got: T, expected: T) {
    assert_eq!(format!("{got:#?}"), format!("{expected:#?}"));
}

pub async fn an_empty_store_holds_nothing(store: &dyn Store) {
    commit(store, []).await;
    same(store.load().await.unwrap(), Snapshot::default());
    same(history(store, &HistoryFilter::default()).await, History::default());
    assert_eq!(store.prune(Timestamp::from_secs(1)).await.unwrap(), 0);
}

pub async fn what_is_put_is_loaded_in_order(store: &dyn Store) {
    let snapshot = samples::snapshot();
    let mut changes = samples::puts(&snapshot);
    changes.reverse();
    commit(store, changes).await;
    same(store.load().await.unwrap(), snapshot);
}

pub async fn a_put_replaces_and_a_delete_removes(store: &dyn Store) {
    commit(store, samples::puts(&samples::snapshot())).await;
    let mut second = samples::snapshot();
    second.alerts[0].instance.value = 7.0;
    second.groups[0].next_flush = Timestamp::from_secs(99);
    second.lanes[0].delivered = Some(told(9));
    second.entries[0].attempts = 9;
    second.silences[0].ends_at = Timestamp::from_secs(77);
    second.heartbeat = Some(Timestamp::from_secs(5));
    commit(store, samples::puts(&second)).await;
    same(store.load().await.unwrap(), second.clone());

    let gone = second.alerts.remove(0);
    let fingerprint = gone.instance.fingerprint();
    let resolved = gone.instance.resolved_at.is_some();
    commit(
        store,
        [
            Change::DeleteAlert { rule: gone.rule, fingerprint, resolved },
            Change::DeleteGroup(second.groups.remove(0).id),
            Change::DeleteLane(second.lanes.remove(0).key),
            Change::DeleteEntry(second.entries.remove(0).id),
            Change::DeleteSilence(second.silences.remove(0).id),
            // What is not there can be deleted too.
            Change::DeleteEntry(EntryId(1_000)),
        ],
    )
    .await;
    same(store.load().await.unwrap(), second);
}

pub async fn an_alert_has_an_active_and_a_resolved_slot(store: &dyn Store) {
    let active = alert(rule("A", 0), 1);
    let mut resolved = active.clone();
    resolved.instance.resolved_at = Some(Timestamp::from_secs(50));
    let both = [resolved.clone(), active.clone()].map(Change::PutAlert);
    commit(store, both).await;
    let alerts = || async { store.load().await.unwrap().alerts };
    same(alerts().await, vec![active.clone(), resolved.clone()]);
    for (slot, left) in [(false, vec![resolved]), (true, vec![])] {
        let fingerprint = active.instance.fingerprint();
        let rule = active.rule.clone();
        commit(store, [Change::DeleteAlert { rule, fingerprint, resolved: slot }]).await;
        same(alerts().await, left);
    }
}

pub async fn rules_move_all_at_once(store: &dyn Store) {
    let put = |name, nth, number| Change::PutAlert(alert(rule(name, nth), number));
    let mut over = alert(rule("A", 0), 1);
    over.instance.resolved_at = Some(Timestamp::from_secs(60));
    commit(
        store,
        [
            put("A", 0, 1),
            Change::PutAlert(over.clone()),
            put("A", 0, 2),
            put("A", 1, 3),
            put("B", 0, 4),
        ],
    )
    .await;
    commit(store, [Change::AddTransition { rule: rule("A", 0), transition: transition(1) }]).await;
    let moves = vec![
        (rule("A", 0), rule("A", 1)),
        (rule("A", 1), rule("A", 0)),
        (rule("absent", 0), rule("B", 0)),
    ];
    commit(store, [Change::MoveRules(moves)]).await;
    let mut expected: Vec<StoredAlert> = vec![
        alert(rule("A", 0), 3),
        alert(rule("A", 1), 1),
        StoredAlert { rule: rule("A", 1), ..over },
        alert(rule("A", 1), 2),
        alert(rule("B", 0), 4),
    ];
    expected.sort_by_key(|a| {
        (a.rule.clone(), a.instance.fingerprint(), a.instance.resolved_at.is_some())
    });
    same(store.load().await.unwrap().alerts, expected);
    let past = history(store, &HistoryFilter::default()).await;
    assert_eq!(past.transitions[0].rule, rule("A", 0), "history keeps the old key");
}

pub async fn changes_of_one_list_apply_in_order(store: &dyn Store) {
    let swap = |from: EntryId, to: u64| [Change::DeleteEntry(from), Change::put_entry(entry(to))];
    commit(store, [Change::put_entry(entry(1))].into_iter().chain(swap(EntryId(1), 2))).await;
    commit(store, swap(EntryId(2), 2)).await;
    same(store.load().await.unwrap().entries, vec![entry(2)]);
}

pub async fn the_highest_number_of_an_entry_is_remembered(store: &dyn Store) {
    let last = || async { store.load().await.unwrap().last_entry };
    commit(store, [Change::put_entry(entry(7)), Change::DeleteEntry(EntryId(7))]).await;
    assert_eq!(last().await, 7);
    commit(store, [Change::put_entry(entry(3))]).await;
    assert_eq!(last().await, 7, "it never falls");
    commit(store, [Change::put_entry(entry(8))]).await;
    assert_eq!(last().await, 8);
}

/// Three records of each kind at 1 s, 2 s and 3 s, committed out of order, about the alerts 1 to
/// 3; the attempts name the alert before theirs too.
async fn put_history(store: &dyn Store) -> History {
    let mut expected = History::default();
    for number in [2, 3, 1] {
        let record = samples::recorded(number);
        commit(
            store,
            [
                Change::AddTransition { rule: record.rule, transition: record.transition },
                Change::AddDecision(decision(number)),
                Change::add_attempt(attempt(number)),
            ],
        )
        .await;
    }
    for number in 1..=3 {
        expected.transitions.push(samples::recorded(number));
        expected.decisions.push(decision(number));
        expected.attempts.push(attempt(number));
    }
    expected
}

pub async fn history_is_read_oldest_first(store: &dyn Store) {
    let mut expected = put_history(store).await;
    // Of one time: in the order of commits. Every reason has a name that is read back.
    for reason in TransitionReason::ALL {
        let mut record = samples::recorded(3);
        record.transition.reason = reason;
        expected.transitions.push(record.clone());
        let change = Change::AddTransition { rule: record.rule, transition: record.transition };
        commit(store, [change]).await;
    }
    same(history(store, &HistoryFilter::default()).await, expected);
}

pub async fn history_is_filtered(store: &dyn Store) {
    put_history(store).await;
    let times = |history: History| {
        let seconds = |at: Timestamp| at.millis() / 1000;
        (
            history.transitions.iter().map(|r| seconds(r.transition.at)).collect::<Vec<_>>(),
            history.decisions.iter().map(|r| seconds(r.at)).collect::<Vec<_>>(),
            history.attempts.iter().map(|r| seconds(r.at)).collect::<Vec<_>>(),
        )
    };
    type Seconds = &'static [i64];
    /// Alerts, since, limit; the times of transitions and decisions, those of attempts.
    type Case = (&'static [u64], Option<i64>, usize, Seconds, Seconds);
    let cases: &[Case] = &[
        (&[], None, 0, &[1, 2, 3], &[1, 2, 3]),
        (&[2], None, 0, &[2], &[2, 3]),
        (&[1, 3], None, 0, &[1, 3], &[1, 2, 3]),
        (&[9], None, 0, &[], &[]),
        (&[], Some(2), 0, &[2, 3], &[2, 3]),
        (&[1], Some(2), 0, &[], &[2]),
        (&[], None, 2, &[2, 3], &[2, 3]),
        (&[1, 2], None, 1, &[2], &[3]),
        (&[], Some(1), 1, &[3], &[3]),
    ];
    for (alerts, since, limit, records, attempts) in cases {
        let filter = HistoryFilter {
            alerts: alerts.iter().copied().map(Fingerprint).collect(),
            since: since.map(Timestamp::from_secs),
            limit: *limit,
        };
        let got = times(history(store, &filter).await);
        let expected = (records.to_vec(), records.to_vec(), attempts.to_vec());
        assert_eq!(got, expected, "{filter:?}");
    }
}

pub async fn history_is_bounded(store: &dyn Store) {
    use crate::storage::MAX_HISTORY;
    let last = u64::try_from(MAX_HISTORY).unwrap() + 2;
    commit(store, (1..=last).map(|number| Change::AddDecision(decision(number)))).await;
    for limit in [0, usize::MAX] {
        let filter = HistoryFilter { limit, ..HistoryFilter::default() };
        let decisions = history(store, &filter).await.decisions;
        assert_eq!(decisions.len(), MAX_HISTORY);
        assert_eq!(decisions.last(), Some(&decision(last)), "the newest are kept");
    }
}

pub async fn pruning_takes_old_history_only(store: &dyn Store) {
    commit(store, samples::puts(&samples::snapshot())).await;
    put_history(store).await;
    assert_eq!(store.prune(Timestamp::from_secs(1)).await.unwrap(), 0, "not what is as old");
    assert_eq!(store.prune(Timestamp::from_secs(3)).await.unwrap(), 6);
    let left = history(store, &HistoryFilter::default()).await;
    same(left.decisions, vec![decision(3)]);
    same(left.transitions, vec![samples::recorded(3)]);
    // By an alert that the attempts which went named as well.
    let filter = HistoryFilter { alerts: vec![Fingerprint(2)], ..HistoryFilter::default() };
    same(history(store, &filter).await.attempts, vec![attempt(3)]);
    same(store.load().await.unwrap(), samples::snapshot());
}

pub async fn concurrent_commits_are_all_there(store: &dyn Store) {
    let commits = (0..200).map(|number| {
        commit(
            store,
            [
                Change::PutGroup(group(number % 10)),
                Change::put_lane(lane(number % 10)),
                Change::AddDecision(decision(number)),
            ],
        )
    });
    futures::future::join_all(commits).await;
    let snapshot = store.load().await.unwrap();
    assert_eq!((snapshot.groups.len(), snapshot.lanes.len()), (10, 10));
    let all = history(store, &HistoryFilter::default()).await.decisions;
    same(all, (0..200).map(decision).collect());
}
