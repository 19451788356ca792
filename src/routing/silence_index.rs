//! Finds the few silences that may hold an alert among thousands.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use crate::model::regexp::{Leading, leading_literals};
use crate::model::{LabelSet, MatchOp, Matcher, Matchers, SilenceId};

/// Silences by a text.
type ByText = HashMap<Vec<u8>, Vec<SilenceId>>;

/// Silences by what one of their matchers wants of a label: that its value is one of some texts, or
/// begins with one. A silence of which no matcher says that is a candidate for every alert.
#[derive(Debug, Default)]
pub(super) struct SilenceIndex {
    by_label: HashMap<String, ByValue>,
    others: Vec<SilenceId>,
    /// Where each silence stands, to take it out again.
    places: HashMap<SilenceId, Place>,
}

#[derive(Debug, Default)]
struct ByValue {
    whole: ByText,
    /// By the length of the beginning, so that a value is cut to each length once.
    begins: BTreeMap<usize, ByText>,
}

#[derive(Debug)]
enum Place {
    Label(String, Vec<Leading>),
    Others,
}

impl SilenceIndex {
    /// Puts a silence in, in place of one with the same identity.
    pub(super) fn put(&mut self, id: SilenceId, matchers: &Matchers) {
        self.remove(id);
        let place = self.best(matchers);
        match &place {
            Place::Label(name, leading) => {
                let values = self.by_label.entry(name.clone()).or_default();
                for text in leading {
                    values.table(text).entry(text.bytes.clone()).or_default().push(id);
                }
            }
            Place::Others => self.others.push(id),
        }
        self.places.insert(id, place);
    }

    pub(super) fn remove(&mut self, id: SilenceId) {
        match self.places.remove(&id) {
            None => {}
            Some(Place::Others) => self.others.retain(|other| *other != id),
            Some(Place::Label(name, leading)) => {
                let Some(values) = self.by_label.get_mut(&name) else { return };
                for text in &leading {
                    let table = values.table(text);
                    if let Some(ids) = table.get_mut(&text.bytes) {
                        ids.retain(|other| *other != id);
                        if ids.is_empty() {
                            table.remove(&text.bytes);
                        }
                    }
                }
                values.begins.retain(|_, table| !table.is_empty());
                if values.whole.is_empty() && values.begins.is_empty() {
                    self.by_label.remove(&name);
                }
            }
        }
    }

    /// The matcher that leaves the fewest silences to look at: one with whole texts before one with
    /// beginnings, where few other silences stand, few texts before many, long beginnings before
    /// short ones.
    fn best(&self, matchers: &Matchers) -> Place {
        let places = matchers.0.iter().filter_map(|m| Some((m.name(), leading(m)?)));
        let worth = |(name, texts): &(&str, Vec<Leading>)| {
            let begins = texts.iter().filter(|text| !text.whole);
            let shortest = begins.map(|text| text.bytes.len()).min();
            let values = self.by_label.get(*name);
            let crowd = |text| values.map_or(0, |values| values.crowd(text));
            let crowd: usize = texts.iter().map(crowd).sum();
            (shortest.is_some(), crowd, texts.len(), Reverse(shortest))
        };
        let best = places.min_by_key(worth);
        best.map_or(Place::Others, |(name, texts)| Place::Label(name.to_string(), texts))
    }

    /// All silences that may match a label set, and some that do not; sorted, each once.
    pub(super) fn candidates(&self, labels: &LabelSet) -> Vec<SilenceId> {
        let mut found = self.others.clone();
        for (name, value) in labels.iter() {
            let Some(values) = self.by_label.get(name) else { continue };
            let value = value.as_bytes();
            found.extend(values.whole.get(value).into_iter().flatten());
            for (length, table) in &values.begins {
                let Some(begin) = value.get(..*length) else { break };
                found.extend(table.get(begin).into_iter().flatten());
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl ByValue {
    /// How many silences stand at a text.
    fn crowd(&self, text: &Leading) -> usize {
        let table = if text.whole { Some(&self.whole) } else { self.begins.get(&text.bytes.len()) };
        table.and_then(|table| table.get(&text.bytes)).map_or(0, Vec::len)
    }

    fn table(&mut self, text: &Leading) -> &mut ByText {
        if text.whole { &mut self.whole } else { self.begins.entry(text.bytes.len()).or_default() }
    }
}

fn leading(matcher: &Matcher) -> Option<Vec<Leading>> {
    match matcher.op() {
        // A label that is missing is not found by its value.
        MatchOp::Equal if matcher.value().is_empty() => None,
        MatchOp::Equal => {
            let bytes = matcher.value().as_bytes().to_vec();
            Some(vec![Leading { bytes, whole: true }])
        }
        MatchOp::Regex => leading_literals(matcher.value()),
        MatchOp::NotEqual | MatchOp::NotRegex => None,
    }
}
