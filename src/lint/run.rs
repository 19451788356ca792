//! Asking every check about everything.

use crate::diag::{self, Described, Diagnostic, Severity};
use crate::lint::{
    About, CHECKS, Check, Context, Findings, Needs, Project, REFUSALS, disable, online,
};
use crate::model::parallel::map_on;
use crate::rule::RuleGroup;

/// All findings, in order of file and place. `threads` is how many groups are looked at at once.
pub fn lint(project: &Project, threads: usize) -> Vec<Diagnostic> {
    let mut all: Vec<Diagnostic> = project.mistakes().cloned().collect();
    let groups: Vec<&RuleGroup> = project.checked_groups().collect();
    let checks: Vec<&dyn Check> =
        CHECKS.iter().copied().filter(|check| can_look(project, *check)).collect();
    let of_rules = map_on(threads, &groups, |group| {
        let mut findings = Findings::default();
        look_at(project, group, &checks, &mut findings);
        findings.into_inner()
    });
    let of_all = map_on(threads, &checks, |check| {
        let mut findings = Findings::default();
        check.project(project, &mut findings);
        findings.into_inner()
    });
    all.extend(of_rules.into_iter().chain(of_all).flatten());
    all.extend(project.told.iter().flatten().cloned());
    all.retain(|finding| !project.is_beside(&finding.source));
    disable::apply(project, &mut all);
    all.retain_mut(|finding| decide(project, finding));
    diag::sort(&mut all);
    all
}

fn look_at(project: &Project, group: &RuleGroup, checks: &[&dyn Check], findings: &mut Findings) {
    for rule in &group.rules {
        let context = Context::new(project, group, rule);
        for check in checks {
            check.rule(&context, findings);
        }
    }
}

/// Whether what is needed to find something was there.
pub(super) fn was_looked_for(project: &Project, id: &str) -> bool {
    if id == online::ABOUT.id {
        return project.told.is_some();
    }
    let check = CHECKS.iter().find(|check| check.about().id == id);
    check.map_or_else(|| !is_off(project, id), |check| can_look(project, *check))
}

/// Whether a check is wanted, and what it needs is there.
fn can_look(project: &Project, check: &dyn Check) -> bool {
    !is_off(project, check.about().id)
        && match check.needs() {
            Needs::Nothing => true,
            Needs::Routes => project.routes.is_some(),
            Needs::Schema => project.schema.is_some(),
            Needs::PageWithin => project.routes.is_some() && project.settings.page_within.is_some(),
            Needs::Required => !project.settings.required.is_empty(),
        }
}

fn is_off(project: &Project, id: &str) -> bool {
    matches!(project.settings.severities.get(id), Some(None))
}

/// Gives a finding the severity that people want; `false` where they want none of it. What
/// Prometheus refuses stays refused.
fn decide(project: &Project, finding: &mut Diagnostic) -> bool {
    if finding.severity == Severity::Error {
        return true;
    }
    match project.settings.severities.get(finding.id) {
        Some(None) => return false,
        Some(Some(severity)) => finding.severity = *severity,
        None => {}
    }
    true
}

/// The pages of everything that can be found, sorted by id.
pub fn pages() -> Vec<Described> {
    let abouts = CHECKS.iter().map(|check| check.about()).chain([&disable::ABOUT, &online::ABOUT]);
    let checks = abouts.map(|about: &About| Described {
        id: about.id,
        severity: about.severity,
        title: about.title,
        page: about.page(),
    });
    let refusals = REFUSALS.iter().map(|refusal| refusal.described());
    let mut pages: Vec<Described> = checks.chain(refusals).collect();
    pages.sort_by_key(|page| page.id);
    pages
}
