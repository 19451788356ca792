//! The functions of Prometheus 3 and their signatures.

use crate::promql::op::ValueType::{self, Matrix, Scalar, String, Vector};

/// A function's signature.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// The name.
    pub name: &'static str,
    /// The types of the arguments; the last one holds for all further arguments.
    pub params: &'static [ValueType],
    /// The smallest number of arguments.
    pub min_args: usize,
    /// The largest number of arguments; `None` where there is no limit.
    pub max_args: Option<usize>,
    /// The type of the result.
    pub returns: ValueType,
    /// Prometheus knows it only with `--enable-feature=promql-experimental-functions`.
    pub experimental: bool,
}

impl Function {
    /// A function that takes exactly these arguments and returns a vector.
    const fn new(name: &'static str, params: &'static [ValueType]) -> Self {
        let count = params.len();
        Self {
            name,
            params,
            min_args: count,
            max_args: Some(count),
            returns: Vector,
            experimental: false,
        }
    }

    /// The last parameter may be left out.
    const fn optional(mut self) -> Self {
        self.min_args -= 1;
        self
    }

    /// The last parameter may be left out, or stand up to `max` arguments in all.
    const fn up_to(mut self, max: usize) -> Self {
        self.min_args -= 1;
        self.max_args = Some(max);
        self
    }

    /// The last parameter may be left out or repeat.
    const fn repeated(mut self) -> Self {
        self.min_args -= 1;
        self.max_args = None;
        self
    }

    const fn scalar(mut self) -> Self {
        self.returns = Scalar;
        self
    }

    const fn experimental(mut self) -> Self {
        self.experimental = true;
        self
    }

    /// The type of the argument at an index.
    pub fn param(&self, index: usize) -> Option<ValueType> {
        self.params.get(index).or(self.params.last()).copied()
    }
}

const INSTANT: &[ValueType] = &[Vector];
const RANGE: &[ValueType] = &[Matrix];

