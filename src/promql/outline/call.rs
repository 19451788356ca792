//! Function calls.

use super::{Operand, Outline, Shape};
use crate::diag::{Span, nearest};
use crate::promql::SyntaxError;
use crate::promql::function::{Function, function, function_names};
use crate::promql::op::{AggregateOp, ValueType};

impl Outline<'_> {
    /// `name(args)`
    pub(super) fn call(&mut self) -> Result<Operand, SyntaxError> {
        let name = self.text_at(self.at);
        let name_span = self.take();
        let function = function(name).ok_or_else(|| unknown(name, name_span))?;
        let (args, end) = self.args(function.name == "info")?;
        let span = name_span.to(end);
        check_count(function, &args, span)?;
        for (index, arg) in args.iter().enumerate() {
            if let Some(wanted) = function.param(index) {
                check_type(function.name, wanted, arg)?;
            }
        }
        self.push(span, name_span);
        let below = args.iter().map(|arg| arg.height).max().unwrap_or(0);
        let height = self.height(span, below)?;
        Ok(Operand::new(span, Shape::Other, function.returns, height))
    }

    /// Arguments in parentheses, and the place of the closing one. The second argument of `info`
    /// is a selector that may match everything.
    pub(super) fn args(&mut self, of_info: bool) -> Result<(Vec<Operand>, Span), SyntaxError> {
        self.take_sign("(", "`(`")?;
        let mut args = Vec::new();
        if self.is_sign(")") {
            return Ok((args, self.take()));
        }
        loop {
            args.push(if of_info && args.len() == 1 && self.is_sign("{") {
                self.selector(true)?
            } else {
                self.expression(0)?
            });
            if self.is_sign(")") {
                return Ok((args, self.take()));
            }
            let comma = self.take_sign(",", "an operator, `,` or `)`")?;
            if self.is_sign(")") {
                return Err(SyntaxError::new(comma, "a comma without an argument behind it"));
            }
        }
    }
}

fn unknown(name: &str, span: Span) -> SyntaxError {
    let error = SyntaxError::new(span, format!("unknown function `{name}`"));
    if name == "holt_winters" {
        return error.help("Prometheus 3 calls it `double_exponential_smoothing`");
    }
    match nearest(name, function_names().chain(AggregateOp::names())) {
        Some(known) => error.help(format!("did you mean `{known}`?")),
        None => error,
    }
}

fn check_count(function: &Function, args: &[Operand], span: Span) -> Result<(), SyntaxError> {
    let (count, min, max) = (args.len(), function.min_args, function.max_args);
    if count >= min && max.is_none_or(|max| count <= max) {
        return Ok(());
    }
    let wanted = match max {
        Some(max) if max == min => plural(min),
        Some(max) if count > max => format!("at most {}", plural(max)),
        _ => format!("at least {}", plural(min)),
    };
    let message = format!("`{}` needs {wanted}, {count} given", function.name);
    let params: Vec<_> = function.params.iter().map(|p| p.with_article()).collect();
    // What is too much is the place; what is missing has none of its own.
    let surplus = max.and_then(|max| args.get(max)).zip(args.last());
    let span = surplus.map_or(span, |(first, last)| first.span.to(last.span));
    let error = SyntaxError::new(span, message);
    Err(match params.as_slice() {
        [] => error,
        params => error.help(format!("it takes {}", params.join(", "))),
    })
}

/// `1 argument`, `2 arguments`
pub(super) fn plural(count: usize) -> String {
    match count {
        0 => "no argument".to_string(),
        1 => "1 argument".to_string(),
        n => format!("{n} arguments"),
    }
}

/// Whether an argument has the type that a function or aggregation wants.
pub(super) fn check_type(name: &str, wanted: ValueType, arg: &Operand) -> Result<(), SyntaxError> {
    if arg.value_type == wanted {
        return Ok(());
    }
    let (wants, found) = (wanted.with_article(), arg.value_type.with_article());
    let error = SyntaxError::new(arg.span, format!("`{name}` needs {wants} here, this is {found}"));
    Err(match (wanted, arg.value_type) {
        (ValueType::Matrix, ValueType::Vector) if arg.shape == Shape::Selector => {
            error.help("add a range behind the selector, such as [5m]")
        }
        (ValueType::Matrix, ValueType::Vector) => {
            error.help("add a subquery range, such as [5m:], or take the range inside")
        }
        (ValueType::Vector, ValueType::Matrix) => {
            error.help("leave the range out, or wrap it in a function such as `rate`")
        }
        (ValueType::Scalar, ValueType::Vector) => {
            error.help("`scalar(…)` makes a scalar of a vector with one series")
        }
        (ValueType::Vector, ValueType::Scalar) => {
            error.help("`vector(…)` makes a vector of a scalar")
        }
        _ => error,
    })
}
