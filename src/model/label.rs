//! Label sets: sorted, immutable, cheap to clone, with Alertmanager's fingerprint.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The label that holds a metric's name.
pub const METRIC_NAME: &str = "__name__";
/// The label that holds an alert's name.
pub const ALERT_NAME: &str = "alertname";

type Pair = (Arc<str>, Arc<str>);

/// A set of label names and values, sorted by name.
///
/// A label with an empty value is the same as no label, as in Prometheus, so none is ever held.
/// Cloning copies a pointer.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelSet(Arc<[Pair]>);

impl Default for LabelSet {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl LabelSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a label, or `None` where the set lacks it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .binary_search_by(|(n, _)| n.as_ref().cmp(name))
            .ok()
            .and_then(|i| self.0.get(i))
            .map(|(_, v)| v.as_ref())
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
        self.0.is_empty()
    }

    /// How many labels the set holds.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Names and values in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        self.0.iter().map(|(n, v)| (n.as_ref(), v.as_ref()))
    }

    /// A builder that starts from this set.
    pub fn to_builder(&self) -> LabelSetBuilder {
        LabelSetBuilder(self.0.iter().cloned().collect())
    }

    /// This set without one label.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        if self.get(name).is_none() {
            return self.clone();
        }
        Self(self.0.iter().filter(|(n, _)| n.as_ref() != name).cloned().collect())
    }

    /// This set reduced to the labels that `keep` accepts by name.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(n, _)| keep(n)).cloned().collect())
    }

    /// Alertmanager's fingerprint: FNV-1a over `name 0xFF value 0xFF` in order of name
    /// (`labelSetToFingerprint` in prometheus/common). Stable across runs and versions.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Fnv1a::default();
        for (name, value) in self.iter() {
            hash.write(name.as_bytes());
            hash.write(&[0xff]);
            hash.write(value.as_bytes());
            hash.write(&[0xff]);
        }
        Fingerprint(hash.0)
    }
}

/// FNV-1a with 64 bits, the hash that Prometheus uses for identities.
struct Fnv1a(u64);

impl Default for Fnv1a {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv1a {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl<N: Into<Arc<str>>, V: Into<Arc<str>>> FromIterator<(N, V)> for LabelSet {
    /// Collects pairs; of two with one name the later wins.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut builder = LabelSetBuilder::default();
        for (name, value) in pairs {
            builder.set(name, value);
        }
        builder.build()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for LabelSet {
    fn from(pairs: [(&str, &str); N]) -> Self {
        pairs.into_iter().collect()
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

impl<'de> Deserialize<'de> for LabelSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(BTreeMap::<String, String>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// Collects labels for a [`LabelSet`].
#[derive(Clone, Debug, Default)]
pub struct LabelSetBuilder(BTreeMap<Arc<str>, Arc<str>>);

impl LabelSetBuilder {
    /// Sets a label, replacing an earlier value; an empty value removes it.
    pub fn set(&mut self, name: impl Into<Arc<str>>, value: impl Into<Arc<str>>) -> &mut Self {
        let (name, value) = (name.into(), value.into());
        if value.is_empty() {
            self.0.remove(&name);
        } else {
            self.0.insert(name, value);
        }
        self
    }

    /// Removes a label.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.0.remove(name);
        self
    }

    /// Whether the label has been set.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The finished set.
    pub fn build(self) -> LabelSet {
        LabelSet(self.0.into_iter().collect())
    }
}

/// The identity of a label set; prints as 16 hexadecimal digits, as Alertmanager's API does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
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
    fn display_quotes_values_and_odd_names() {
        let set = LabelSet::from([("b", "x\"\\\n"), ("a.b", "é")]);
        assert_eq!(set.to_string(), "{\"a.b\"=\"é\", b=\"x\\\"\\\\\\n\"}");
    }
}
