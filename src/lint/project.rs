//! Everything that is checked together.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::diag::{Diagnostic, Severity};
use crate::lint::RuleFile;
use crate::lint::context::with_rule_labels;
use crate::promql::VectorSelector;
use crate::promql::flow::{Labels, flow};
use crate::rule::{Rule, RuleGroup};

/// What people may decide about the checks.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Other severities than a check has, by its id; `None` is off.
    pub severities: BTreeMap<String, Option<Severity>>,
    /// How often targets are scraped, if that is known.
    pub scrape_interval: Option<Duration>,
    /// How often groups are evaluated that do not say it themselves, if that is known.
    pub evaluation_interval: Option<Duration>,
    /// Experimental functions are enabled in the Prometheus that is asked.
    pub experimental_functions: bool,
}

/// The rules of all files with what is known around them.
#[derive(Debug)]
pub struct Project {
    /// The files.
    pub files: Vec<RuleFile>,
    /// What people decided.
    pub settings: Settings,
    /// What recording rules give, by name.
    recorded: HashMap<String, Labels>,
    /// Where they stand: file, group and rule.
    recording: HashMap<String, Vec<(usize, usize, usize)>>,
}

impl Project {
    /// Puts everything together.
    pub fn new(files: Vec<RuleFile>, settings: Settings) -> Self {
        let mut project =
            Self { files, settings, recorded: HashMap::new(), recording: HashMap::new() };
        project.recording = project.recording_places();
        project.recorded = project.recorded_labels();
        project
    }

    /// All groups, in order.
    pub fn groups(&self) -> impl Iterator<Item = &RuleGroup> {
        self.files.iter().flat_map(|file| &file.groups)
    }

    /// All rules with their groups, in order.
    pub fn rules(&self) -> impl Iterator<Item = (&RuleGroup, &Rule)> {
        self.groups().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)))
    }

    /// The mistakes that were found when the files were read.
    pub fn mistakes(&self) -> impl Iterator<Item = &Diagnostic> {
        self.files.iter().flat_map(|file| &file.findings)
    }

    /// The labels of the series that a selector picks, where a recording rule gives them.
    pub fn recorded(&self, selector: &VectorSelector) -> Option<Labels> {
        self.recorded.get(selector.metric_name()?).cloned()
    }

    /// The recording rules of a name.
    pub fn recording(&self, name: &str) -> impl Iterator<Item = &Rule> {
        let places = self.recording.get(name).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|(file, group, rule)| {
            self.files.get(*file)?.groups.get(*group)?.rules.get(*rule)
        })
    }

    fn recording_places(&self) -> HashMap<String, Vec<(usize, usize, usize)>> {
        let mut places: HashMap<String, Vec<(usize, usize, usize)>> = HashMap::new();
        for (file, found) in self.files.iter().enumerate() {
            for (group, found) in found.groups.iter().enumerate() {
                let rules = found.rules.iter().enumerate();
                for (rule, found) in rules.filter(|(_, rule)| rule.as_recording().is_some()) {
                    places.entry(found.name().to_string()).or_default().push((file, group, rule));
                }
            }
        }
        places
    }

    /// The labels of a rule's result over those of its expression.
    pub fn result(&self, rule: &Rule, labels: &Labels) -> Labels {
        with_rule_labels(rule, labels)
    }

    /// What recording rules give. A rule that uses one which stands later, or itself, takes nothing
    /// for known there.
    fn recorded_labels(&self) -> HashMap<String, Labels> {
        let rules = || self.rules().map(|(_, rule)| rule).filter(|r| r.as_recording().is_some());
        let mut known: HashMap<String, Labels> = HashMap::new();
        let mut open: HashMap<&str, usize> = HashMap::new();
        for rule in rules() {
            *open.entry(rule.name()).or_default() += 1;
        }
        for rule in rules() {
            let labels = flow(rule.expr(), &|selector: &VectorSelector| {
                let name = selector.metric_name()?;
                match (known.get(name), open.get(name)) {
                    (_, Some(left)) if *left > 0 => Some(Labels::any()),
                    (found, _) => found.cloned(),
                }
            });
            let labels = with_rule_labels(rule, &labels);
            if let Some(left) = open.get_mut(rule.name()) {
                *left -= 1;
            }
            let labels = match known.get(rule.name()) {
                Some(other) => other.either(&labels),
                None => labels,
            };
            known.insert(rule.name().to_string(), labels);
        }
        known
    }
}
