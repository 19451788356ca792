//! How label sets are made.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::model::LabelSet;
use crate::model::label::packed::Packer;

/// What a label needs beside its texts, unless they are very long.
const ROOM: usize = 4;

/// Collects labels for a [`LabelSet`].
#[derive(Clone, Debug, Default)]
pub struct LabelSetBuilder {
    base: LabelSet,
    /// What differs from it; a label with an empty value is removed.
    changes: BTreeMap<String, String>,
}

impl LabelSetBuilder {
    pub(super) fn from_set(base: LabelSet) -> Self {
        Self { base, changes: BTreeMap::new() }
    }

    /// Sets a label, replacing an earlier value; an empty value removes it.
    pub fn set(&mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> &mut Self {
        self.changes.insert(name.as_ref().to_string(), value.as_ref().to_string());
        self
    }

    /// Removes a label.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.set(name, "")
    }

    /// Whether the label has been set.
    pub fn contains(&self, name: &str) -> bool {
        match self.changes.get(name) {
            Some(value) => !value.is_empty(),
            None => self.base.get(name).is_some(),
        }
    }

    /// The finished set.
    pub fn build(self) -> LabelSet {
        if self.changes.is_empty() {
            return self.base;
        }
        let mut kept = self.base.labels().kept().peekable();
        let mut packed = self.base.packer();
        for (name, value) in &self.changes {
            while let Some(label) = kept.next_if(|label| label.name < name.as_str()) {
                packed.keep(&label);
            }
            kept.next_if(|label| label.name == name);
            if !value.is_empty() {
                packed.push(name, value);
            }
        }
        kept.for_each(|label| packed.keep(&label));
        LabelSet::from_packed(packed.finish())
    }
}

/// Takes pairs in any order; of two with one name the later wins.
fn from_pairs<S: AsRef<str>, T: AsRef<str>>(pairs: &mut [(S, T)]) -> LabelSet {
    let name = |pair: &(S, T), other: &(S, T)| pair.0.as_ref().cmp(other.0.as_ref());
    // Most come sorted, which is seen in one pass. A stable sort keeps the later one behind.
    pairs.sort_by(name);
    let bytes = pairs.iter().map(|(n, v)| n.as_ref().len() + v.as_ref().len() + ROOM).sum();
    let mut packed = Packer::with_capacity(bytes);
    for (index, pair) in pairs.iter().enumerate() {
        let is_last = pairs.get(index + 1).is_none_or(|next| name(pair, next) != Ordering::Equal);
        let value = pair.1.as_ref();
        if is_last && !value.is_empty() {
            packed.push(pair.0.as_ref(), value);
        }
    }
    LabelSet::from_packed(packed.finish())
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for LabelSet {
    /// Collects pairs; of two with one name the later wins.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        from_pairs(&mut pairs.into_iter().collect::<Vec<_>>())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for LabelSet {
    fn from(mut pairs: [(&str, &str); N]) -> Self {
        from_pairs(&mut pairs)
    }
}

impl<'de> Deserialize<'de> for LabelSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = LabelSet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names and values of labels")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LabelSet, A::Error> {
        let mut pairs = Vec::new();
        while let Some((Text(name), Text(value))) = map.next_entry()? {
            pairs.push((name, value));
        }
        Ok(from_pairs(&mut pairs))
    }
}

/// A text that is borrowed from the input where it stands there as it is. (`Cow` itself is always
/// read as owned.)
struct Text<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_string()))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builder_merges_its_changes_into_the_set() {
        let base = LabelSet::from([("b", "2"), ("d", "4"), ("f", "6")]);
        let mut builder = base.to_builder();
        builder.set("a", "1").set("d", "IV").set("g", "7").set("g", "VII").remove("f");
        assert!(builder.contains("a") && builder.contains("b") && !builder.contains("f"));
        builder.remove("missing").set("e", "");
        let expected = LabelSet::from([("a", "1"), ("b", "2"), ("d", "IV"), ("g", "VII")]);
        assert_eq!(builder.build(), expected);
        assert_eq!(base.to_builder().build(), base);
    }

    #[test]
    fn of_two_labels_with_one_name_the_later_wins() {
        let set: LabelSet = [("b", "1"), ("a", "x"), ("b", "2"), ("a", "")].into_iter().collect();
        assert_eq!(set, LabelSet::from([("b", "2")]));
        let read: LabelSet = serde_json::from_str(r#"{"b":"1","a":"\u00e9","b":"2"}"#).unwrap();
        assert_eq!(read, LabelSet::from([("a", "é"), ("b", "2")]));
        assert!(serde_json::from_str::<LabelSet>(r#"{"a":1}"#).is_err());
    }
}
