//! A function that Prometheus knows only where it is told to.

use crate::diag::Severity;
use crate::lint::{About, Check, Context, Findings};
use crate::promql::ExprKind;

static ABOUT: About = About {
    id: "promql/experimental",
    severity: Severity::Error,
    title: "A function is experimental and not enabled",
    text: "\
Prometheus refuses a rule file with a function that it does not know, and it knows this one only with \
`--enable-feature=promql-experimental-functions`. Give `watchbell check` the same flag if your \
Prometheus has it.",
    bad: "alert: Unsteady\nexpr: mad_over_time(latency_seconds[1h]) > 1\n",
    good: "alert: Unsteady\nexpr: stddev_over_time(latency_seconds[1h]) > 1\n",
};

pub(in crate::lint) struct Experimental;

impl Check for Experimental {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        if context.project.settings.experimental_functions {
            return;
        }
        for part in context.expr().walk() {
            let ExprKind::Call(call) = &part.kind else { continue };
            if call.function.experimental {
                let message = format!("`{}` is an experimental function", call.function.name);
                let finding = context.finding(&ABOUT, call.name_span, message);
                findings.push(finding.help(
                    "if your Prometheus has it: --enable-feature promql-experimental-functions",
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Settings;
    use crate::lint::testing::{cases, cases_with};

    #[test]
    fn cases_hold() {
        let unsteady: &[&str] = &["expr: max(mad_over_time(a[5m])) > 1"];
        cases(
            &Experimental,
            &[(unsteady, &["1:11 mad_over_time"]), (&["expr: stddev_over_time(a[5m]) > 1"], &[])],
        );
        let settings = Settings { experimental_functions: true, ..Settings::default() };
        cases_with(&Experimental, &settings, &[(unsteady, &[])]);
    }
}
