//! Label sets: sorted, immutable, cheap to clone, with Alertmanager's fingerprint.

mod builder;
mod common;
mod fingerprint;
mod packed;

pub use builder::LabelSetBuilder;
pub use common::share_texts;
pub use fingerprint::Fingerprint;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::model::label::packed::{Labels, Packed, Packer};

/// The label that holds a metric's name.
pub const METRIC_NAME: &str = "__name__";
/// The label that holds an alert's name.
pub const ALERT_NAME: &str = "alertname";

/// A set of label names and values, sorted by name.
///
/// A label with an empty value is the same as no label, as in Prometheus, so none is ever held.
/// Cloning copies a pointer. All names and values stand in one piece of memory (`packed.rs`), but for
/// those that a set has in common with others ([`share_texts`]): sets are what a program full of
/// alerts mostly holds.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LabelSet(Option<Packed>);

impl LabelSet {
    fn from_packed(packed: Option<Packed>) -> Self {
        Self(packed)
    }

    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a label, or `None` where the set lacks it.
    pub fn get(&self, name: &str) -> Option<&str> {
        // The names rise: behind the place of the wanted one there is nothing to look for.
        let mut labels = self.labels().skip_while(|(n, _)| *n < name);
        labels.next().filter(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The value of a label; a missing label is "", as matchers and `equal` see it.
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or("")
    }

    /// The alert's name, or "" for a set without one.
    pub fn alertname(&self) -> &str {
        self.value(ALERT_NAME)
    }

    /// Whether the set holds no label.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many labels the set holds.
    pub fn len(&self) -> usize {
        self.labels().count()
    }

    /// Names and values in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        self.labels()
    }

    fn labels(&self) -> Labels<'_> {
        self.0.as_ref().map(Packed::labels).unwrap_or_default()
    }

    /// The hash that was made with the set; `None` for the empty one.
    fn stamp(&self) -> Option<u64> {
        self.0.as_ref().map(Packed::hash)
    }

    /// How many bytes the names and values take that the set does not share.
    fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, Packed::bytes)
    }

    /// A packer that can keep labels of this set.
    fn packer(&self) -> Packer {
        Packer::sharing(self.0.as_ref().and_then(Packed::common), self.bytes())
    }

    /// A builder that starts from this set.
    pub fn to_builder(&self) -> LabelSetBuilder {
        LabelSetBuilder::from_set(self.clone())
    }

    /// This set without one label.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        self.filtered(|n| n != name)
    }

    /// This set reduced to the labels that `keep` accepts by name.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        let mut packed = self.packer();
        self.labels().kept().filter(|label| keep(label.name)).for_each(|label| packed.keep(&label));
        // Where all were kept, the text that is there is shared.
        if packed.bytes() == self.bytes() {
            self.clone()
        } else {
            Self::from_packed(packed.finish())
        }
    }
}

/// The fingerprint is a hash already.
impl Hash for LabelSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.fingerprint().0);
    }
}

/// By the first name or value that differs; a set comes before those that it begins.
impl Ord for LabelSet {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for LabelSet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Prints as Prometheus does: `{a="1", b="2"}`, quotes and backslashes escaped.
impl fmt::Display for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            if is_legacy_label_name(name) {
                write!(f, "{name}={}", Quoted(value))?;
            } else {
                write!(f, "{}={}", Quoted(name), Quoted(value))?;
            }
        }
        f.write_str("}")
    }
}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A string in double quotes, escaped as Go's `%q` does for printable text.
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '\r' => f.write_str("\\r")?,
                c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

/// Whether a name is a label name in the form that needs no quotes: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub fn is_legacy_label_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl Serialize for LabelSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_is_alertmanagers() {
        // The value that prometheus/common gives for an empty set: FNV-1a's offset basis.
        assert_eq!(LabelSet::new().fingerprint().to_string(), "cbf29ce484222325");
        // Order of insertion does not matter; values do.
        let a = LabelSet::from([("a", "1"), ("b", "2")]);
        assert_eq!(a, LabelSet::from([("b", "2"), ("a", "1")]));
        assert_ne!(a.fingerprint(), LabelSet::from([("a", "2"), ("b", "1")]).fingerprint());
        assert_eq!(a.fingerprint().to_string().parse(), Ok(a.fingerprint()));
    }

    #[test]
    fn an_empty_value_is_no_label() {
        let set = LabelSet::from([("a", ""), ("b", "2")]);
        assert_eq!(set.len(), 1);
        assert_eq!(set.get("a"), None);
        assert_eq!(set.value("a"), "");
    }

    #[test]
    fn sets_are_ordered_by_names_and_values_not_by_their_lengths() {
        let long = LabelSet::from([("a", &*"1".repeat(100))]);
        let sets =
            [LabelSet::new(), long, LabelSet::from([("a", "2")]), LabelSet::from([("b", "")])];
        assert!(sets[0] < sets[1] && sets[1] < sets[2]);
        assert_eq!(sets[3], sets[0]);
    }

    #[test]
    fn labels_are_found_and_left_out_by_name() {
        let set = LabelSet::from([("a", "1"), ("b", "2"), ("c", "3")]);
        let found = ["", "a", "aa", "c", "d"].map(|name| set.get(name));
        assert_eq!(found, [None, Some("1"), None, Some("3"), None]);
        assert_eq!(set.without("b"), LabelSet::from([("a", "1"), ("c", "3")]));
        assert_eq!((set.without("x"), set.len()), (set, 3));
    }

    #[test]
    fn display_quotes_values_and_odd_names() {
        let set = LabelSet::from([("b", "x\"\\\n"), ("a.b", "é")]);
        assert_eq!(set.to_string(), "{\"a.b\"=\"é\", b=\"x\\\"\\\\\\n\"}");
    }
}
