//! Texts that many label sets have in common.
//!
//! The alerts of one rule have the same names, and mostly the same values but for one or two. Where
//! they are kept, each of these texts is kept once for all of them.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::LabelSet;
use crate::model::label::packed::Packer;

/// So many sets at least are worth a list of their common texts.
const MIN_SETS: usize = 16;
/// How many sets are looked at to find what they have in common. A list is never longer than they
/// are together, however many sets it serves, or how few in the end.
const SAMPLE: usize = 64;
/// How many values of one name are taken for common at most: each set is compared with them.
const MAX_VALUES: usize = 32;

/// Texts, each by its place.
pub(super) struct Common {
    texts: Box<str>,
    /// Where each of them ends.
    ends: Box<[usize]>,
}

impl Common {
    /// A list of texts in their order.
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let (mut all, mut ends) = (String::new(), Vec::new());
        for text in texts {
            all.push_str(text);
            ends.push(all.len());
        }
        Self { texts: all.into(), ends: ends.into() }
    }

    /// The text at a place.
    pub(super) fn get(&self, place: usize) -> Option<&str> {
        let end = *self.ends.get(place)?;
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before));
        self.texts.get(start.copied().unwrap_or(0)..end)
    }
}

/// Keeps the texts that many of these sets have in common once for all of them. No set changes as far
/// as it can be seen.
pub fn share_texts<'a>(sets: impl IntoIterator<Item = &'a mut LabelSet>) {
    let mut sets: Vec<&mut LabelSet> = sets.into_iter().collect();
    if sets.len() < MIN_SETS {
        return;
    }
    // Rounded up, so that the whole length is seen.
    let stride = sets.len().div_ceil(SAMPLE);
    let census = Census::of(sets.iter().step_by(stride).map(|set| &**set));
    let (common, columns) = census.common();
    let common = Arc::new(common);
    for set in &mut sets {
        repack(set, &common, &columns);
    }
}

/// The names of some sets, in order, and how often each value came.
struct Census<'a>(BTreeMap<&'a str, BTreeMap<&'a str, usize>>);

/// A name and its common values, each by its place.
struct Column {
    name: usize,
    values: Vec<usize>,
}

impl<'a> Census<'a> {
    fn of(sets: impl Iterator<Item = &'a LabelSet>) -> Self {
        let mut names: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for (name, value) in sets.flat_map(LabelSet::iter) {
            *names.entry(name).or_default().entry(value).or_default() += 1;
        }
        Self(names)
    }

    /// All names and the values that came more than once. First come the names, since low places take
    /// less room.
    fn common(&self) -> (Common, Vec<Column>) {
        let mut texts: Vec<&str> = self.0.keys().copied().collect();
        let mut columns = Vec::with_capacity(self.0.len());
        for (name, values) in self.0.values().enumerate() {
            let mut often: Vec<(&str, usize)> =
                values.iter().map(|(value, count)| (*value, *count)).collect();
            // A place takes as much as a text of one byte.
            often.retain(|(value, count)| *count > 1 && value.len() > 1);
            often.sort_by_key(|(_, count)| Reverse(*count));
            often.truncate(MAX_VALUES);
            let first = texts.len();
            texts.extend(often.iter().map(|(value, _)| *value));
            columns.push(Column { name, values: (first..texts.len()).collect() });
        }
        (Common::new(texts.into_iter()), columns)
    }
}

