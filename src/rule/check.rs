//! From raw groups to checked ones.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diag::{Diagnostic, SourceFile, Span};
use crate::model::{RuleKey, parallel};
use crate::promql;
use crate::rule::names;
use crate::rule::raw::{self, RawGroup, RawRule, Texts};
use crate::rule::{AlertingRule, RecordingRule, Rule, RuleGroup, RulePlaces, TextField};
use crate::template::RuleTemplate;
use crate::yaml::{self, Document, Reader, Scalar};

/// The groups of a larger file are checked on all processors, in bytes.
const LARGE: usize = 64 * 1024;

/// Checks one rule file. Gives the groups without the rules that have a mistake, and every finding
/// in order of place. The file is good if no finding is an error.
///
/// The groups name the file by the source's path.
pub fn check(source: &Arc<SourceFile>) -> (Vec<RuleGroup>, Vec<Diagnostic>) {
    check_as(source, source.path())
}

/// Checks a rule file that has been read already, be it a file of its own or a part of another one.
pub fn check_read(document: &Document) -> (Vec<RuleGroup>, Vec<Diagnostic>) {
    check_document(document, document.source.path())
}

/// Checks one rule file that the configuration names `file`.
pub(super) fn check_as(source: &Arc<SourceFile>, file: &str) -> (Vec<RuleGroup>, Vec<Diagnostic>) {
    match yaml::load(source) {
        Ok(document) => check_document(&document, file),
        Err(diagnostics) => (Vec::new(), diagnostics),
    }
}

/// Checks the groups of a document that has been read.
fn check_document(document: &Document, file: &str) -> (Vec<RuleGroup>, Vec<Diagnostic>) {
    let source = &document.source;
    let mut reader = Reader::new(document);
    let nodes = raw::groups(document, &mut reader);
    let threads = if source.text().len() < LARGE { 1 } else { parallel::processors() };
    let read = parallel::map_on(threads, nodes, |node| {
        let mut reader = reader.beside();
        let raw = raw::group(node, &mut reader);
        let read = raw.map(|raw| (raw.name, group(&raw, file, &mut reader)));
        (read, reader)
    });
    let mut names: HashMap<&str, Span> = HashMap::new();
    let mut groups = Vec::with_capacity(nodes.len());
    for (read, part) in read {
        reader.append(part);
        let Some((name, group)) = read else { continue };
        if let Some(name) = name {
            match names.get(name.text()) {
                Some(first) => reader.report(duplicate_group(source, name, *first)),
                None => drop(names.insert(name.text(), name.span())),
            }
        }
        groups.push(group);
    }
    (groups, reader.into_diagnostics())
}

fn duplicate_group(source: &Arc<SourceFile>, name: &Scalar, first: Span) -> Diagnostic {
    let message = format!("the group `{}` stands twice in one file", name.text());
    Diagnostic::error("rule/duplicate-group", source, name.span(), message)
        .caret("the second")
        .label(first, "the first")
        .help("rename one of them; state is kept by file and group name")
}

fn group(raw: &RawGroup<'_>, file: &str, reader: &mut Reader) -> RuleGroup {
    let name = raw.name.map(Scalar::text).unwrap_or_default();
    reader.set_rule(None);
    let labels = fields(&raw.labels, &[], "label", reader);
    let mut seen: HashMap<&str, u32> = HashMap::new();
    let mut rules = Vec::with_capacity(raw.rules.len());
    for rule in &raw.rules {
        let rule_name = rule.alert.or(rule.record).map(Scalar::text).unwrap_or_default();
        let count = seen.entry(rule_name).or_default();
        let key = RuleKey::new(file, name, rule_name, *count);
        *count += 1;
        reader.set_rule((!rule_name.is_empty()).then(|| rule_name.to_string()));
        rules.extend(check_rule(rule, key, &labels, reader));
    }
    reader.set_rule(None);
    RuleGroup {
        file: file.to_string(),
        name: name.to_string(),
        // Prometheus takes 0 for "not set", and a limit of 0 or less for none.
        interval: raw.interval.filter(|interval| !interval.is_zero()),
        query_offset: raw.query_offset,
        limit: raw.limit.and_then(|limit| u64::try_from(limit).ok()).unwrap_or(0),
        rules,
        name_span: raw.name.map_or(raw.span, Scalar::span),
        source: Arc::clone(reader.source()),
    }
}

fn check_rule(
    raw: &RawRule<'_>,
    key: RuleKey,
    group_labels: &[TextField],
    reader: &mut Reader,
) -> Option<Rule> {
    let labels = fields(&raw.labels, group_labels, "label", reader);
    let annotations = fields(&raw.annotations, &[], "annotation", reader);
    let expr = raw.expr.and_then(|expr| expression(expr, reader));
    let kind = kind(raw, reader)?;
    let templates = match kind {
        Kind::Alert(_) => Some((templates(&labels, reader), templates(&annotations, reader))),
        Kind::Record(name) => {
            check_recording(raw, name, reader);
            None
        }
    };
    let (expr, text) = (expr?, raw.expr?);
    let (Kind::Alert(name) | Kind::Record(name)) = kind;
    let source = Arc::clone(reader.source());
    let (line, _) = source.line_column(raw.span.start);
    let places = RulePlaces {
        rule: raw.span,
        name: name.span(),
        expr: text.clone(),
        for_duration: raw.for_duration.map(|d| d.span),
        keep_firing_for: raw.keep_firing_for.map(|d| d.span),
        labels,
        annotations,
    };
    let (name, query) = (name.text().to_string(), text.text().to_string());
    Some(match templates {
        Some((labels, annotations)) => Rule::Alerting(AlertingRule {
            key,
            name,
            expr,
            query,
            for_duration: raw.for_duration.map(|d| d.value).unwrap_or_default(),
            keep_firing_for: raw.keep_firing_for.map(|d| d.value).unwrap_or_default(),
            labels: labels?,
            annotations: annotations?,
            line,
            places,
            source,
        }),
        None => {
            let pair = |label: &TextField| (label.name.text().into(), label.text().into());
            let labels = places.labels.iter().map(pair).collect();
            Rule::Recording(RecordingRule { key, name, expr, query, labels, line, places, source })
        }
    })
}

