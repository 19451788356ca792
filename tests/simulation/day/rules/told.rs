//! What the process stores is held against what the reference expects, and what must have been
//! stored by now.

use watchbell::alerting::{Transition, TransitionReason};
use watchbell::model::RuleKey;
use watchbell::storage::Change;

use super::{Alert, Expected, Rules, hangs};
use crate::day::plan::{MINUTE, Ms, Plan, SECOND};
use crate::day::world::clock;

/// By when the process must have tried to store what it found.
const STORED_BY: Ms = 3 * MINUTE;
/// How long a store that has failed is left alone.
const LEFT_ALONE: Ms = 2 * SECOND;

impl Rules {
    /// What the process is about to store. Every transition must be expected.
    pub fn told(&mut self, plan: &Plan, changes: &[Change], offset: Ms) -> Result<(), String> {
        for change in changes {
            let Change::AddTransition { rule, transition } = change else { continue };
            let (number, pod) = place(rule, transition);
            self.take_up(plan, number, self.left.1)?;
            if transition.reason == TransitionReason::RuleRemoved {
                self.rules[number].alerts[pod] = None;
                continue;
            }
            if transition.reason == TransitionReason::ClockJumped {
                self.moves_along(number, pod, transition, offset)?;
                continue;
            }
            let matching = |e: &Expected| is(e, number, pod, transition);
            let new = self.expected.iter_mut().filter(|e| matching(e)).find(|e| !e.seen);
            let Some(new) = new else {
                if self.expected.iter().any(matching) {
                    continue;
                }
                return Err(format!(
                    "R{number}/p{pod} becomes {:?} for {}, the model has it {:?}",
                    transition.to, transition.reason, self.rules[number].alerts[pod]
                ));
            };
            new.seen = true;
            if new.optional {
                self.rules[number].alerts[pod] = new.after;
            }
            if transition.fires() {
                self.firings.push((number, pod, transition.at.millis()));
            }
        }
        Ok(())
    }

    /// The times of an alert move along with a wall clock that has stepped, and change nothing.
    fn moves_along(
        &mut self,
        rule: usize,
        pod: usize,
        transition: &Transition,
        offset: Ms,
    ) -> Result<(), String> {
        if let Some(known) = self.expected.iter_mut().find(|e| is(e, rule, pod, transition)) {
            known.seen = true;
            return Ok(());
        }
        let after = self.rules[rule].alerts[pod];
        let from = Alert::state(after.as_ref());
        if self.rules[rule].offset == offset || (from, from) != (transition.from, transition.to) {
            return Err(format!("R{rule}/p{pod} is moved along and is {from:?}"));
        }
        let stamp = Some(transition.at.millis());
        let at = self.began;
        self.expected.push(Expected::moves(rule, pod, after, stamp, at, true, offset));
        Ok(())
    }

    /// Before the first evaluation after a step of the clock, every time that runs was moved. A
    /// store that fails is told of it a little later.
    pub(super) fn check_moved(
        &mut self,
        plan: &Plan,
        number: usize,
        at: Ms,
        offset: Ms,
    ) -> Result<(), String> {
        let rule = &mut self.rules[number];
        if std::mem::replace(&mut rule.offset, offset) == offset {
            return Ok(());
        }
        let fails = [at, at - LEFT_ALONE].iter().any(|at| plan.store_fault(*at).is_some());
        for (pod, alert) in rule.alerts.iter().enumerate() {
            let runs = alert.is_some_and(|alert| alert.fired.is_none() || alert.kept.is_some());
            let moved =
                |e: &Expected| (e.rule, e.pod, e.moves, e.offset) == (number, pod, true, offset);
            if !runs || self.expected.iter().any(moved) {
                continue;
            }
            if !fails {
                return Err(format!("the clock stepped and R{number}/p{pod} was not moved along"));
            }
            self.expected.push(Expected::moves(number, pod, *alert, None, at, false, offset));
        }
        Ok(())
    }

    /// What is stored now.
    pub fn committed(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Heartbeat(at) => self.heartbeat = Some(*at),
                Change::AddTransition { rule, transition } => {
                    let (number, pod) = place(rule, transition);
                    let known = self.expected.iter().rev();
                    let known = known.filter(|e| e.seen).find(|e| is(e, number, pod, transition));
                    let removed = transition.reason == TransitionReason::RuleRemoved;
                    if removed || known.is_some() {
                        let stored = known.and_then(|e| Some((e.after?, e.offset)));
                        self.rules[number].stored[pod] = stored.filter(|_| !removed);
                    }
                }
                _ => {}
            }
        }
    }

    /// What should have happened by now.
    pub fn overdue(&self, plan: &Plan, now: Ms) -> Result<(), String> {
        for (number, rule) in self.rules.iter().enumerate() {
            let group = plan.rules[number].group;
            let last = self.rounds[group].unwrap_or(self.began);
            let late = now - last > rule.interval + MINUTE && !hangs(plan, last, now);
            if rule.timing.is_some() && late {
                return Err(format!("R{number} was evaluated last at {}", clock(last)));
            }
            let left = rule.alerts.iter().any(Option::is_some);
            if rule.timing.is_none() && left && now - self.began > STORED_BY {
                return Err(format!("R{number} is gone and its alerts are not"));
            }
        }
        let lost = self
            .expected
            .iter()
            .find(|e| !e.seen && !e.optional && now - e.at > STORED_BY && !hangs(plan, e.at, now));
        lost.map_or(Ok(()), |lost| {
            Err(format!(
                "R{}/p{} was {:?} and had to become {:?} at {}",
                lost.rule,
                lost.pod,
                lost.from,
                Alert::state(lost.after.as_ref()),
                clock(lost.at)
            ))
        })
    }
}

fn place(rule: &RuleKey, transition: &Transition) -> (usize, usize) {
    let number = |text: &str| text.get(1..).and_then(|digits| digits.parse().ok());
    let pod = number(transition.instance.labels.value("pod"));
    (number(&rule.rule).unwrap_or_default(), pod.unwrap_or_default())
}

fn is(expected: &Expected, rule: usize, pod: usize, transition: &Transition) -> bool {
    let after = Alert::state(expected.after.as_ref());
    (expected.rule, expected.pod) == (rule, pod)
        && expected.moves == (transition.reason == TransitionReason::ClockJumped)
        && (expected.from, after) == (transition.from, transition.to)
        && expected.stamp.is_none_or(|stamp| stamp == transition.at.millis())
}
