//! A threshold that a counter of rare events never reaches.

use std::time::Duration;

use crate::diag::Severity;
use crate::lint::shape::{Threshold, aggregate, call, number_of, picks, selector};
use crate::lint::{About, Check, Context, Findings};
use crate::model::format_duration;
use crate::promql::{BinaryOp, Expr, ExprKind};

static ABOUT: About = About {
    id: "promql/slow-counter",
    severity: Severity::Bug,
    title: "A threshold is higher than these events can ever come",
    text: "\
`rate` gives events per second. Restarts are rare: the kubelet waits longer after each crash, five \
minutes in the end, so a container restarts some twelve times an hour. `rate(…[1h]) > 0.1` wants 360 of \
them in the hour and can never fire.

Count instead: `increase(…[1h]) > 5`.",
    bad: "alert: CrashLooping\nexpr: rate(kube_pod_container_status_restarts_total[1h]) > 0.1\n",
    good: "alert: CrashLooping\nexpr: increase(kube_pod_container_status_restarts_total[1h]) > 5\n",
};

/// The waits of the kubelet after the first crashes, in seconds; all others are 300
/// (<https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy>).
const BACK_OFF: [f64; 5] = [10.0, 20.0, 40.0, 80.0, 160.0];
const LAST_BACK_OFF: f64 = 300.0;

pub(in crate::lint) struct SlowCounter;

impl Check for SlowCounter {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for &(part, ref threshold) in context.thresholds() {
            let Some(events) = wanted(threshold) else { continue };
            let most = most_in(events.range, &events.name);
            // Extrapolation can add some, and a restart by hand resets the wait.
            if events.count < 2.0 * most {
                continue;
            }
            let range = format_duration(events.range);
            let message = format!(
                "this wants {} events in {range}, and so many never come",
                rounded(events.count)
            );
            let per_second = events.per_second;
            let mut finding = context.finding(&ABOUT, part.span, message).label(
                context.place(events.place.span),
                format!("at most about {} in {range}", rounded(most)),
            );
            if per_second {
                finding = finding.note("`rate` gives events per second");
            } else {
                finding =
                    finding.note("a container that crashes is restarted after a growing wait");
            }
            findings.push(
                finding.help(format!("count them: `increase({}[{range}]) > 5`", events.name)),
            );
        }
    }
}

/// How many events a threshold wants within a range.
struct Wanted<'e> {
    name: String,
    place: &'e Expr,
    range: Duration,
    count: f64,
    per_second: bool,
}

fn wanted<'e>(threshold: &Threshold<'e>) -> Option<Wanted<'e>> {
    if !matches!(threshold.op, BinaryOp::Greater | BinaryOp::GreaterOrEqual) {
        return None;
    }
    let mut part = threshold.vector;
    let mut value = threshold.value;
    loop {
        if let Some(aggregate) = aggregate(part).filter(|aggregate| picks(aggregate.op)) {
            part = &aggregate.expr;
            continue;
        }
        let ExprKind::Binary(binary) = &part.without_parens().kind else { break };
        let (factor, other) = match (number_of(&binary.lhs), number_of(&binary.rhs)) {
            (Some(factor), None) => (factor, &binary.rhs),
            (None, Some(factor)) => (factor, &binary.lhs),
            _ => return None,
        };
        match binary.op {
            BinaryOp::Mul if factor > 0.0 => value /= factor,
            BinaryOp::Div if factor > 0.0 && number_of(&binary.rhs).is_some() => value *= factor,
            _ => return None,
        }
        part = other;
    }
    let call = call(part)?;
    let place = call.args.first()?;
    let ExprKind::MatrixSelector(matrix) = &place.without_parens().kind else { return None };
    let name = selector(place)?.metric_name().filter(|name| name.contains("restart"))?;
    let range = matrix.range;
    let (count, per_second) = match call.function.name {
        "rate" | "irate" => (value * range.as_secs_f64(), true),
        "increase" => (value, false),
        _ => return None,
    };
    Some(Wanted { name: name.to_string(), place, range, count, per_second })
}

/// The most restarts within a range. Of other restarts than those of containers only one in a
/// minute is thought of, which is generous.
fn most_in(range: Duration, name: &str) -> f64 {
    let seconds = range.as_secs_f64();
    if !name.starts_with("kube_pod_") {
        return (seconds / 60.0).max(5.0);
    }
    let mut left = seconds;
    let mut restarts = 1.0;
    for wait in BACK_OFF {
        if left < wait {
            return restarts;
        }
        left -= wait;
        restarts += 1.0;
    }
    restarts + (left / LAST_BACK_OFF).floor()
}

fn rounded(value: f64) -> f64 {
    if value >= 10.0 { value.round() } else { (value * 10.0).round() / 10.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn the_kubelet_waits_longer_each_time() {
        let most = |s| most_in(Duration::from_secs(s), "kube_pod_container_status_restarts_total");
        // At 0, 10, 30, 70, 150 and 310 seconds, then every 300.
        assert_eq!(most(5), 1.0);
        assert_eq!(most(300), 5.0);
        assert_eq!(most(310), 6.0);
        assert_eq!(most(3600), 16.0);
    }

    #[test]
    fn cases_hold() {
        let restarts = "kube_pod_container_status_restarts_total";
        for (expr, found) in [
            (format!("rate({restarts}[1h]) > 0.1"), true),
            (format!("max by (pod) (rate({restarts}[15m])) > 1"), true),
            (format!("rate({restarts}[1h]) * 3600 > 100"), true),
            (format!("0.1 < rate({restarts}[1h])"), true),
            (format!("increase({restarts}[1h]) > 100"), true),
            ("rate(mlflow_restarts_total[1h]) > 0.1".to_string(), true),
            (format!("rate({restarts}[1h]) * 60 > 0.1"), false),
            (format!("rate({restarts}[15m]) > 0"), false),
            (format!("increase({restarts}[1h]) > 5"), false),
            (format!("increase({restarts}[10m]) > 3"), false),
            // The restarts of many containers.
            (format!("sum(rate({restarts}[1h])) > 0.1"), false),
            ("rate(http_requests_total[1h]) > 0.1".to_string(), false),
        ] {
            let rule = format!("expr: {expr}");
            let expected = format!("1:7 {expr}");
            let expected: &[&str] = if found { &[&expected] } else { &[] };
            cases(&SlowCounter, &[(&[&rule], expected)]);
        }
    }
}
