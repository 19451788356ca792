//! One execution of a template: its functions, its budget, its output.
//!
//! A template comes from a file that may be wrong or hostile. So every execution is bounded: output
//! by bytes, work by a budget that each call and each byte that a call makes are paid from, loops
//! by iterations, nesting by the parser and by gotmpl.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gotmpl::{FuncMap, Value};

use super::straight::{Place, Stop, Straight};
use super::text::Style;
use crate::model::Timestamp;

/// What one execution may spend: one for a call, one for each byte or element that it returns.
const BUDGET: u64 = 4_000_000;
/// Iterations of all loops, times the bytes of the template: about a second of work.
const LOOP_WORK: usize = 20_000_000;
/// The most iterations of all loops together.
const MAX_ITERATIONS: usize = 100_000;

/// A template function.
pub(in crate::template) type Function = fn(&Run, &[Value]) -> Result<Value, String>;
/// Functions by name.
pub(in crate::template) type Table = &'static [(&'static str, Function)];
/// A method of a value: `None` where the value has none of that name.
pub(in crate::template) type Method =
    fn(&Run, &Value, &str, &[Value]) -> Option<Result<Value, String>>;
/// Answers a `query`: `None` while the answer is not known.
pub(in crate::template) type Answer =
    Arc<dyn Fn(&str) -> Option<Result<Value, String>> + Send + Sync>;

/// What the templates of one program know: Prometheus' or Alertmanager's.
pub(in crate::template) struct Dialect {
    /// Functions; an earlier table goes before a later one.
    pub tables: &'static [Table],
    /// Methods of values.
    pub method: Method,
    /// How maps print.
    pub style: Style,
}

impl Dialect {
    /// The function of a name.
    pub fn function(&self, name: &str) -> Option<Function> {
        self.tables.iter().copied().flatten().find(|(n, _)| *n == name).map(|(_, f)| *f)
    }

    /// Whether templates may call a function of this name. Those with `__` in front are ours.
    pub fn knows(&self, name: &str) -> bool {
        matches!(name, "and" | "or" | "not" | "call")
            || (!name.starts_with("__") && self.function(name).is_some())
    }

    /// The names of all functions that templates may call.
    pub fn names(&self) -> Vec<&'static str> {
        let names = self.tables.iter().copied().flatten().map(|(n, _)| *n);
        names.filter(|n| !n.starts_with("__")).chain(["and", "or", "not", "call"]).collect()
    }
}

/// The world as a template sees it.
pub(in crate::template) struct Facts {
    /// The time of the execution.
    pub now: Timestamp,
    /// The program's own address.
    pub external_url: String,
    /// Answers to queries.
    pub answer: Answer,
}

/// The state of one execution.
pub(in crate::template) struct Run {
    pub dialect: &'static Dialect,
    pub facts: Facts,
    budget: AtomicU64,
    lacking: Mutex<Option<String>>,
    regexes: Mutex<HashMap<String, Arc<regex::Regex>>>,
}

/// Why an execution gave no text.
#[derive(Debug, PartialEq)]
pub(in crate::template) enum Failure {
    /// This query has no answer yet.
    Lacks(String),
    /// The template failed.
    Error(String),
}

impl Run {
    /// An execution with a full budget.
    pub fn new(dialect: &'static Dialect, facts: Facts) -> Arc<Self> {
        Arc::new(Self {
            dialect,
            facts,
            budget: AtomicU64::new(BUDGET),
            lacking: Mutex::new(None),
            regexes: Mutex::new(HashMap::new()),
        })
    }