/// Sorted by name. Source: the function reference of Prometheus 3
/// (<https://prometheus.io/docs/prometheus/latest/querying/functions/>).
static FUNCTIONS: &[Function] = &[
    Function::new("abs", INSTANT),
    Function::new("absent", INSTANT),
    Function::new("absent_over_time", RANGE),
    Function::new("acos", INSTANT),
    Function::new("acosh", INSTANT),
    Function::new("asin", INSTANT),
    Function::new("asinh", INSTANT),
    Function::new("atan", INSTANT),
    Function::new("atanh", INSTANT),
    Function::new("avg_over_time", RANGE),
    Function::new("ceil", INSTANT),
    Function::new("changes", RANGE),
    Function::new("clamp", &[Vector, Scalar, Scalar]),
    Function::new("clamp_max", &[Vector, Scalar]),
    Function::new("clamp_min", &[Vector, Scalar]),
    Function::new("cos", INSTANT),
    Function::new("cosh", INSTANT),
    Function::new("count_over_time", RANGE),
    Function::new("day_of_month", INSTANT).optional(),
    Function::new("day_of_week", INSTANT).optional(),
    Function::new("day_of_year", INSTANT).optional(),
    Function::new("days_in_month", INSTANT).optional(),
    Function::new("deg", INSTANT),
    Function::new("delta", RANGE),
    Function::new("deriv", RANGE),
    Function::new("double_exponential_smoothing", &[Matrix, Scalar, Scalar]).experimental(),
    Function::new("end", &[]).scalar().experimental(),
    Function::new("exp", INSTANT),
    Function::new("first_over_time", RANGE).experimental(),
    Function::new("floor", INSTANT),
    Function::new("histogram_avg", INSTANT),
    Function::new("histogram_count", INSTANT),
    Function::new("histogram_fraction", &[Scalar, Scalar, Vector]),
    Function::new("histogram_quantile", &[Scalar, Vector]),
    Function::new("histogram_quantiles", &[Vector, String, Scalar, Scalar])
        .up_to(12)
        .experimental(),
    Function::new("histogram_stddev", INSTANT),
    Function::new("histogram_stdvar", INSTANT),
    Function::new("histogram_sum", INSTANT),
    Function::new("hour", INSTANT).optional(),
    Function::new("idelta", RANGE),
    Function::new("increase", RANGE),
    Function::new("info", &[Vector, Vector]).optional().experimental(),
    Function::new("integral", &[Matrix, Scalar]).optional().experimental(),
    Function::new("irate", RANGE),
    Function::new("label_join", &[Vector, String, String, String]).repeated(),
    Function::new("label_replace", &[Vector, String, String, String, String]),
    Function::new("last_over_time", RANGE),
    Function::new("ln", INSTANT),
    Function::new("log10", INSTANT),
    Function::new("log2", INSTANT),
    Function::new("mad_over_time", RANGE).experimental(),
    Function::new("max_of", &[Scalar, Scalar]).scalar().experimental(),
    Function::new("max_over_time", RANGE),
    Function::new("min_of", &[Scalar, Scalar]).scalar().experimental(),
    Function::new("min_over_time", RANGE),
    Function::new("minute", INSTANT).optional(),
    Function::new("month", INSTANT).optional(),
    Function::new("pi", &[]).scalar(),
    Function::new("predict_linear", &[Matrix, Scalar]),
    Function::new("present_over_time", RANGE),
    Function::new("quantile_over_time", &[Scalar, Matrix]),
    Function::new("rad", INSTANT),
    Function::new("range", &[]).scalar().experimental(),
    Function::new("rate", RANGE),
    Function::new("resets", RANGE),
    Function::new("round", &[Vector, Scalar]).optional(),
    Function::new("scalar", INSTANT).scalar(),
    Function::new("sgn", INSTANT),
    Function::new("sin", INSTANT),
    Function::new("sinh", INSTANT),
    Function::new("sort", INSTANT),
    Function::new("sort_by_label", &[Vector, String]).repeated().experimental(),
    Function::new("sort_by_label_desc", &[Vector, String]).repeated().experimental(),
    Function::new("sort_desc", INSTANT),
    Function::new("sqrt", INSTANT),
    Function::new("start", &[]).scalar().experimental(),
    Function::new("start_timestamp", INSTANT).experimental(),
    Function::new("stddev_over_time", RANGE),
    Function::new("stdvar_over_time", RANGE),
    Function::new("step", &[]).scalar().experimental(),
    Function::new("sum_over_time", RANGE),
    Function::new("tan", INSTANT),
    Function::new("tanh", INSTANT),
    Function::new("time", &[]).scalar(),
    Function::new("timestamp", INSTANT),
    Function::new("ts_of_first_over_time", RANGE).experimental(),
    Function::new("ts_of_last_over_time", RANGE).experimental(),
    Function::new("ts_of_max_over_time", RANGE).experimental(),
    Function::new("ts_of_min_over_time", RANGE).experimental(),
    Function::new("vector", &[Scalar]),
    Function::new("year", INSTANT).optional(),
];

/// The function of that name.
pub fn function(name: &str) -> Option<&'static Function> {
    let index = FUNCTIONS.binary_search_by(|f| f.name.cmp(name)).ok()?;
    FUNCTIONS.get(index)
}

/// All function names in alphabetical order.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|f| f.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(kind: ValueType) -> &'static str {
        match kind {
            Vector => "up",
            Scalar => "1",
            Matrix => "up[5m]",
            String => "\"x\"",
        }
    }

    fn call(function: &Function, count: usize) -> std::string::String {
        let args: Vec<_> =
            (0..count).map(|i| argument(function.param(i).unwrap_or(Scalar))).collect();
        format!("{}({})", function.name, args.join(", "))
    }

    /// The table against promql-parser's, which was taken from Prometheus' own.
    #[test]
    fn signatures_agree_with_promql_parser() {
        use promql_parser::parser::parse;
        for function in FUNCTIONS {
            for count in 0..15 {
                let call = call(function, count);
                let fits =
                    count >= function.min_args && function.max_args.is_none_or(|m| count <= m);
                assert_eq!(parse(&call).is_ok(), fits, "{call}");
            }
            let text = call(function, function.min_args);
            let returns = parse(&text).unwrap().value_type().to_string();
            assert_eq!(returns, function.returns.to_string(), "{text}");
        }
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
        assert_eq!(function("rate").unwrap().params, [Matrix]);
        assert_eq!(function("rates"), None);
    }
}
