//! Silences: what holds what, and how they change.

use proptest::prelude::*;

use crate::model::{
    LabelSet, Silence, SilenceDraft, SilenceError, SilenceId, SilenceState, Timestamp,
    parse_matchers,
};
use crate::routing::Silences;
use crate::routing::silence_index::SilenceIndex;

fn secs(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn id(number: u8) -> SilenceId {
    SilenceId::from_random([number; 16])
}

/// From second 100 to second 200.
fn draft(matchers: &str) -> SilenceDraft {
    SilenceDraft {
        id: None,
        matchers: parse_matchers(matchers).unwrap(),
        starts_at: secs(100),
        ends_at: secs(200),
        created_by: "ann".to_string(),
        comment: "disk swap".to_string(),
    }
}

/// One silence `a=b` with the identity 1, set at second `at`.
fn one(at: i64) -> Silences {
    let mut silences = Silences::default();
    silences.set(draft("a=b"), id(1), secs(at)).unwrap();
    silences
}

fn state(silences: &Silences, number: u8, at: i64) -> SilenceState {
    silences.get(id(number)).unwrap().state(secs(at))
}

#[test]
fn those_that_match_and_are_active_hold() {
    let mut silences = Silences::default();
    for (number, matchers) in [
        (1, "alertname=Down,pod=a"),
        (2, "alertname=~\"Down|Slow\""),
        (3, "pod=~\"a.*\""),
        (4, "pod!=\"\""),
        (5, "alertname=Down,team=\"\""),
        (6, "pod=~\".*c\""),
    ] {
        silences.set(draft(matchers), id(number), secs(50)).unwrap();
    }
    let holds = |labels: &[(&str, &str)], at| {
        let labels = labels.iter().copied().collect::<LabelSet>();
        let found = silences.silenced_by(&labels, secs(at));
        (1..=6).filter(|n| found.contains(&id(*n))).collect::<Vec<u8>>()
    };
    assert_eq!(holds(&[("alertname", "Down"), ("pod", "a")], 150), [1, 2, 3, 4, 5]);
    assert_eq!(holds(&[("alertname", "Down"), ("pod", "a")], 99), [0_u8; 0], "not yet");
    assert_eq!(holds(&[("alertname", "Down"), ("pod", "a")], 200), [0_u8; 0], "over");
    assert_eq!(holds(&[("alertname", "Slow"), ("team", "x")], 150), [2]);
    assert_eq!(holds(&[("alertname", "Down"), ("team", "x")], 150), [2]);
    assert_eq!(holds(&[("pod", "abc")], 150), [3, 4, 6]);
}

#[test]
fn a_new_one_begins_now_at_the_earliest() {
    let silences = one(150);
    let silence = silences.get(id(1)).unwrap();
    assert_eq!((silence.starts_at, silence.updated_at), (secs(150), secs(150)));
    assert_eq!(one(50).get(id(1)).unwrap().starts_at, secs(100));
}

#[test]
fn comment_author_and_end_change_in_place() {
    for at in [60, 150] {
        let mut silences = one(50);
        let mut change = SilenceDraft { id: Some(id(1)), ends_at: secs(900), ..draft("a=b") };
        change.comment = "longer than thought".to_string();
        change.created_by = "bob".to_string();
        let changed = silences.set(change, id(2), secs(at)).unwrap();
        assert_eq!((changed.id, changed.put.len(), silences.iter().len()), (id(1), 1, 1));
        let silence = silences.get(id(1)).unwrap();
        assert_eq!((silence.ends_at, silence.updated_at), (secs(900), secs(at)));
        assert_eq!((silence.created_by.as_str(), silence.starts_at), ("bob", secs(100)));
        assert_eq!(silences.silenced_by(&LabelSet::from([("a", "b")]), secs(899)), [id(1)]);
    }
}

#[test]
fn other_matchers_or_another_start_make_another_silence() {
    let other = |at: i64, change: fn(&mut SilenceDraft)| {
        let mut silences = one(50);
        let mut next = SilenceDraft { id: Some(id(1)), ..draft("a=b") };
        change(&mut next);
        let changed = silences.set(next, id(2), secs(at)).unwrap();
        (changed.id, changed.put.len(), state(&silences, 1, at))
    };
    let expired = SilenceState::Expired;
    assert_eq!(other(150, |d| d.matchers = parse_matchers("a=c").unwrap()), (id(2), 2, expired));
    assert_eq!(other(60, |d| d.matchers = parse_matchers("a=c").unwrap()), (id(2), 2, expired));
    assert_eq!(other(150, |d| d.starts_at = secs(120)), (id(2), 2, expired));
    assert_eq!(other(60, |d| d.starts_at = secs(40)), (id(2), 2, expired), "it begins at once");
    let pending = SilenceState::Pending;
    assert_eq!(other(60, |d| d.starts_at = secs(120)), (id(1), 1, pending), "still ahead");
    let active = SilenceState::Active;
    let within = |d: &mut SilenceDraft| d.starts_at = Timestamp::from_millis(100_400);
    assert_eq!(other(150, within), (id(1), 1, active), "the same second");
}

#[test]
fn the_order_of_matchers_means_nothing() {
    let mut silences = Silences::default();
    silences.set(draft("a=b,c=d"), id(1), secs(50)).unwrap();
    let again = SilenceDraft { id: Some(id(1)), ..draft("c=d,a=b") };
    assert_eq!(silences.set(again, id(2), secs(150)).unwrap().id, id(1));
}

#[test]
fn one_that_is_over_stays_as_it_is() {
    let mut silences = one(50);
    let again = SilenceDraft { id: Some(id(1)), ends_at: secs(900), ..draft("a=b") };
    let changed = silences.set(again, id(2), secs(300)).unwrap();
    assert_eq!((changed.id, changed.put.len()), (id(2), 1));
    assert_eq!(silences.get(id(1)).unwrap().ends_at, secs(200));
    assert_eq!(silences.get(id(2)).unwrap().starts_at, secs(300));
}

#[test]
fn expiring_ends_it_now_or_before_it_begins() {
    let mut active = one(50);
    active.expire(id(1), secs(150)).unwrap();
    let silence = active.get(id(1)).unwrap();
    assert_eq!((silence.starts_at, silence.ends_at), (secs(100), secs(150)));
    assert_eq!(state(&active, 1, 150), SilenceState::Expired);
    assert_eq!(active.expire(id(1), secs(151)), Ok(None), "it stays as it is");
    assert_eq!(active.get(id(1)).unwrap().ends_at, secs(150));

    let mut pending = one(50);
    pending.expire(id(1), secs(60)).unwrap();
    let silence = pending.get(id(1)).unwrap();
    assert_eq!((silence.starts_at, silence.ends_at), (secs(60), secs(60)));
    assert!(pending.silenced_by(&LabelSet::from([("a", "b")]), secs(150)).is_empty());
    assert_eq!(pending.expire(id(9), secs(60)), Err(SilenceError::NotFound));
}

#[test]
fn a_refused_change_changes_nothing() {
    let mut silences = one(50);
    let unknown = SilenceDraft { id: Some(id(9)), ..draft("a=b") };
    assert_eq!(silences.set(unknown, id(2), secs(150)), Err(SilenceError::NotFound));
    let bad = SilenceDraft { id: Some(id(1)), ..draft("a=") };
    assert_eq!(silences.set(bad, id(2), secs(150)), Err(SilenceError::MatchesAll));
    assert_eq!((silences.iter().len(), state(&silences, 1, 150)), (1, SilenceState::Active));
}

#[test]
fn what_is_long_over_is_forgotten() {
    let mut silences = one(50);
    assert_eq!(silences.prune(secs(200)), [], "not what ended just then");
    assert_eq!(silences.prune(secs(201)), [id(1)]);
    assert_eq!((silences.prune(secs(900)).len(), silences.iter().len()), (0, 0));
    assert!(silences.silenced_by(&LabelSet::from([("a", "b")]), secs(150)).is_empty());
}

/// Silences with the identities 0 to `count`.
fn many(count: u128, matchers: impl Fn(u128) -> String, ends_at: i64) -> Silences {
    let silences = (0..count).map(|number| {
        let id = SilenceId::from_random(number.to_be_bytes());
        let draft = SilenceDraft { ends_at: secs(ends_at), ..draft(&matchers(number)) };
        draft.into_silence(id, secs(50))
    });
    silences.collect::<Vec<Silence>>().into_iter().collect()
}

#[test]
fn there_is_an_end_to_how_many_are_taken_and_kept() {
    let mut full = many(10_000, |n| format!("a=b{n}"), 200);
    assert_eq!(full.set(draft("a=b"), id(9), secs(60)), Err(SilenceError::TooMany(10_000)));
    // One that takes another's place needs no room.
    let first = full.iter().next().unwrap().id;
    let other = SilenceDraft { id: Some(first), ..draft("c=d") };
    assert!(full.set(other, id(9), secs(60)).is_ok());
    let later = SilenceDraft { ends_at: secs(900), ..draft("a=b") };
    assert!(full.set(later, id(8), secs(300)).is_ok(), "the others are over");

    let mut old = many(50_000, |n| format!("a=b{n}"), 200);
    let later = SilenceDraft { ends_at: secs(900), ..draft("a=b") };
    let changed = old.set(later, id(9), secs(300)).unwrap();
    assert_eq!((changed.dropped.len(), old.iter().len()), (1, 50_000));
    assert!(old.get(id(9)).is_some());
}

/// What is looked at for each of many alerts is what is compared with: the rest costs nothing.
#[test]
fn thousands_of_silences_leave_an_alert_few_to_look_at() {
    for (kind, matchers) in [
        ("equal", (|n| format!("alertname=A{},pod=p{n}-0", n % 50)) as fn(u128) -> String),
        ("one of", |n| format!("pod=~\"p{n}-0|q{n}\"")),
        ("begins", |n| format!("pod=~\"p{n}-.*\",alertname=~\"A.*\"")),
    ] {
        let mut index = SilenceIndex::default();
        for number in 0..200_u128 {
            let id = SilenceId::from_random(number.to_be_bytes());
            index.put(id, &parse_matchers(&matchers(number)).unwrap());
        }
        for number in 0..400 {
            let (name, pod) = (format!("A{}", number % 50), format!("p{number}-0"));
            let labels = LabelSet::from([("alertname", name.as_str()), ("pod", pod.as_str())]);
            let looked_at = index.candidates(&labels).len();
            assert!(looked_at <= 3, "{kind}: {looked_at} for {labels}");
        }
    }
}

proptest! {
    /// The index finds what going through all silences finds.
    #[test]
    fn the_index_misses_nothing(
        texts in proptest::collection::vec("(a|b)(=|!=|=~|!~)\"(x|y|xy|x\\.\\*|x\\|y|\\.\\+|)\"(,a=~\"x\\.\\*\")?", 1..8),
        a in "[xy]{0,3}",
        b in "[xy]{0,3}",
        ends in proptest::collection::vec(0_usize..8, 0..4),
    ) {
        let mut silences = Silences::default();
        for (number, text) in (0..).zip(&texts) {
            // Some match everything and are refused.
            let _ = silences.set(draft(text), id(number), secs(100));
        }
        for number in ends {
            let _ = silences.expire(id(u8::try_from(number).unwrap()), secs(120));
        }
        let labels = LabelSet::from([("a", a.as_str()), ("b", b.as_str())]);
        let all = silences.iter().filter(|s| s.silences(&labels, secs(150)));
        let all: Vec<SilenceId> = all.map(|s| s.id).collect();
        prop_assert_eq!(silences.silenced_by(&labels, secs(150)), all);
    }
}
