//! A threshold that a quantile cannot exceed.

use crate::diag::Severity;
use crate::lint::shape::{aggregated, call, picks};
use crate::lint::{About, Check, Context, Findings, Needs};
use crate::promql::{BinaryOp, Expr};

static ABOUT: About = About {
    id: "schema/bucket",
    severity: Severity::Bug,
    title: "A threshold lies above the last bucket of its histogram",
    text: "\
With `--prometheus URL` or `--schema FILE`. `histogram_quantile` never gives more than the bound of the last \
finite bucket: what is slower falls into `+Inf`, and the answer is that bound. An alert on more than that \
can never fire.

Lower the threshold, or give the histogram wider buckets.",
    bad: "alert: Slow\nexpr: histogram_quantile(0.9, sum by (le) (rate(latency_bucket[5m]))) > 30\n# schema\nlatency_bucket{le=\"10\"} 1\nlatency_bucket{le=\"+Inf\"} 1\n",
    good: "alert: Slow\nexpr: histogram_quantile(0.9, sum by (le) (rate(latency_bucket[5m]))) > 5\n# schema\nlatency_bucket{le=\"10\"} 1\nlatency_bucket{le=\"+Inf\"} 1\n",
};

pub(in crate::lint) struct SchemaBucket;

impl Check for SchemaBucket {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::Schema
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for &(part, ref threshold) in context.thresholds() {
            let Some((last, place)) = last_bucket(context, threshold.vector) else { continue };
            let never = match threshold.op {
                BinaryOp::Greater => threshold.value >= last,
                BinaryOp::GreaterOrEqual => threshold.value > last,
                _ => false,
            };
            if never {
                let message = "no quantile of this histogram is ever so large";
                let finding = context.finding(&ABOUT, part.span, message).label(
                    context.place(place.span),
                    format!("the last finite bucket ends at {last}"),
                );
                findings
                    .push(finding.help("lower the threshold, or give the histogram wider buckets"));
            }
        }
    }
}

/// The bound of the last finite bucket behind a quantile, and the buckets.
fn last_bucket<'e>(context: &Context<'_>, vector: &'e Expr) -> Option<(f64, &'e Expr)> {
    let schema = context.project.schema.as_ref()?;
    let quantile = call(aggregated(vector, picks))
        .filter(|call| call.function.name == "histogram_quantile")?;
    let buckets = quantile.args.get(1)?;
    let mut selectors = buckets.selectors();
    let selector = selectors.next().filter(|_| selectors.next().is_none())?;
    let bounds = schema.of(selector)?.labels.get("le").filter(|le| !le.more)?;
    let finite =
        bounds.values.iter().filter_map(|le| le.parse::<f64>().ok()).filter(|le| le.is_finite());
    finite.reduce(f64::max).map(|last| (last, buckets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::schema_cases;

    #[test]
    fn cases_hold() {
        let schema = "a_bucket{le=\"0.5\"} 1\na_bucket{le=\"10\"} 1\na_bucket{le=\"+Inf\"} 1\n";
        let of = "histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m])))";
        for (expr, found) in [
            (format!("{of} > 10"), true),
            (format!("10 < {of}"), true),
            (format!("{of} >= 11"), true),
            (format!("max({of}) > 60"), true),
            (format!("{of} > 9"), false),
            (format!("{of} >= 10"), false),
            (format!("{of} < 60"), false),
            (format!("{of} * 1000 > 60"), false),
            (of.replace("a_bucket", "b_bucket") + " > 60", false),
        ] {
            let rule = format!("expr: {expr}");
            let expected = format!("1:7 {expr}");
            let expected: &[&str] = if found { &[&expected] } else { &[] };
            schema_cases(&SchemaBucket, schema, &[(&[&rule], expected)]);
        }
    }
}
