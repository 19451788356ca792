//! The walk through an expression.
//!
//! Every part is evaluated for all times at once, as in Prometheus. The walk keeps its own stack:
//! however high a tree is, only subqueries, of which brackets allow a hundred, nest calls.

use std::collections::HashSet;

use smallvec::SmallVec;

use crate::diag::Span;
use crate::promql::eval::invariant::{has_fixed_time, is_invariant};
use crate::promql::eval::limits::Limits;
use crate::promql::eval::options::millis;
use crate::promql::eval::selector::Pick;
use crate::promql::eval::times::Times;
use crate::promql::eval::value::{Evaluated, Series};
use crate::promql::eval::{
    Annotations, EvalError, Options, aggregate, binary, functions, statistics,
};
use crate::promql::series::{FloatPoint, HistogramPoint, SeriesStore};
use crate::promql::{At, Expr, ExprKind};

/// An evaluation under way.
pub(in crate::promql) struct Evaluator<'a> {
    pub store: &'a SeriesStore,
    pub options: &'a Options,
    /// The times of the whole query: what `start()`, `end()`, `step()` and `range()` speak of.
    pub query: Times,
    /// What `step()` says, in milliseconds: 0 for an instant query.
    pub query_step: i64,
    pub notes: Annotations,
    pub limits: Limits,
    pub lookback: i64,
    /// Whether anything is bound to a fixed time.
    fixed: bool,
    /// The places of selectors of which only counts and sums of histograms are wanted.
    statistics: HashSet<Span>,
}

