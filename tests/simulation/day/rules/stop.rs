//! What DESIGN.md says of a stop: since when a pending alert counts after it.

use watchbell::alerting::AlertState::Pending;

use super::{Alert, Expected, Rules};
use crate::day::plan::{MINUTE, Ms, PODS, Plan};
use crate::day::prometheus::{outage, returns, targets};

/// Prometheus' outage tolerance and grace period.
const TOLERANCE: Ms = 60 * MINUTE;
const GRACE: Ms = 10 * MINUTE;

impl Rules {
    /// Takes up what a former process left of a rule, once it is known what the new one asked.
    pub(super) fn take_up(&mut self, plan: &Plan, number: usize, at: Ms) -> Result<(), String> {
        let (heartbeat, now, offset) = self.left;
        let rule = &mut self.rules[number];
        if !std::mem::take(&mut rule.left) {
            return Ok(());
        }
        let (Some(timing), Some(heartbeat)) = (rule.timing, heartbeat) else { return Ok(()) };
        let last = heartbeat.millis() - plan.start.millis() - offset;
        let stop = Stop { last, now, interval: rule.interval, looked_back: rule.looked_back };
        let pending = rule.alerts.iter().flatten().any(|alert| alert.fired.is_none());
        let long = stop.gap() > 2 * stop.interval;
        if long && pending && !rule.looked_back && answers_between(plan, now, at) {
            return Err(format!("the datasource was not asked for R{number} in the stop"));
        }
        for pod in 0..PODS {
            let Some(alert) = rule.alerts[pod].filter(|alert| alert.fired.is_none()) else {
                continue;
            };
            let after = stop.since(plan, number, pod, timing.held, alert.since);
            let after = after.map(|since| Alert { since, ..alert });
            if after != Some(alert) {
                self.expected.push(Expected {
                    rule: number,
                    pod,
                    from: Pending,
                    after,
                    stamp: None,
                    at,
                    optional: false,
                    seen: false,
                    moves: false,
                    offset,
                });
            }
            rule.alerts[pod] = after;
        }
        Ok(())
    }
}

/// A time in which no process ran.
struct Stop {
    last: Ms,
    now: Ms,
    interval: Ms,
    looked_back: bool,
}

impl Stop {
    fn gap(&self) -> Ms {
        (self.now - self.last).max(0)
    }

    /// Since when a pending alert counts after it; `None` where it is dropped.
    fn since(&self, plan: &Plan, rule: usize, pod: usize, held: Ms, since: Ms) -> Option<Ms> {
        if self.gap() <= 2 * self.interval {
            return Some(since);
        }
        if self.looked_back {
            let steps = (0..).map(|n| self.last + n * self.interval);
            let steps: Vec<Ms> = steps.take_while(|at| *at <= self.now).collect();
            let seen: Vec<Ms> = steps.into_iter().filter(|at| targets(plan, *at) > 0).collect();
            let gone = seen.iter().rposition(|at| !returns(plan, rule, pod, *at));
            if let Some(gone) = gone {
                return seen.get(gone + 1).map(|begun| since.max(*begun));
            }
            let points: Vec<Ms> = [&[self.last], &*seen, &[self.now]].concat();
            if points.windows(2).all(|pair| pair[1] - pair[0] <= 2 * self.interval) {
                return Some(since);
            }
        }
        if self.gap() > TOLERANCE || held < GRACE {
            return None;
        }
        let rest = held - (self.last - since).max(0);
        Some(match rest {
            ..=0 => since,
            rest if rest < GRACE => self.now + GRACE - held,
            _ => since + self.gap(),
        })
    }
}

fn answers_between(plan: &Plan, from: Ms, to: Ms) -> bool {
    outage(plan, from).is_none()
        && plan.outages.iter().all(|o| o.span.to < from || o.span.from > to)
}