/// The name of a rule, and which kind of rule that makes it.
#[derive(Clone, Copy)]
enum Kind<'n> {
    Alert(&'n Scalar),
    Record(&'n Scalar),
}

/// A rule has exactly one of the two names. An empty one is none, as in Prometheus.
fn kind<'n>(raw: &RawRule<'n>, reader: &mut Reader) -> Option<Kind<'n>> {
    let given = |name: &&Scalar| !name.text().is_empty();
    match (raw.alert.filter(given), raw.record.filter(given)) {
        (Some(alert), None) => return Some(Kind::Alert(alert)),
        (None, Some(record)) => return Some(Kind::Record(record)),
        (Some(alert), Some(record)) => {
            let second = alert.span().max(record.span());
            let first = alert.span().min(record.span());
            let message = "the rule has both `alert` and `record`";
            let finding = Diagnostic::error("rule/kind", reader.source(), second, message);
            reader.report(finding.label(first, "the other").help("make it two rules"));
        }
        (None, None) => {
            let span = first_line(raw.span, reader.source());
            reader.error("rule/kind", span, "the rule needs `alert` or `record`");
        }
    }
    None
}

/// What a recording rule must not have. A duration of 0 is accepted, as in Prometheus.
fn check_recording(raw: &RawRule<'_>, name: &Scalar, reader: &mut Reader) {
    let durations = [("for", raw.for_duration), ("keep_firing_for", raw.keep_firing_for)]
        .into_iter()
        .filter_map(|(key, d)| d.filter(|d| !d.value.is_zero()).map(|d| (key, d.key)));
    let annotations = raw.annotations_key.filter(|_| !raw.annotations.is_empty());
    for (key, span) in durations.chain(annotations.map(|span| ("annotations", span))) {
        let message = format!("a recording rule has no `{key}`");
        let finding = Diagnostic::error("rule/recording", reader.source(), span, message);
        reader.report(finding.help("remove it, or make the rule an alert"));
    }
    if let Some(reason) = names::metric_name(name.text()) {
        let message = format!("`{}` is not a metric name", name.text());
        let finding = Diagnostic::error("rule/metric-name", reader.source(), name.span(), message);
        reader.report(finding.caret(reason));
    }
}

/// Names and values over those of the group, sorted by name. Bad names are noted.
fn fields(
    texts: &Texts<'_>,
    group: &[TextField],
    kind: &str,
    reader: &mut Reader,
) -> Vec<TextField> {
    let mut fields: Vec<TextField> = Vec::with_capacity(texts.len() + group.len());
    for (name, value) in texts {
        let is_label = kind == "label";
        if let Some(reason) = names::label_name(name.text(), is_label) {
            let id =
                if name.text().is_empty() { "rule/label-name" } else { "rule/forbidden-label" };
            let message = format!("`{}` is not allowed as the name of a {kind}", name.text());
            let finding = Diagnostic::error(id, reader.source(), name.span(), message);
            reader.report(finding.caret(reason));
        }
        let (name, value) = ((*name).clone(), (*value).clone());
        fields.push(TextField { name, value, from_group: false });
    }
    let is_own = |name: &str| texts.iter().any(|(own, _)| own.text() == name);
    let inherited = group.iter().filter(|label| !is_own(label.name.text()));
    fields.extend(inherited.map(|label| TextField { from_group: true, ..label.clone() }));
    fields.sort_by(|a, b| a.name.text().cmp(b.name.text()));
    fields
}

fn expression(scalar: &Scalar, reader: &mut Reader) -> Option<promql::Expr> {
    match promql::parse(scalar.text()) {
        Ok(expr) => Some(expr),
        Err(error) => {
            let span = scalar.span_of(error.span, reader.source());
            let mut finding =
                Diagnostic::error("promql/syntax", reader.source(), span, error.message);
            finding.help = error.help;
            reader.report(finding);
            None
        }
    }
}

/// The parsed templates, or `None` if one does not parse. Each such one is noted. A label of the group
/// need not parse: Prometheus finds that when it expands it, and so does `template/fails`.
fn templates(fields: &[TextField], reader: &mut Reader) -> Option<Vec<(String, RuleTemplate)>> {
    let mut parsed = Vec::with_capacity(fields.len());
    for field in fields {
        let name = field.name.text().to_string();
        if field.from_group {
            parsed.push((name, RuleTemplate::parse_late(field.text())));
            continue;
        }
        match RuleTemplate::parse(field.text()) {
            Ok(template) => parsed.push((name, template)),
            Err(error) => {
                let span = field.value.span_of(error.span, reader.source());
                reader.error("template/syntax", span, error.message);
            }
        }
    }
    (parsed.len() == fields.len()).then_some(parsed)
}

/// The first line of a place.
fn first_line(span: Span, source: &SourceFile) -> Span {
    let text = source.text().get(span.range()).unwrap_or_default();
    Span::new(span.start, span.start + text.lines().next().unwrap_or_default().len())
}
