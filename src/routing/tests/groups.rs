use super::*;

/// A group of the root (wait 30 s, interval 5 m) that is made at second 1000.
fn group() -> (RoutingTree, AggregationGroup) {
    let tree = tree("route: {receiver: a, group_by: [x]}");
    let labels = LabelSet::from([("x", "1")]);
    let (key, labels) = tree.root().group_of(&labels);
    let group = AggregationGroup::new(tree.root(), key, labels, at(1000));
    (tree, group)
}

fn firing(name: &str, starts_at: i64) -> Arc<Alert> {
    Arc::new(alert(LabelSet::from([("alertname", name), ("x", "1")]), starts_at, None))
}

#[test]
fn a_new_group_waits_then_follows_its_interval() {
    let (tree, mut group) = group();
    group.insert(tree.root(), firing("A", 1000), at(1000));
    assert!(!group.is_due(at(1029)));
    group.insert(tree.root(), firing("B", 1010), at(1010));
    assert!(group.is_due(at(1030)), "a second alert does not move the flush");
    // The flush comes two seconds late; the next one does not.
    group.flushed(tree.root(), at(1032));
    assert!(!group.is_due(at(1329)));
    assert!(group.is_due(at(1330)));
    // Long overdue: once now, not once for each interval that was missed.
    group.flushed(tree.root(), at(5000));
    assert!(!group.is_due(at(5299)));
    assert!(group.is_due(at(5300)));
}

#[test]
fn an_old_alert_does_not_wait_in_a_new_group() {
    let (tree, mut group) = group();
    group.insert(tree.root(), firing("A", 970), at(1000));
    assert!(!group.is_due(at(1000)), "exactly group_wait old: not older");
    group.insert(tree.root(), firing("B", 969), at(1000));
    assert!(group.is_due(at(1000)));
    group.flushed(tree.root(), at(1000));
    group.insert(tree.root(), firing("C", 0), at(1100));
    assert!(!group.is_due(at(1299)), "a group that was due before keeps its interval");
}

#[test]
fn a_restored_timer_is_kept_and_clamped() {
    let (tree, group) = group();
    let restored = |due: i64, has_flushed| {
        let (key, labels) = (group.key.clone(), group.labels.clone());
        let due = Timestamp::from_secs(due);
        AggregationGroup::restored(tree.root(), key, labels, due, has_flushed, at(2000)).next_flush
    };
    assert_eq!(restored(2100, true), at(2100).mono);
    assert_eq!(restored(1500, true), at(2000).mono, "overdue: at once");
    assert_eq!(restored(99_999, true), at(2300).mono, "one group_interval at most");
    assert_eq!(restored(99_999, false), at(2030).mono, "one group_wait at most");
}

#[test]
fn resolved_alerts_leave_once_they_are_told() {
    let (tree, mut group) = group();
    group.insert(tree.root(), firing("A", 1000), at(1000));
    let resolved =
        Alert { ends_at: Some(Timestamp::from_secs(1020)), ..(*firing("B", 1000)).clone() };
    group.insert(tree.root(), Arc::new(resolved), at(1020));
    let (fires, over) = group.split(|_, _| true);
    assert_eq!((fires.len(), over.len()), (1, 1));
    assert_eq!(group.split(|_, alert| alert.labels.alertname() == "B").0.len(), 0);
    // B fires again between the flush and its delivery, so it stays.
    group.insert(tree.root(), firing("B", 1025), at(1025));
    group.remove_resolved(&over);
    assert_eq!(group.alerts.len(), 2);
    let resolved =
        Alert { ends_at: Some(Timestamp::from_secs(1030)), ..(*firing("B", 1025)).clone() };
    group.insert(tree.root(), Arc::new(resolved), at(1030));
    group.remove_resolved(&fires);
    assert_eq!(group.alerts.len(), 2, "only what is named");
    group.remove_resolved(&over);
    assert_eq!(group.alerts.keys().copied().collect::<BTreeSet<_>>(), fires);
    assert!(!group.is_empty());
}
