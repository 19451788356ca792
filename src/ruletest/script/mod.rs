//! Scripts in the language of Prometheus' own tests of PromQL (`promql/promqltest`): `load` puts
//! samples into memory, `eval` evaluates an expression and says what must come out.
//!
//! What a script expects of an instant query is also expected of the middle of a range query, and at
//! other times when every selector is bound to the time of the query by `@`, as in Prometheus'
//! own runner.

mod check;
mod classic;
mod command;
mod compare;
mod expect;
mod load;
mod parse;
mod starts;
#[cfg(test)]
mod tests;
mod variants;

use crate::diag::Span;
use crate::promql::eval::Options;
use crate::promql::series::SeriesStore;
use crate::ruletest::script::command::Command;

/// What came of an `eval`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that was expected.
    Passed,
    /// Something else; why, in one or a few lines.
    Failed(String),
    /// The expression is not understood; why.
    NotParsed(String),
}

/// An `eval` of a script and what came of it.
#[derive(Clone, Debug)]
pub struct EvalResult {
    /// The line of the `eval`, from 1.
    pub line: usize,
    /// The expression.
    pub expression: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// A mistake of a script, for which it is not run at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScriptError {
    /// The place in the script's text, in bytes.
    pub span: Span,
    /// What is wrong.
    pub message: String,
}

/// The options under which Prometheus runs its own scripts: names are dropped late and start times
/// of counters are looked at.
pub fn options() -> Options {
    Options { delayed_name_removal: true, start_timestamps: true, ..Options::default() }
}

/// Runs a script.
///
/// # Errors
/// Where the script itself is wrong. An expression that is not understood is the matter of its `eval`.
pub fn run(text: &str, options: &Options) -> Result<Vec<EvalResult>, ScriptError> {
    let commands = parse::commands(text)?;
    let mut store = SeriesStore::new();
    let mut results = Vec::new();
    for command in commands {
        match command {
            Command::Clear => store = SeriesStore::new(),
            Command::Load(load) => load::into_store(&load, &mut store)?,
            Command::Eval(eval) => {
                let verdict = check::verdict(&eval, &store, options);
                results.push(EvalResult { line: eval.line, expression: eval.expression, verdict });
            }
        }
    }
    Ok(results)
}
