//! Comments that switch a check off where somebody knows better.
//!
//! `# watchbell: disable ID reason` behind something holds for its line; on a line of its own, above or
//! within a rule, for the whole rule. `# watchbell: disable-file ID reason` holds for the file.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diag::{Described, Diagnostic, Severity, SourceFile, Span, nearest};
use crate::lint::run::was_looked_for;
use crate::lint::{About, Project, pages};

/// The page of what is wrong with such a comment.
pub(super) static ABOUT: About = About {
    id: "check/disable",
    severity: Severity::Warning,
    title: "A comment that disables a check disables nothing",
    text: "\
`# watchbell: disable ID reason` switches a check off: behind something for that line, on a line of its \
own above or within a rule for the whole rule; `# watchbell: disable-file ID reason` for the file. One \
that disables nothing any more, or names no check, is reported, so that it does not hide the next \
mistake; one of a check that needs more than the rules, such as `--config` or a policy, only where that was given. So is \
one without a reason, as a remark. What Prometheus refuses cannot be disabled.",
    bad: "# watchbell: disable promql/counter-raw it never restarts\nalert: Errors\nexpr: increase(http_errors_total[5m]) > 10\n",
    good: "# watchbell: disable promql/counter-raw it never restarts\nalert: Errors\nexpr: http_errors_total > 10\n",
};

/// What stands before the check's id.
const MARK: &str = "watchbell:";

/// One comment.
struct Disable {
    source: Arc<SourceFile>,
    /// The comment.
    span: Span,
    id: String,
    has_reason: bool,
    /// Where it holds.
    holds: Span,
    used: bool,
}

/// Takes away what comments disable, and adds what is wrong with the comments.
pub(super) fn apply(project: &Project, findings: &mut Vec<Diagnostic>) {
    let mut all: Vec<Disable> = Vec::new();
    for file in &project.files {
        if file.source.says(MARK) {
            let rules = file.groups.iter().flat_map(|group| &group.rules);
            let mut rules: Vec<Span> = rules.map(|rule| rule.places().rule).collect();
            rules.sort();
            all.extend(comments(&file.source, &rules));
        }
    }
    if all.is_empty() {
        return;
    }
    // There may be as many comments as findings.
    let mut by_id: HashMap<String, Vec<&mut Disable>> = HashMap::new();
    for disable in &mut all {
        by_id.entry(disable.id.clone()).or_default().push(disable);
    }
    findings.retain(|finding| {
        if finding.severity == Severity::Error {
            return true;
        }
        let at = finding.span.start;
        let mut kept = true;
        for disable in by_id.get_mut(finding.id).into_iter().flatten() {
            let holds = disable.holds;
            if holds.start <= at
                && at < holds.end.max(holds.start + 1)
                && Arc::ptr_eq(&disable.source, &finding.source)
            {
                disable.used = true;
                kept = false;
            }
        }
        kept
    });
    let pages = pages();
    findings.extend(all.iter().filter_map(|disable| wrong(project, disable, &pages)));
}

/// What is wrong with a comment.
fn wrong(project: &Project, disable: &Disable, pages: &[Described]) -> Option<Diagnostic> {
    let finding = |severity, message: String| {
        Diagnostic::new(ABOUT.id, severity, &disable.source, disable.span, message)
    };
    if disable.used {
        let message = "this comment does not say why".to_string();
        return (!disable.has_reason)
            .then(|| finding(Severity::Info, message).help("write the reason behind the id"));
    }
    let known = pages.iter().find(|page| page.id == disable.id);
    Some(match known {
        Some(page) if page.severity == Severity::Error => {
            finding(Severity::Warning, "what Prometheus refuses cannot be disabled".to_string())
        }
        Some(_) if !was_looked_for(project, &disable.id) => return None,
        Some(_) => finding(
            Severity::Warning,
            format!("`{}` is not found here, nothing is disabled", disable.id),
        )
        .fix("remove the comment", with_its_space(disable), ""),
        None => {
            let near = nearest(&disable.id, pages.iter().map(|page| page.id));
            let found = finding(Severity::Warning, format!("there is no check `{}`", disable.id));
            match near {
                Some(near) => found.help(format!("did you mean `{near}`?")),
                None => found.help("`watchbell check --explain x` lists all checks"),
            }
        }
    })
}

/// A comment with the space before it, or with all of its line where nothing else stands there.
fn with_its_space(disable: &Disable) -> Span {
    let text = disable.source.text();
    let before = text.get(..disable.span.start).unwrap_or_default();
    let code = before.trim_end_matches([' ', '\t']);
    let is_alone = code.is_empty() || code.ends_with('\n');
    let rest = text.get(disable.span.end..).unwrap_or_default();
    let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
    Span::new(code.len(), disable.span.end + if is_alone { line_end } else { 0 })
}

/// The comments of a file; `rules` are the places of its rules, in order.
fn comments(source: &Arc<SourceFile>, rules: &[Span]) -> Vec<Disable> {
    let text = source.text();
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let place = Span::new(start, start + line.trim_end().len());
        start += line.len();
        let Some((at, whole_file, id, has_reason)) = comment(line) else { continue };
        let holds = if whole_file {
            Span::new(0, text.len())
        } else if line.get(..at).is_some_and(|before| !before.trim().is_empty()) {
            place
        } else {
            rule_at(text, place, start, rules).unwrap_or(place)
        };
        found.push(Disable {
            source: Arc::clone(source),
            span: Span::new(place.start + at, place.end),
            id,
            has_reason,
            holds,
            used: false,
        });
    }
    found
}