    /// Pays for work; an error when the budget is spent.
    pub fn spend(&self, cost: usize) -> Result<(), String> {
        let cost = cost as u64;
        self.budget
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(cost))
            .map(|_| ())
            .map_err(|_| "the template does too much work".to_string())
    }

    /// Notes a query without an answer. The first one is kept.
    pub fn lacks(&self, query: &str) {
        let mut lacking = self.lacking.lock().unwrap_or_else(PoisonError::into_inner);
        lacking.get_or_insert_with(|| query.to_string());
    }

    /// A compiled regular expression, from this execution's cache.
    pub fn regex(&self, pattern: &str) -> Result<Arc<regex::Regex>, String> {
        let mut cache = self.regexes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = cache.get(pattern) {
            return Ok(Arc::clone(regex));
        }
        self.spend(10_000 + 10 * pattern.len())?;
        let regex = super::regexp::compile(pattern)?;
        cache.insert(pattern.to_string(), Arc::clone(&regex));
        Ok(regex)
    }

    /// Calls a function and pays for it.
    pub fn call(&self, name: &str, function: Function, args: &[Value]) -> Result<Value, String> {
        let result = self.spend(1).and_then(|()| function(self, args)).and_then(|value| {
            self.spend(cost(&value))?;
            Ok(value)
        });
        result.map_err(|why| in_function(name, &why))
    }

    /// The functions that a template uses, bound to this execution.
    fn functions(self: &Arc<Self>, used: &BTreeSet<String>) -> FuncMap {
        let mut map = FuncMap::new();
        for name in used {
            let Some(function) = self.dialect.function(name) else { continue };
            let (run, own) = (Arc::clone(self), name.clone());
            let call = move |args: &[Value]| {
                run.call(&own, function, args).map_err(gotmpl::TemplateError::Exec)
            };
            map.insert(name.clone(), Arc::new(call));
        }
        map
    }

    /// Executes the template `entry` of a set that was built by [`super::parse`].
    pub fn execute(self: &Arc<Self>, set: &Set<'_>, data: &Value) -> Result<String, Failure> {
        let mut out = Capped { text: String::new(), left: set.max_output };
        let functions = self.functions(set.used);
        let iterations = (LOOP_WORK / set.bytes.max(1)).clamp(100, MAX_ITERATIONS) as u64;
        let result = match set.templates {
            Templates::Text(templates) => {
                let template = templates.clone().funcs(functions).max_range_iters(iterations);
                template.execute_template_fmt(&mut out, set.entry, data)
            }
            Templates::Html(templates) => {
                let template = templates.clone().funcs(functions).max_range_iters(iterations);
                template.execute_fmt(&mut out, data)
            }
        };
        self.ended(result.map(|()| out.text).map_err(|why| message(why, set.max_output)))
    }

    /// Executes a template without blocks; `read` gives what stands at a place of the data.
    pub fn execute_straight(
        &self,
        template: &Straight,
        max_output: usize,
        read: &dyn Fn(&Place) -> Value,
    ) -> Result<String, Failure> {
        let mut out = Capped { text: String::new(), left: max_output };
        let result = template.write(self, read, &mut out);
        self.ended(result.map(|()| out.text).map_err(|stop| match stop {
            Stop::Full => too_long(max_output),
            Stop::Failed(why) => why,
        }))
    }

    /// What came of an execution: a failure for want of an answer is none.
    fn ended(&self, result: Result<String, String>) -> Result<String, Failure> {
        let lacking = self.lacking.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (result, lacking) {
            (Err(_), Some(query)) => Err(Failure::Lacks(query)),
            (Ok(text), _) => Ok(text),
            (Err(why), None) => Err(Failure::Error(why)),
        }
    }
}

/// What is executed.
pub(in crate::template) struct Set<'a> {
    /// The parsed templates, without functions.
    pub templates: Templates<'a>,
    /// The name of the one to execute.
    pub entry: &'a str,
    /// The functions that they call.
    pub used: &'a BTreeSet<String>,
    /// How long their texts are together.
    pub bytes: usize,
    /// The most bytes that may come out.
    pub max_output: usize,
}

/// Parsed templates with or without HTML escaping.
#[derive(Clone, Copy)]
pub(in crate::template) enum Templates<'a> {
    /// Values are printed as they are.
    Text(&'a gotmpl::Template),
    /// Values are escaped by their place in the HTML. The one to execute is the root of the set.
    Html(&'a gotmpl::html::Template),
}

fn in_function(name: &str, why: &str) -> String {
    if name.starts_with("__") { why.to_string() } else { format!("{name}: {why}") }
}

fn message(error: gotmpl::TemplateError, max_output: usize) -> String {
    match error {
        gotmpl::TemplateError::Exec(why) => why,
        gotmpl::TemplateError::Write => too_long(max_output),
        other => other.to_string(),
    }
}

fn too_long(max_output: usize) -> String {
    format!("the text exceeds {max_output} bytes")
}

/// What a value costs beyond the call that gave it.
pub(super) fn cost(value: &Value) -> usize {
    match value {
        Value::String(s) | Value::Safe { s, .. } => s.len(),
        Value::List(items) => items.len(),
        Value::Map(map) => map.len(),
        _ => 0,
    }
}

/// A text that stops growing.
pub(in crate::template) struct Capped {
    pub text: String,
    pub left: usize,
}

impl fmt::Write for Capped {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.left = self.left.checked_sub(s.len()).ok_or(fmt::Error)?;
        self.text.push_str(s);
        Ok(())
    }
}
