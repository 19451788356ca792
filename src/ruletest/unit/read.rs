//! From YAML to a file of unit tests: every mistake at once, each with its place.

mod case;
mod notification;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::diag::{Diagnostic, SourceFile, Span};
use crate::rule::RulePattern;
use crate::ruletest::unit::UnitTestFile;
use crate::yaml::{self, Fields, Reader};

/// What promtool takes where a file says nothing.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// Reads a file of unit tests. Findings that refuse nothing come with it.
///
/// # Errors
/// All mistakes, each with its place.
pub fn read(source: &Arc<SourceFile>) -> Result<(UnitTestFile, Vec<Diagnostic>), Vec<Diagnostic>> {
    let document = yaml::load(source)?;
    let mut reader = Reader::new(&document);
    let fields = reader.mapping(&document.root, "the test file");
    if let Some(span) = fields.as_ref().and_then(rules_alone) {
        let message = "this file holds rules, not tests of rules";
        let help = "name a test file whose `rule_files` lists it; `watchbell check` looks at rules";
        return Err(vec![Diagnostic::error("test/rule-file", source, span, message).help(help)]);
    }
    let file = fields.map(|fields| read_file(&mut reader, fields, source));
    let errors = reader.has_errors();
    let findings = reader.into_diagnostics();
    match file {
        Some(file) if !errors => Ok((file, findings)),
        _ => Err(findings),
    }
}

/// The place of the rules in a file that holds no tests.
fn rules_alone(fields: &Fields<'_>) -> Option<Span> {
    fields.key_span("groups").filter(|_| fields.key_span("tests").is_none())
}

fn read_file(
    reader: &mut Reader,
    mut fields: Fields<'_>,
    source: &Arc<SourceFile>,
) -> UnitTestFile {
    let directory = Path::new(source.path()).parent().unwrap_or(Path::new("")).to_path_buf();
    let rule_files = fields.list(reader, "rule_files").unwrap_or_default().iter();
    let rule_files = rule_files.filter_map(|node| {
        let pattern = reader.string(node, "an item of `rule_files`")?.to_string();
        Some(RulePattern { pattern, source: Arc::clone(source), span: node.span })
    });
    let rule_files = rule_files.collect();
    let evaluation_interval = interval(reader, &mut fields, "evaluation_interval");
    let evaluation_interval = evaluation_interval.unwrap_or(DEFAULT_INTERVAL);
    let order = fields.strings(reader, "group_eval_order").unwrap_or_default();
    let fuzzy_compare = fields.bool(reader, "fuzzy_compare").unwrap_or(false);
    let config_file = fields
        .get("config_file")
        .and_then(|node| Some((directory.join(reader.string(node, "`config_file`")?), node.span)));
    let tests = fields.list(reader, "tests").unwrap_or_default();
    let cases = tests.iter().filter_map(|node| {
        let fields = reader.mapping(node, "a test")?;
        Some(case::read(reader, fields, evaluation_interval))
    });
    let cases = cases.collect::<Vec<_>>();
    if config_file.is_none()
        && let Some(test) = cases.iter().flat_map(|case| &case.notifications).next()
    {
        let message = "`notification_test` needs `config_file`: its routes say who is told";
        reader.error("test/no-config", test.span, message);
    }
    fields.finish(reader);
    UnitTestFile {
        source: Arc::clone(source),
        directory,
        rule_files,
        evaluation_interval,
        group_eval_order: order.into_iter().map(str::to_string).collect(),
        fuzzy_compare,
        config_file,
        cases,
    }
}

/// A duration that is not zero.
fn interval(reader: &mut Reader, fields: &mut Fields<'_>, key: &'static str) -> Option<Duration> {
    let node = fields.get(key)?;
    let what = format!("`{key}`");
    let duration = reader.duration(node, &what)?;
    if duration.is_zero() {
        reader.wrong_value(node, &what, "must be more than zero");
        return None;
    }
    Some(duration)
}
