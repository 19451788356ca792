//! A case for every function. The expected values follow from the functions' definitions.

use crate::promql::eval::tests::support::{at, check, over, remarks, store};
use crate::promql::function_names;
use crate::promql::series::SeriesStore;

/// `m` rises unevenly, `c` is reset once, `w` waits for nothing.
fn samples() -> SeriesStore {
    store(
        r#"m{x="1"} 2 4 9
           c_total{x="1"} 10 20 5
           n{x="1"} 1 NaN 3
           w{x="1"} -1.5 -1.5 -1.5
           l{a="1",b="2"} 0 0 7
           date{x="1"} 951827696 951827696 951827696"#,
    )
}

/// Expressions at 20 s and their results.
const CASES: &[(&str, &str)] = &[
    // Numbers.
    ("abs(w)", r#"{x="1"} 1.5"#),
    ("ceil(w)", r#"{x="1"} -1"#),
    ("floor(w)", r#"{x="1"} -2"#),
    ("sgn(w)", r#"{x="1"} -1"#),
    ("sqrt(m)", r#"{x="1"} 3"#),
    ("exp(m - 9)", r#"{x="1"} 1"#),
    ("ln(m / 9)", r#"{x="1"} 0"#),
    ("log2(m - 1)", r#"{x="1"} 3"#),
    ("log10(m * 0 + 1000)", r#"{x="1"} 3"#),
    ("sin(m * 0)", r#"{x="1"} 0"#),
    ("cos(m * 0)", r#"{x="1"} 1"#),
    ("tan(m * 0)", r#"{x="1"} 0"#),
    ("asin(m / 9)", r#"{x="1"} 1.5707963267948966"#),
    ("acos(m / 9)", r#"{x="1"} 0"#),
    ("atan(m * Inf)", r#"{x="1"} 1.5707963267948966"#),
    ("sinh(m * 0)", r#"{x="1"} 0"#),
    ("cosh(m * 0)", r#"{x="1"} 1"#),
    ("tanh(m * Inf)", r#"{x="1"} 1"#),
    ("asinh(m * 0)", r#"{x="1"} 0"#),
    ("acosh(m / 9)", r#"{x="1"} 0"#),
    ("atanh(m * 0)", r#"{x="1"} 0"#),
    ("deg(m * 0 + pi())", r#"{x="1"} 180"#),
    ("rad(m * 20)", r#"{x="1"} 3.141592653589793"#),
    ("round(w)", r#"{x="1"} -1"#),
    ("round(m, 5)", r#"{x="1"} 10"#),
    ("clamp(m, 0, 5)", r#"{x="1"} 5"#),
    ("clamp(m, 5, 0)", ""),
    ("clamp(m, NaN, 5)", r#"{x="1"} NaN"#),
    ("clamp_min(w, -1)", r#"{x="1"} -1"#),
    ("clamp_max(m, 5)", r#"{x="1"} 5"#),
    ("min_of(1, 2)", "1"),
    ("max_of(1, NaN)", "NaN"),
    ("pi()", "3.141592653589793"),
    // Times. The date is 2000-02-29T12:34:56Z, a Tuesday.
    ("time()", "20"),
    ("year(date)", r#"{x="1"} 2000"#),
    ("month(date)", r#"{x="1"} 2"#),
    ("day_of_month(date)", r#"{x="1"} 29"#),
    ("day_of_week(date)", r#"{x="1"} 2"#),
    ("day_of_year(date)", r#"{x="1"} 60"#),
    ("days_in_month(date)", r#"{x="1"} 29"#),
    ("hour(date)", r#"{x="1"} 12"#),
    ("minute(date)", r#"{x="1"} 34"#),
    ("year()", "{} 1970"),
    ("day_of_week()", "{} 4"),
    ("timestamp(m offset 5s)", r#"{x="1"} 10"#),
    ("timestamp(m * 1)", r#"{x="1"} 20"#),
    ("start_timestamp(m)", r#"{x="1"} 0"#),
    ("start()", "20"),
    ("end()", "20"),
    ("step()", "0"),
    ("range()", "0"),
    // One and many.
    ("scalar(m)", "9"),
    ("scalar(m or l)", "NaN"),
    ("scalar(missing)", "NaN"),
    ("vector(3)", "{} 3"),
    ("absent(m)", ""),
    (r#"absent(missing{a="1",b=~"2"})"#, r#"{a="1"} 1"#),
    (r#"absent(missing{a="1",a="2",b="3"})"#, r#"{b="3"} 1"#),
    ("absent(missing + m)", "{} 1"),
    (r#"absent_over_time(missing{a="1"}[1m])"#, r#"{a="1"} 1"#),
    ("absent_over_time(m[1m])", ""),
    ("sort(m)", r#"{__name__="m", x="1"} 9"#),
    ("sort_desc(m)", r#"{__name__="m", x="1"} 9"#),
    (r#"sort_by_label(m, "x")"#, r#"{__name__="m", x="1"} 9"#),
    (r#"sort_by_label_desc(m, "x")"#, r#"{__name__="m", x="1"} 9"#),
    (r#"label_replace(m, "y", "<$1>", "x", "(.)")"#, r#"{__name__="m", x="1", y="<1>"} 9"#),
    (r#"label_replace(m, "y", "z", "x", "2")"#, r#"{__name__="m", x="1"} 9"#),
    (r#"label_replace(m, "x", "", "x", ".*")"#, r#"{__name__="m"} 9"#),
    (r#"label_replace(m, "__name__", "q", "", "")"#, r#"{__name__="q", x="1"} 9"#),
    (r#"label_join(l, "c", "-", "b", "none", "a")"#, r#"{__name__="l", a="1", b="2", c="2--1"} 7"#),
    ("info(m)", r#"{__name__="m", x="1"} 9"#),
    // Ranges; a minute holds all three samples of 0, 10 and 20 s.
    ("count_over_time(m[1m])", r#"{x="1"} 3"#),
    ("present_over_time(m[1m])", r#"{x="1"} 1"#),
    ("sum_over_time(m[1m])", r#"{x="1"} 15"#),
    ("avg_over_time(m[1m])", r#"{x="1"} 5"#),
    ("min_over_time(m[1m])", r#"{x="1"} 2"#),
    ("max_over_time(n[1m])", r#"{x="1"} 3"#),
    ("first_over_time(m[1m])", r#"{__name__="m", x="1"} 2"#),
    ("last_over_time(m[1m])", r#"{__name__="m", x="1"} 9"#),
    ("ts_of_first_over_time(m[1m])", r#"{x="1"} 0"#),
    ("ts_of_last_over_time(m[1m])", r#"{x="1"} 20"#),
    ("ts_of_min_over_time(w[1m])", r#"{x="1"} 20"#),
    ("ts_of_max_over_time(c_total[1m])", r#"{x="1"} 10"#),
    // The squares of the distances from 5 are 9, 1 and 16.
    ("stdvar_over_time(m[1m]) * 3", r#"{x="1"} 26"#),
    ("round(stddev_over_time(m[1m]) ^ 2 * 3, 0.001)", r#"{x="1"} 26"#),
    ("quantile_over_time(0.5, m[1m])", r#"{x="1"} 4"#),
    ("quantile_over_time(0.75, m[1m])", r#"{x="1"} 6.5"#),
    // The distances from 4 are 2, 0 and 5.
    ("mad_over_time(m[1m])", r#"{x="1"} 2"#),
    ("mad_over_time(n[1m])", r#"{x="1"} NaN"#),
    ("changes(m[1m])", r#"{x="1"} 2"#),
    ("changes(w[1m])", r#"{x="1"} 0"#),
    ("resets(c_total[1m])", r#"{x="1"} 1"#),
    // 20 - 10, and 5 behind the reset; the last sample lies at the range's end, the first is
    // half a distance, 5 s, from where the series is thought to begin.
    ("increase(c_total[1m]) * 20", r#"{x="1"} 375"#),
    ("rate(c_total[1m]) * 20 * 60", r#"{x="1"} 375"#),
    ("delta(m[1m]) * 20", r#"{x="1"} 175"#),
    ("irate(c_total[1m])", r#"{x="1"} 0.5"#),
    ("idelta(m[1m])", r#"{x="1"} 5"#),
    // Through (0, 2), (10, 4), (20, 9): the slope is 70/200, the middle is (10, 5).
    ("deriv(m[1m]) * 20", r#"{x="1"} 7"#),
    ("predict_linear(m[1m], 10) * 2", r#"{x="1"} 24"#),
    ("deriv(w[1m])", r#"{x="1"} 0"#),
    // Level and trend begin with 2 and 2. At 4: 0.5 · 4 + 0.5 · (2 + 2) = 4. Then the trend is
    // 0.5 · (4 - 2) + 0.5 · 2 = 2, and the level 0.5 · 9 + 0.5 · (4 + 2) = 7.5.
    ("double_exponential_smoothing(m[1m], 0.5, 0.5)", r#"{x="1"} 7.5"#),
];

#[test]
fn functions_compute_what_they_are_defined_to() {
    check(&samples(), 20, CASES);
}

#[test]
fn every_function_has_a_case() {
    let has_case = |name: &str| CASES.iter().any(|(expr, _)| expr.contains(&format!("{name}(")));
    // Those of histograms have their own tests.
    let of_histograms = |name: &str| name.starts_with("histogram_");
    let without: Vec<&str> =
        function_names().filter(|name| !of_histograms(name) && !has_case(name)).collect();
    assert_eq!(without, ["integral"]);
}

#[test]
fn counters_are_not_extended_below_zero() {
    // The series would have been 0 at 30 s: 10 s before its first sample, not the 15 s that half the
    // distance of two samples would make.
    let store = store("c_total _ _ _ _ 1 _ _ 4 _ _ 7");
    let value: f64 = at(&store, 100, "increase(c_total[2m])")[3..].parse().unwrap();
    assert!((value - 7.0).abs() < 1e-12, "{value}");
    // A gauge is extended by half the distance to its left: 6 over 60 s becomes 6 · 75/60.
    let value: f64 = at(&store, 100, "delta(c_total[2m])")[3..].parse().unwrap();
    assert!((value - 7.5).abs() < 1e-12, "{value}");
}

#[test]
fn one_sample_has_no_slope() {
    let store = store("c_total 1");
    for expr in ["rate", "increase", "delta", "irate", "idelta", "deriv"] {
        assert_eq!(at(&store, 10, &format!("{expr}(c_total[1m])")), "", "{expr}");
    }
    assert_eq!(at(&store, 10, "predict_linear(c_total[1m], 1)"), "");
}

#[test]
fn functions_remark_on_what_looks_wrong() {
    let store = store("gauge 1 2\nc_total 1 2\nc_sum 1 2");
    let expected = r#"PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "gauge" (1:10)"#;
    assert_eq!(remarks(&store, "1 + rate(gauge[1m])"), [expected]);
    for expr in ["rate(c_total[1m])", "increase(c_sum[1m])", "delta(gauge[1m])", "irate(gauge[1m])"]
    {
        assert_eq!(remarks(&store, expr), [] as [&str; 0], "{expr}");
    }
    let expected = "PromQL warning: quantile value should be between 0 and 1, got 2 (2:1)";
    assert_eq!(remarks(&store, "quantile_over_time(\n2, gauge[1m])"), [expected]);
}

#[test]
fn bad_arguments_are_refused_with_their_place() {
    let store = samples();
    for (expr, error) in [
        (
            r#"label_replace(m, "", "a", "x", "")"#,
            "invalid destination label name in label_replace(): ",
        ),
        (
            r#"label_replace(m, "y", "a", "x", "(")"#,
            "invalid regular expression in label_replace(): (",
        ),
        (r#"label_join(m, "", "a", "x")"#, "invalid destination label name in label_join(): "),
        (r#"label_join(m, "y", "a", "")"#, "invalid source label name in label_join(): "),
        (
            "double_exponential_smoothing(m[1m], 1, 0.5)",
            "invalid smoothing factor. Expected: 0 < sf < 1, got: 1.000000",
        ),
        (
            "double_exponential_smoothing(m[1m], 0.5, 0)",
            "invalid trend factor. Expected: 0 < tf < 1, got: 0.000000",
        ),
        ("integral(m[1m])", "the function `integral` cannot be evaluated"),
    ] {
        assert_eq!(at(&store, 20, expr), format!("error: {error}"), "{expr}");
    }
}

#[test]
fn scalars_differ_from_step_to_step() {
    let store = store("m 5 5 5\nk 1 2 9");
    assert_eq!(over(&store, (0, 20, 10), "clamp_max(m, scalar(k))"), "{} 1@0 2@10 5@20");
    assert_eq!(over(&store, (0, 20, 10), "scalar(k) * 2"), "{} 2@0 4@10 18@20");
    assert_eq!(over(&store, (0, 20, 10), "absent(k > 1)"), "{} 1@0");
    assert_eq!(over(&store, (0, 20, 10), "range() + step()"), "{} 30@0 30@10 30@20");
    assert_eq!(over(&store, (300, 320, 10), "absent_over_time(k[5m])"), "{} 1@320");
}

#[test]
fn info_series_lend_their_labels() {
    let store = store(
        r#"m{job="j",instance="a"} 1 1 1
           m{job="j",instance="b"} 2 2 2
           target_info{job="j",instance="a",version="1",os="x"} 1
           target_info{job="j",instance="a",version="2",os="x"} _ 1 1
           build_info{job="j",instance="a",branch="main"} 1 1 1"#,
    );
    let a = r#"{__name__="m", instance="a", job="j""#;
    let b = r#"{__name__="m", instance="b", job="j"} 2"#;
    let with_branch = r#"{__name__="m", branch="main", instance="a", job="j"}"#;
    check(
        &store,
        20,
        &[
            ("info(m)", &format!(r#"{a}, os="x", version="2"}} 1; {b}"#)),
            ("info(m offset 20s)", &format!(r#"{a}, os="x", version="1"}} 1; {b}"#)),
            (r#"info(m, {version=~".+"})"#, &format!(r#"{a}, version="2"}} 1"#)),
            (r#"info(m, {version=~".*"})"#, &format!(r#"{a}, version="2"}} 1; {b}"#)),
            (r#"info(m, {__name__="build_info"})"#, &format!("{with_branch} 1; {b}")),
        ],
    );
}