/// What is to be done next.
enum Task<'e> {
    /// Evaluate a part.
    Enter(&'e Expr),
    /// Its operands are evaluated: work on them.
    Apply(&'e Expr),
}

/// The evaluated operands that have not been worked on.
#[derive(Default)]
struct Operands(Vec<(Evaluated, usize)>);

impl Operands {
    fn push(&mut self, limits: &mut Limits, value: Evaluated, span: Span) -> Result<(), EvalError> {
        let weight = value.weight();
        limits.hold(weight, span)?;
        self.0.push((value, weight));
        Ok(())
    }

    fn pop(&mut self, limits: &mut Limits, span: Span) -> Result<Evaluated, EvalError> {
        let (value, weight) = self.0.pop().ok_or_else(|| EvalError::unexpected(span))?;
        limits.release(weight);
        Ok(value)
    }
}

impl<'a> Evaluator<'a> {
    pub fn new(
        expr: &Expr,
        store: &'a SeriesStore,
        query: Times,
        query_step: i64,
        options: &'a Options,
    ) -> Self {
        Self {
            store,
            options,
            query,
            query_step,
            notes: Annotations::default(),
            limits: Limits::new(options),
            lookback: millis(options.lookback),
            fixed: has_fixed_time(expr),
            statistics: statistics::selectors(expr),
        }
    }

    /// The value of an expression at all of the times.
    pub fn eval(&mut self, expr: &Expr, times: Times) -> Result<Evaluated, EvalError> {
        self.limits.fit(times.count(), expr.span)?;
        let mut tasks = vec![Task::Enter(expr)];
        let mut operands = Operands::default();
        while let Some(task) = tasks.pop() {
            let (part, value) = match task {
                Task::Enter(part) => (part, self.enter(part, times, &mut tasks)?),
                Task::Apply(part) => (part, Some(self.apply(part, times, &mut operands)?)),
            };
            if let Some(value) = value {
                operands.push(&mut self.limits, value, part.span)?;
            }
        }
        operands.pop(&mut self.limits, expr.span)
    }

    /// Evaluates a part without operands; of any other, says what to evaluate first.
    fn enter<'e>(
        &mut self,
        expr: &'e Expr,
        times: Times,
        tasks: &mut Vec<Task<'e>>,
    ) -> Result<Option<Evaluated>, EvalError> {
        if self.fixed && !times.is_instant() && is_invariant(expr) {
            return self.eval_once(expr, times).map(Some);
        }
        match &expr.kind {
            ExprKind::NumberLiteral(value) => {
                Ok(Some(Evaluated::Scalar(SmallVec::from_elem(*value, times.count()))))
            }
            ExprKind::StringLiteral(text) => Ok(Some(Evaluated::String(text.clone()))),
            ExprKind::VectorSelector(selector) => {
                let series = self.pick(selector, times, Pick::Value, expr.span)?;
                Ok(Some(Evaluated::Vector(series)))
            }
            ExprKind::Paren(inner) => {
                tasks.push(Task::Enter(inner));
                Ok(None)
            }
            ExprKind::MatrixSelector(_) | ExprKind::Subquery(_) => {
                Err(EvalError::unexpected(expr.span))
            }
            ExprKind::Unary(_) | ExprKind::Binary(_) | ExprKind::Aggregate(_) => {
                tasks.push(Task::Apply(expr));
                tasks.extend(expr.children().rev().map(Task::Enter));
                Ok(None)
            }
            ExprKind::Call(call) => {
                tasks.push(Task::Apply(expr));
                let now = call.args.iter().enumerate().rev();
                let now = now.filter(|(index, _)| !functions::evaluates_itself(call, *index));
                tasks.extend(now.map(|(_, arg)| Task::Enter(arg)));
                Ok(None)
            }
        }
    }

    fn apply(
        &mut self,
        expr: &Expr,
        times: Times,
        operands: &mut Operands,
    ) -> Result<Evaluated, EvalError> {
        match &expr.kind {
            ExprKind::Unary(_) => {
                let operand = operands.pop(&mut self.limits, expr.span)?;
                binary::negate(self, operand, expr.span)
            }
            ExprKind::Binary(binary) => {
                let rhs = operands.pop(&mut self.limits, expr.span)?;
                let lhs = operands.pop(&mut self.limits, expr.span)?;
                binary::apply(self, binary, expr.span, times, lhs, rhs)
            }
            ExprKind::Aggregate(aggregate) => {
                let series = operands.pop(&mut self.limits, expr.span)?;
                let param = match &aggregate.param {
                    Some(_) => Some(operands.pop(&mut self.limits, expr.span)?),
                    None => None,
                };
                aggregate::apply(self, aggregate, expr.span, times, param, series)
            }
            ExprKind::Call(call) => {
                let mut args = Vec::with_capacity(call.args.len());
                for index in (0..call.args.len()).rev() {
                    args.push(match functions::evaluates_itself(call, index) {
                        true => None,
                        false => Some(operands.pop(&mut self.limits, expr.span)?),
                    });
                }
                args.reverse();
                functions::apply(self, call, expr.span, times, args)
            }
            _ => Err(EvalError::unexpected(expr.span)),
        }
    }

    /// Evaluates at the first time what is the same at all others.
    fn eval_once(&mut self, expr: &Expr, times: Times) -> Result<Evaluated, EvalError> {
        let once = self.eval(expr, Times::instant(times.start))?;
        self.limits.fit(once.weight().saturating_mul(times.count()), expr.span)?;
        Ok(match once {
            Evaluated::Scalar(numbers) => {
                let first = numbers.first().copied().unwrap_or(f64::NAN);
                Evaluated::Scalar(SmallVec::from_elem(first, times.count()))
            }
            Evaluated::Vector(series) => {
                Evaluated::Vector(series.into_iter().map(|one| repeated(one, times)).collect())
            }
            Evaluated::String(text) => Evaluated::String(text),
        })
    }

    /// The time that a fixed time names.
    pub fn fixed_time(&self, at: Option<At>) -> Option<i64> {
        Some(match at? {
            At::Start => self.query.start,
            At::End => self.query.end,
            At::Time(at) => at.millis(),
        })
    }

    /// Whether only counts and sums of histograms are wanted of the selector at a place.
    pub fn wants_statistics(&self, selector: Span) -> bool {
        self.statistics.contains(&selector)
    }

    /// The step of a subquery, in milliseconds.
    pub fn subquery_step(&self, step: Option<std::time::Duration>) -> i64 {
        millis(step.unwrap_or(self.options.subquery_step)).max(1)
    }
}

/// A series with its one point at all times.
fn repeated(one: Series, times: Times) -> Series {
    let mut all = Series::new(one.labels, one.drop_name);
    if let Some(point) = one.floats.first() {
        all.floats = times.iter().map(|at| FloatPoint { at, value: point.value }).collect();
    } else if let Some(point) = one.histograms.first() {
        let same = |at| HistogramPoint { at, histogram: point.histogram.clone() };
        all.histograms = times.iter().map(same).collect();
    }
    all
}
