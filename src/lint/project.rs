//! Everything that is checked together.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::diag::{Diagnostic, SourceFile, Span};
use crate::lint::context::with_rule_labels;
use crate::lint::routes::Routes;
use crate::lint::{About, RuleFile, Schema, Settings};
use crate::promql::VectorSelector;
use crate::promql::flow::{Labels, flow};
use crate::rule::{Rule, RuleGroup};

/// The rules of all files with what is known around them.
#[derive(Debug)]
pub struct Project {
    /// The files that are checked.
    pub files: Vec<RuleFile>,
    /// Files that are looked at for what their rules give, and of which nothing is reported.
    beside: Vec<RuleFile>,
    /// What people decided.
    pub settings: Settings,
    /// The configuration with the routes, where one was given.
    pub routes: Option<Routes>,
    /// What metrics there are, where that is known.
    pub schema: Option<Schema>,
    /// What a Prometheus has told of the alerts that are checked; `None` where none was asked.
    pub told: Option<Vec<Diagnostic>>,
    /// What recording rules give, by name.
    recorded: HashMap<String, Labels>,
    /// Where they stand: file, group and rule.
    recording: HashMap<String, Vec<(usize, usize, usize)>>,
}

impl Project {
    /// Puts everything together.
    pub fn new(files: Vec<RuleFile>, settings: Settings) -> Self {
        Self::with_beside(files, Vec::new(), settings)
    }

    /// The same with files beside those that are checked: a route may be there for their alerts.
    pub fn with_beside(files: Vec<RuleFile>, beside: Vec<RuleFile>, settings: Settings) -> Self {
        let mut project = Self {
            files,
            beside,
            settings,
            routes: None,
            schema: None,
            told: None,
            recorded: HashMap::new(),
            recording: HashMap::new(),
        };
        project.recording = project.recording_places();
        project.recorded = project.recorded_labels();
        project
    }

    /// The same with a configuration, for the checks of rules with routes. It says how often rules are
    /// evaluated, unless the settings do.
    #[must_use]
    pub fn with_routes(mut self, routes: Routes) -> Self {
        let interval = routes.config.global.evaluation_interval;
        self.settings.evaluation_interval.get_or_insert(interval);
        self.routes = Some(routes);
        self
    }

    /// The same with what metrics there are.
    #[must_use]
    pub fn with_schema(mut self, schema: Schema) -> Self {
        self.schema = Some(schema);
        self
    }

    /// The names of all metrics that the rules use.
    pub fn metrics(&self) -> BTreeSet<String> {
        let selectors = self.rules().flat_map(|(_, rule)| rule.expr().selectors());
        selectors.filter_map(|selector| selector.metric_name()).map(str::to_string).collect()
    }

    /// All files that findings may point into.
    pub fn sources(&self) -> impl Iterator<Item = &Arc<SourceFile>> {
        let routes = self.routes.iter().map(Routes::source);
        self.files.iter().map(|file| &file.source).chain(routes)
    }

    /// A finding at a place in the file of a rule.
    pub fn finding(
        &self,
        about: &'static About,
        rule: &Rule,
        span: Span,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::new(about.id, about.severity, rule.source(), span, message).rule(rule.name())
    }

    /// All files, those beside the checked ones last.
    fn all_files(&self) -> impl Iterator<Item = &RuleFile> {
        self.files.iter().chain(&self.beside)
    }

    /// Whether nothing is reported of a file.
    pub fn is_beside(&self, source: &Arc<SourceFile>) -> bool {
        self.beside.iter().any(|file| Arc::ptr_eq(&file.source, source))
    }

    /// All groups, in order.
    pub fn groups(&self) -> impl Iterator<Item = &RuleGroup> {
        self.all_files().flat_map(|file| &file.groups)
    }

    /// The groups that are checked, in order.
    pub fn checked_groups(&self) -> impl Iterator<Item = &RuleGroup> {
        self.files.iter().flat_map(|file| &file.groups)
    }

    /// All rules with their groups, in order.
    pub fn rules(&self) -> impl Iterator<Item = (&RuleGroup, &Rule)> {
        self.groups().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)))
    }

    /// The rules that are checked with their groups, in order.
    pub fn checked_rules(&self) -> impl Iterator<Item = (&RuleGroup, &Rule)> {
        self.checked_groups().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)))
    }

    /// The mistakes that were found when the files were read.
    pub fn mistakes(&self) -> impl Iterator<Item = &Diagnostic> {
        self.files.iter().flat_map(|file| &file.findings)
    }

    /// What is known of the series that a selector picks: from a recording rule, or from the schema.
    pub fn known(&self, selector: &VectorSelector, place: Span) -> Option<Labels> {
        let recorded = self.recorded.get(selector.metric_name()?).cloned();
        recorded.or_else(|| self.schema.as_ref()?.labels(selector, place))
    }

    /// The recording rules of a name.
    pub fn recording(&self, name: &str) -> impl Iterator<Item = &Rule> {
        let places = self.recording.get(name).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|(file, group, rule)| {
            self.all_files().nth(*file)?.groups.get(*group)?.rules.get(*rule)
        })
    }

    fn recording_places(&self) -> HashMap<String, Vec<(usize, usize, usize)>> {
        let mut places: HashMap<String, Vec<(usize, usize, usize)>> = HashMap::new();
        for (file, found) in self.all_files().enumerate() {
            for (group, found) in found.groups.iter().enumerate() {
                let rules = found.rules.iter().enumerate();
                for (rule, found) in rules.filter(|(_, rule)| rule.as_recording().is_some()) {
                    places.entry(found.name().to_string()).or_default().push((file, group, rule));
                }
            }
        }
        places
    }

    /// The labels of the result of a rule's expression.
    pub fn labels_of(&self, rule: &Rule) -> Labels {
        flow(rule.expr(), &|selector: &VectorSelector, place| self.known(selector, place))
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
            let labels = flow(rule.expr(), &|selector: &VectorSelector, _| {
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
