//! Inhibition: while one alert fires, others are held back.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use crate::model::{Alert, Fingerprint, LabelSet, Matchers};

/// While an alert that matches `source` fires, alerts that match `target` and have the same values
/// for all labels of `equal` are held back.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct InhibitRule {
    /// The name, for people; may be empty.
    pub name: String,
    /// What the alert matches that holds others back.
    pub source: Matchers,
    /// What the alerts match that are held back.
    pub target: Matchers,
    /// The labels that must agree. A missing label has the value "".
    pub equal: Vec<String>,
}

impl InhibitRule {
    /// The labels of a set that must agree. A label set holds no empty values, so a missing label
    /// and an empty one give the same.
    fn key(&self, labels: &LabelSet) -> LabelSet {
        labels.filtered(|name| self.equal.iter().any(|e| e == name))
    }
}

/// What holds an alert back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inhibition {
    /// Which rule, counted from 0 in the order of the configuration.
    pub rule: usize,
    /// The rule's name; may be empty.
    pub name: String,
    /// The alert that fires.
    pub source: Fingerprint,
}

/// The firing source alerts of one rule that agree in the labels of `equal`.
#[derive(Debug, Default)]
struct Sources {
    /// They match the source side only.
    one_sided: BTreeSet<Fingerprint>,
    /// They match the target side too, and so do not hold back others that match both.
    two_sided: BTreeSet<Fingerprint>,
}

impl Sources {
    fn is_empty(&self) -> bool {
        self.one_sided.is_empty() && self.two_sided.is_empty()
    }
}

/// Answers which alerts are held back, and by what. It keeps the firing source alerts by rule and
/// by the values of `equal`, so that a question costs about as much as matching the rules, however
/// many alerts fire.
#[derive(Debug, Default)]
pub struct Inhibitor {
    rules: Vec<InhibitRule>,
    /// For each rule, in the same order, its firing sources by the values of `equal`.
    sources: Vec<HashMap<LabelSet, Sources>>,
    /// Where each source stands, to take it out again.
    places: HashMap<Fingerprint, Vec<(usize, LabelSet)>>,
}

impl Inhibitor {
    /// An inhibitor that knows of no alert yet.
    pub fn new(rules: Vec<InhibitRule>) -> Self {
        let sources = rules.iter().map(|_| HashMap::new()).collect();
        Self { rules, sources, places: HashMap::new() }
    }

    /// The rules in the order of the configuration.
    pub fn rules(&self) -> &[InhibitRule] {
        &self.rules
    }

    /// Takes note of an alert's present state. One that is resolved holds nothing back.
    pub fn set(&mut self, alert: &Alert) {
        let id = alert.fingerprint();
        if alert.is_resolved() {
            self.remove(id);
            return;
        }
        // The labels are the identity: a known source stands where it belongs.
        if self.places.contains_key(&id) {
            return;
        }
        let mut places = Vec::new();
        for (index, (rule, sources)) in self.rules.iter().zip(&mut self.sources).enumerate() {
            if !rule.source.matches(&alert.labels) {
                continue;
            }
            let key = rule.key(&alert.labels);
            let entry = sources.entry(key.clone()).or_default();
            if rule.target.matches(&alert.labels) {
                entry.two_sided.insert(id);
            } else {
                entry.one_sided.insert(id);
            }
            places.push((index, key));
        }
        if !places.is_empty() {
            self.places.insert(id, places);
        }
    }

    /// Forgets an alert.
    pub fn remove(&mut self, id: Fingerprint) {
        for (index, key) in self.places.remove(&id).unwrap_or_default() {
            let Some(sources) = self.sources.get_mut(index) else { continue };
            if let Some(entry) = sources.get_mut(&key) {
                entry.one_sided.remove(&id);
                entry.two_sided.remove(&id);
                if entry.is_empty() {
                    sources.remove(&key);
                }
            }
        }
    }

    /// What holds an alert back: the first rule that does, and of its sources the one with the
    /// lowest identity, so that the answer does not change from one question to the next.
    pub fn inhibited_by(&self, labels: &LabelSet) -> Option<Inhibition> {
        self.rules.iter().zip(&self.sources).enumerate().find_map(|(index, (rule, sources))| {
            if sources.is_empty() || !rule.target.matches(labels) {
                return None;
            }
            let entry = sources.get(&rule.key(labels))?;
            let source = entry.one_sided.first().or_else(|| {
                // Both match both sides: neither holds back the other, nor an alert itself.
                if rule.source.matches(labels) { None } else { entry.two_sided.first() }
            })?;
            Some(Inhibition { rule: index, name: rule.name.clone(), source: *source })
        })
    }
}