/// Writes a set anew, with the places of its texts where they have one. The names of both rise.
fn repack(set: &mut LabelSet, common: &Arc<Common>, columns: &[Column]) {
    let mut packed = Packer::sharing(Some(common), set.bytes());
    let mut columns = columns.iter().peekable();
    let is_at = |place: usize, text: &str| common.get(place) == Some(text);
    for (name, value) in set.iter() {
        while columns.next_if(|c| common.get(c.name).is_some_and(|known| known < name)).is_some() {}
        let Some(column) = columns.next_if(|column| is_at(column.name, name)) else {
            packed.push(name, value);
            continue;
        };
        packed.push_common(column.name);
        match column.values.iter().find(|place| is_at(**place, value)) {
            Some(place) => packed.push_common(*place),
            None => packed.push_text(value),
        }
    }
    *set = LabelSet::from_packed(packed.finish_as(set.fingerprint().0));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many sets as the alerts of one rule have them.
    fn sets(count: usize) -> Vec<LabelSet> {
        let set = |number: usize| {
            LabelSet::from([
                ("alertname", "MemoryNearLimit"),
                ("namespace", "mlflow-prod"),
                ("node", &*format!("node-{}.example.com", number % 3)),
                ("pod", &*format!("worker-{number}-é")),
                ("x", "y"),
            ])
        };
        (0..count).map(set).collect()
    }

    #[test]
    fn sets_that_share_their_texts_look_as_before() {
        let before = sets(100);
        let mut after = before.clone();
        share_texts(&mut after);
        assert_eq!(after, before);
        let fingerprints = |sets: &[LabelSet]| -> Vec<_> {
            sets.iter().map(|set| (set.fingerprint(), set.to_string(), set.len())).collect()
        };
        assert_eq!(fingerprints(&after), fingerprints(&before));
        let bytes = |sets: &[LabelSet]| sets.iter().map(LabelSet::bytes).sum::<usize>();
        // Of a set remain its pod, a number for each other text, and what is too short to share.
        assert!(bytes(&after) < 100 * 30, "{} of {}", bytes(&after), bytes(&before));
        for (one, other) in after.iter().zip(&before) {
            assert_eq!(one.get("node"), other.get("node"));
            assert_eq!(one.without("node"), other.without("node"));
            let built = |set: &LabelSet| {
                let mut builder = set.to_builder();
                builder.set("cluster", "a").set("pod", "other").remove("x");
                builder.build()
            };
            assert_eq!(built(one), built(other));
            assert_eq!(built(one).fingerprint(), built(other).fingerprint());
            // What was shared stays shared.
            assert!(built(one).bytes() < 40, "{}", built(one).bytes());
        }
        assert_ne!(after[0], before[3]);
    }

    #[test]
    fn sets_without_names_in_common_share_what_they_can() {
        let set = |number: usize| match number % 3 {
            0 => LabelSet::new(),
            1 => LabelSet::from([("b", "often"), ("c", "y")]),
            _ => LabelSet::from([("a", &*format!("{number}")), ("b", "often"), ("d", "x")]),
        };
        let mut before: Vec<LabelSet> = (0..999).map(set).collect();
        // One that the sample does not see.
        before[1] = LabelSet::from([("a0", "1"), ("b", "often"), ("z", "")]);
        let mut after = before.clone();
        share_texts(&mut after);
        assert_eq!(after, before);
        assert_eq!(after[1].get("b"), Some("often"));
        assert!(after.iter().all(|set| set.bytes() < 16));
    }

    #[test]
    fn few_sets_and_seldom_values_are_left_alone() {
        let bytes = |sets: &[LabelSet]| sets.iter().map(LabelSet::bytes).collect::<Vec<_>>();
        let (before, mut after) = (sets(MIN_SETS - 1), sets(MIN_SETS - 1));
        share_texts(&mut after);
        assert_eq!(bytes(&after), bytes(&before));
        let own = |number: usize| LabelSet::from([("name", &*format!("value {}", number / 2))]);
        let mut after: Vec<LabelSet> = (0..200).map(own).collect();
        share_texts(&mut after);
        assert!(after.iter().all(|set| set.bytes() >= "value 0".len()), "each is in two of 200");
        let mut empty = vec![LabelSet::new(); 20];
        share_texts(&mut empty);
        assert!(empty.iter().all(LabelSet::is_empty));
    }
}
