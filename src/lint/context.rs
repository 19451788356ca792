//! What a check is given, and how it reports.

use std::cell::OnceCell;
use std::time::Duration;

use crate::diag::{Diagnostic, Span};
use crate::lint::shape::{self, Threshold};
use crate::lint::{About, Project};
use crate::model::label::ALERT_NAME;
use crate::promql::flow::{Has, Labels, flow};
use crate::promql::{Expr, VectorSelector};
use crate::rule::{AlertingRule, Rule, RuleGroup};

/// What a check cannot do without, beside the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// The configuration with the routes.
    Routes,
    /// What metrics there are.
    Schema,
    /// The routes, and within what time a page must come.
    PageWithin,
    /// What every alert must have.
    Required,
}

/// A check: one kind of mistake, found in rules or in the whole.
pub trait Check: Sync {
    /// Its page.
    fn about(&self) -> &'static About;

    /// Without this it finds nothing, which then says nothing about the rules.
    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    /// Looks at one rule.
    fn rule(&self, _context: &Context<'_>, _findings: &mut Findings) {}

    /// Looks at everything together.
    fn project(&self, _project: &Project, _findings: &mut Findings) {}
}

/// Takes findings.
#[derive(Debug, Default)]
pub struct Findings(Vec<Diagnostic>);

impl Findings {
    /// Notes a finding.
    pub fn push(&mut self, finding: Diagnostic) {
        self.0.push(finding);
    }

    /// All findings.
    pub fn into_inner(self) -> Vec<Diagnostic> {
        self.0
    }
}

/// One rule with everything around it.
pub struct Context<'a> {
    /// Everything that is checked.
    pub project: &'a Project,
    /// The rule's group.
    pub group: &'a RuleGroup,
    /// The rule.
    pub rule: &'a Rule,
    parts: Vec<&'a Expr>,
    thresholds: OnceCell<Vec<(&'a Expr, Threshold<'a>)>>,
    labels: OnceCell<Labels>,
}

impl<'a> Context<'a> {
    /// The context of a rule.
    pub fn new(project: &'a Project, group: &'a RuleGroup, rule: &'a Rule) -> Self {
        let parts = rule.expr().walk().collect();
        let (thresholds, labels) = (OnceCell::new(), OnceCell::new());
        Self { project, group, rule, parts, thresholds, labels }
    }

    /// The rule's expression.
    pub fn expr(&self) -> &'a Expr {
        self.rule.expr()
    }

    /// The expression and all parts of it, as [`Expr::walk`] gives them. Most checks look at each.
    pub fn parts(&self) -> impl Iterator<Item = &'a Expr> + '_ {
        self.parts.iter().copied()
    }

    /// The parts that compare a vector with a number.
    pub(super) fn thresholds(&self) -> &[(&'a Expr, Threshold<'a>)] {
        self.thresholds.get_or_init(|| shape::thresholds(self.parts()).collect())
    }

    /// The rule, if it is an alerting one.
    pub fn alert(&self) -> Option<&'a AlertingRule> {
        self.rule.as_alerting()
    }

    /// The text of a part of the expression.
    pub fn text(&self, span: Span) -> &'a str {
        self.rule.query().get(span.range()).unwrap_or_default()
    }

    /// The labels of the expression's result.
    pub fn labels(&self) -> &Labels {
        self.labels.get_or_init(|| self.flow(self.expr()))
    }

    /// The labels of a part's result.
    pub fn flow(&self, part: &Expr) -> Labels {
        flow(part, &|selector: &VectorSelector, place| self.project.known(selector, place))
    }

    /// The labels of the alerts or series that the rule gives.
    pub fn result(&self) -> Labels {
        self.project.result(self.rule, self.labels())
    }

    /// How often the rule is evaluated, if that is known.
    pub fn interval(&self) -> Option<Duration> {
        self.group.interval.or(self.project.settings.evaluation_interval)
    }

    /// A finding at a part of the expression.
    pub fn finding(
        &self,
        about: &'static About,
        part: Span,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.finding_at(about, self.place(part), message)
    }

    /// A finding at a place in the rule's file.
    pub fn finding_at(
        &self,
        about: &'static About,
        span: Span,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::new(about.id, about.severity, self.rule.source(), span, message)
            .rule(self.rule.name())
    }

    /// The place in the file of a part of the expression, if it stands there as it is read, so that
    /// it can be replaced.
    pub fn exact_place(&self, part: Span) -> Option<Span> {
        let place = self.place(part);
        let written = self.rule.source().text().get(place.range())?;
        (written == self.text(part)).then_some(place)
    }

    /// The place in the file of a part of the expression.
    pub fn place(&self, part: Span) -> Span {
        self.rule.expr_span(part)
    }
}

/// The labels of a rule's result over those of its expression.
pub(super) fn with_rule_labels(rule: &Rule, labels: &Labels) -> Labels {
    let mut labels = labels.clone();
    let places = rule.places();
    for field in &places.labels {
        let has = match field.text() {
            // An empty label is none.
            "" => continue,
            text if text.contains("{{") => Has::Expected,
            _ => Has::Always,
        };
        labels.set(field.name.text(), has);
    }
    if rule.as_alerting().is_some() {
        labels.set(ALERT_NAME, Has::Always);
    }
    labels
}