/// Where a line's comment begins, whether it is for the file, the check's id, and whether it says
/// why.
fn comment(line: &str) -> Option<(usize, bool, String, bool)> {
    let mark = line.find(MARK)?;
    let at = line.get(..mark)?.rfind('#')?;
    let (before, between) = (line.get(..at)?, line.get(at + 1..mark)?);
    if !between.trim().is_empty() || before.ends_with(|c: char| !c.is_whitespace()) {
        return None;
    }
    let mut words = line.get(mark + MARK.len()..)?.split_whitespace();
    let whole_file = match words.next()? {
        "disable" => false,
        "disable-file" => true,
        _ => return None,
    };
    let id = words.next()?.to_string();
    Some((at, whole_file, id, words.next().is_some()))
}

/// The rule that a comment on a line of its own stands in, or that begins on the next line that is
/// neither empty nor a comment.
fn rule_at(text: &str, comment: Span, next: usize, rules: &[Span]) -> Option<Span> {
    let mut start = next;
    let mut code = None;
    for line in text.get(next..)?.split_inclusive('\n') {
        let trimmed = line.trim();
        if !trimmed.is_empty() && !trimmed.starts_with('#') {
            code = Some(Span::new(start, start + line.len()));
            break;
        }
        start += line.len();
    }
    let first_from = |at: usize| rules.partition_point(|rule| rule.start < at);
    let begins = |code: Span| rules.get(first_from(code.start)).filter(|r| r.start < code.end);
    // Rules lie behind one another.
    let holds = || {
        let before = first_from(comment.start + 1).checked_sub(1);
        before.and_then(|index| rules.get(index)).filter(|rule| comment.end <= rule.end)
    };
    code.and_then(begins).or_else(holds).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{Settings, lint, read};

    /// What is found in a file, as `line id`.
    fn found(text: &str) -> Vec<String> {
        let source = Arc::new(SourceFile::new("rules.yaml", text));
        let project = Project::new(read(&source, true), Settings::default());
        let findings = lint(&project, 1).into_iter();
        let relevant = |f: &Diagnostic| f.id == ABOUT.id || f.id.starts_with("promql/");
        findings.filter(relevant).map(|f| format!("{} {}", f.line_column().0, f.id)).collect()
    }

    fn rules(head: &str, above: &str, behind: &str) -> String {
        format!(
            "{head}\ngroups:\n- name: g\n  rules:\n  {above}\n  - alert: A\n    expr: a_total > 5 \
             {behind}\n  - alert: B\n    expr: b_total > 5\n"
        )
    }

    #[test]
    fn a_comment_holds_for_its_line_its_rule_or_its_file() {
        let raw = "promql/counter-raw";
        assert_eq!(found(&rules("", "", "")), ["7 promql/counter-raw", "9 promql/counter-raw"]);
        let own = format!("# watchbell: disable {raw} because");
        assert_eq!(found(&rules("", &own, "")), ["9 promql/counter-raw"]);
        assert_eq!(found(&rules("", "", &own)), ["9 promql/counter-raw"]);
        let within = format!("    {own}\n    expr: b_total");
        let within = rules("", "", "").replace("    expr: b_total", &within);
        assert_eq!(found(&within), ["7 promql/counter-raw"]);
        let behind = rules("", "", "") + &own;
        assert_eq!(found(&behind).len(), 3, "and it is said that it disables nothing");
        let file = format!("# watchbell: disable-file {raw} because");
        assert_eq!(found(&rules(&file, "", "")), Vec::<String>::new());
    }

    #[test]
    fn a_comment_that_disables_nothing_is_reported() {
        let both = ["promql/counter-raw", "check/disable"];
        for id in ["promql/never-true", "promql/counter-row", "promql/syntax"] {
            let found = found(&rules("", &format!("# watchbell: disable {id} x"), ""));
            assert_eq!(
                found,
                [format!("5 {}", both[1]), format!("7 {}", both[0]), format!("9 {}", both[0])]
            );
        }
        let silent = found(&rules("", "", "# watchbell: disable promql/counter-raw"));
        assert_eq!(silent, ["7 check/disable", "9 promql/counter-raw"], "without a reason");
        assert_eq!(found(&rules("", "# watchbell: enable x", "")).len(), 2);
        for id in ["route/late", "route/group-by", "policy/required", "schema/metric"] {
            let found = found(&rules("", &format!("# watchbell: disable {id} x"), ""));
            assert!(
                !found.concat().contains("check/disable"),
                "{id} was not looked for: {found:?}"
            );
        }
    }

    #[test]
    fn what_prometheus_refuses_stays_refused() {
        let text = "# watchbell: disable-file promql/syntax x\ngroups:\n- name: g\n  rules:\n  - alert: A\n    expr: (\n";
        assert_eq!(found(text), ["1 check/disable", "6 promql/syntax"]);
    }
}
