//! An expression that looks back further than samples are kept.

use std::time::Duration;

use crate::diag::Severity;
use crate::lint::{About, Check, Context, Findings, Needs};
use crate::model::format_duration;
use crate::promql::{Expr, ExprKind};

static ABOUT: About = About {
    id: "schema/retention",
    severity: Severity::Bug,
    title: "An expression looks back further than samples are kept",
    text: "\
With `--prometheus URL` or `--schema FILE`. Beyond the retention there are no samples: an `offset` behind it \
gives nothing, and a longer range is silently cut.",
    bad: "alert: Growth\nexpr: users - users offset 30d > 100\n# schema\n{\"format\": \"watchbell-schema/1\", \"retention\": 1296000000, \"metrics\": {\"users\": {\"series\": 1}}}\n",
    good: "alert: Growth\nexpr: users - users offset 7d > 100\n# schema\n{\"format\": \"watchbell-schema/1\", \"retention\": 1296000000, \"metrics\": {\"users\": {\"series\": 1}}}\n",
};

pub(in crate::lint) struct SchemaRetention;

impl Check for SchemaRetention {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::Schema
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        let retention = context.project.schema.as_ref().and_then(|schema| schema.retention);
        let Some(retention) = retention.map(Duration::from_millis) else { return };
        for (part, reach, offset) in looks_back(context.expr()) {
            if reach <= retention {
                continue;
            }
            let kept = format_duration(retention);
            let message = if offset >= retention {
                format!("this looks back {}, and nothing is left there", format_duration(offset))
            } else {
                format!("this looks back {}, and a part of it is gone", format_duration(reach))
            };
            findings.push(
                context
                    .finding(&ABOUT, part.span, message)
                    .caret(format!("samples are kept {kept}")),
            );
        }
    }
}

/// How far each selector and subquery looks back by itself: in all, and by its offset alone.
fn looks_back(expr: &Expr) -> impl Iterator<Item = (&Expr, Duration, Duration)> {
    let back = |millis: i64| Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    expr.walk().filter_map(move |part| {
        let (offset, range) = match &part.kind {
            ExprKind::VectorSelector(selector) => (back(selector.offset_ms), Duration::ZERO),
            ExprKind::MatrixSelector(matrix) => (back(matrix.selector.offset_ms), matrix.range),
            ExprKind::Subquery(subquery) => (back(subquery.offset_ms), subquery.range),
            _ => return None,
        };
        Some((part, offset.saturating_add(range), offset))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::schema_cases;

    #[test]
    fn cases_hold() {
        let schema = "{\"format\": \"watchbell-schema/1\", \"retention\": 604800000, \"metrics\": {\"a\": {\"series\": 1}}}";
        schema_cases(
            &SchemaRetention,
            schema,
            &[
                (&["expr: a offset 8d > 1"], &["1:7 a offset 8d"]),
                (&["expr: rate(a[4w]) > 1"], &["1:12 a[4w]"]),
                (&["expr: max_over_time((a > 1)[10d:1h]) > 1"], &["1:21 (a > 1)[10d:1h]"]),
                (&["expr: rate(a[1d] offset 5d) > 1"], &[]),
                (&["expr: a offset -8d > 1"], &[]),
            ],
        );
        schema_cases(&SchemaRetention, "a 1\n", &[(&["expr: a offset 8d > 1"], &[])]);
    }
}
