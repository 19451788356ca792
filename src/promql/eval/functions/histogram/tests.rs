//! Histograms in functions, operators and aggregations. The expected values follow from the
//! definitions, the words of remarks are Prometheus'.

use crate::model::Timestamp;
use crate::promql::eval::tests::support::{at, check, over, remarks};
use crate::promql::series::{SeriesStore, notation};

/// One sample every 10 s from 0 on, in the notation of unit tests.
fn store(lines: &str) -> SeriesStore {
    let mut store = SeriesStore::new();
    for line in lines.lines().map(str::trim) {
        let line = notation::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        for (index, value) in line.values.into_iter().enumerate() {
            let at = Timestamp::from_secs(10 * i64::try_from(index).unwrap());
            if let Some(value) = value {
                store.append(&line.labels, at, value.value).unwrap();
            }
        }
    }
    store
}

/// `h` has one observation in each of (0.5, 1], (1, 2], (2, 4] and (4, 8]; `b_bucket` has 2 up to 1, 6
/// up to 5 and 2 above; `own` has one at 5 and one at 15 or so; `c` counts.
fn samples() -> SeriesStore {
    store(
        r#"h{x="1"} {{count:4 sum:10 buckets:[1 1 1 1]}}x3
           own{x="1"} {{schema:-53 count:2 sum:30 custom_values:[0 10 20] offset:1 buckets:[1 1]}}x3
           b_bucket{x="1",le="1"} 2x3
           b_bucket{x="1",le="5"} 8x3
           b_bucket{x="1",le="+Inf"} 10x3
           f{x="1"} 1x3
           c{x="1"} {{count:2 sum:3 buckets:[2]}}+{{count:1 sum:2 buckets:[1]}}x3"#,
    )
}

const H: &str = "{count:4, sum:10, (0.5,1]:1, (1,2]:1, (2,4]:1, (4,8]:1}";

#[test]
fn functions_of_histograms() {
    check(
        &samples(),
        20,
        &[
            ("histogram_count(h)", r#"{x="1"} 4"#),
            ("histogram_sum(h)", r#"{x="1"} 10"#),
            ("histogram_avg(h)", r#"{x="1"} 2.5"#),
            // The middles are 5 and 15, the mean is 15.
            ("histogram_stdvar(own)", r#"{x="1"} 50"#),
            ("histogram_stddev(own)", r#"{x="1"} 7.0710678118654755"#),
            ("histogram_quantile(0.5, h)", r#"{x="1"} 2"#),
            ("histogram_quantile(0.75, own)", r#"{x="1"} 15"#),
            ("histogram_quantile(0.5, b_bucket)", r#"{x="1"} 3"#),
            ("histogram_fraction(1, 4, h)", r#"{x="1"} 0.5"#),
            ("histogram_fraction(0, 1, b_bucket)", r#"{x="1"} 0.2"#),
            (
                r#"histogram_quantiles(b_bucket, "q", 0.5, 1)"#,
                r#"{q="0.5", x="1"} 3; {q="1.0", x="1"} 5"#,
            ),
            ("histogram_count(f)", ""),
            ("histogram_quantile(0.5, f)", ""),
        ],
    );
    let got = over(&samples(), (0, 20, 10), "histogram_count(c)");
    assert_eq!(got, r#"{x="1"} 2@0 3@10 4@20"#);
    let got = over(&samples(), (0, 20, 10), "histogram_quantile(scalar(f) / 2, b_bucket)");
    assert_eq!(got, r#"{x="1"} 3@0 3@10 3@20"#);
}

#[test]
fn operators_and_aggregations_of_histograms() {
    let named = format!(r#"{{__name__="h", x="1"}} {H}"#);
    let plain = format!(r#"{{x="1"}} {H}"#);
    let bare = format!("{{}} {H}");
    let doubled = r#"{x="1"} {count:8, sum:20, (0.5,1]:2, (1,2]:2, (2,4]:2, (4,8]:2}"#;
    check(
        &samples(),
        20,
        &[
            ("h + h", doubled),
            ("h * 2", doubled),
            ("2 * h", doubled),
            ("h / 0.5", doubled),
            ("h - h", r#"{x="1"} {count:0, sum:0}"#),
            ("-c", r#"{x="1"} {count:-4, sum:-7, (0.5,1]:-4}"#),
            ("h == h", &named),
            ("h != h", ""),
            ("h > h", ""),
            ("h + 1", ""),
            ("h / h", ""),
            ("1 / h", ""),
            ("h + own", ""),
            ("sum(h)", &bare),
            ("avg(h)", &bare),
            ("avg(h) by (x)", &plain),
            ("count(h)", "{} 1"),
            ("group(h)", "{} 1"),
            ("max(h)", ""),
            ("stddev(h)", ""),
            ("quantile(0.5, h)", ""),
            ("topk(1, h)", ""),
            ("limitk(1, h)", &named),
            (r#"count_values("v", h)"#, &format!(r#"{{v="{H}"}} 1"#)),
            ("sum(h or f)", &bare),
            (r#"sum(h or on() label_replace(f, "y", "1", "", ""))"#, &bare),
        ],
    );
}

#[test]
fn ranges_of_histograms() {
    // 2 more over 20 s; the first sample is half a distance, 5 s, behind where the series may
    // have begun: 2 · 25/20. Three times that is 7.5 at 60 s.
    check(
        &samples(),
        20,
        &[
            ("increase(c[1m])", r#"{x="1"} {count:2.5, sum:5, (0.5,1]:2.5}"#),
            ("rate(c[1m]) * 60", r#"{x="1"} {count:2.5, sum:5, (0.5,1]:2.5}"#),
            ("irate(c[1m]) * 10", r#"{x="1"} {count:1, sum:2, (0.5,1]:1}"#),
            ("sum_over_time(c[1m])", r#"{x="1"} {count:9, sum:15, (0.5,1]:9}"#),
            ("avg_over_time(c[1m])", r#"{x="1"} {count:3, sum:5, (0.5,1]:3}"#),
            ("count_over_time(c[1m])", r#"{x="1"} 3"#),
            ("first_over_time(c[1m])", r#"{__name__="c", x="1"} {count:2, sum:3, (0.5,1]:2}"#),
            ("last_over_time(c[1m])", r#"{__name__="c", x="1"} {count:4, sum:7, (0.5,1]:4}"#),
            ("changes(c[1m])", r#"{x="1"} 2"#),
            ("changes(h[1m])", r#"{x="1"} 0"#),
            ("resets(c[1m])", r#"{x="1"} 0"#),
            ("max_over_time(c[1m])", ""),
        ],
    );
    let reset = store("c {{count:5 buckets:[5]}} {{count:7 buckets:[7]}} {{count:2 buckets:[2]}}");
    assert_eq!(at(&reset, 20, "resets(c[1m])"), "{} 1");
    // 2 and, behind the reset, 2 more.
    assert_eq!(at(&reset, 20, "increase(c[1m]) * 0.8"), "{} {count:4, sum:0, (0.5,1]:4}");
}

#[test]
fn what_is_wrong_with_histograms_is_remarked() {
    let store = store(
        r#"h {{count:4 sum:10 buckets:[1 1 1 1]}}x3
           own {{schema:-53 count:2 sum:30 custom_values:[0 10 20] offset:1 buckets:[1 1]}}x3
           m{le="x"} 1x3
           both 1x3
           both{le="1"} 1x3
           falls_bucket{le="1"} 4x3
           falls_bucket{le="2"} 3x3
           falls_bucket{le="+Inf"} 8x3
           odd {{count:10 sum:NaN buckets:[5]}}x3
           f 1x3"#,
    );
    for (expr, expected) in [
        (
            "histogram_quantile(0.5, m)",
            r#"PromQL warning: bucket label "le" is missing or has a malformed value of "x" (1:25)"#,
        ),
        (
            "histogram_quantile(2, h)",
            "PromQL warning: quantile value should be between 0 and 1, got 2 (1:20)",
        ),
        (
            "histogram_quantile(0.5, falls_bucket)",
            "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see \
             https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile), \
             from buckets 2 to 2, with a max diff of 1, over 1 samples from 1970-01-01T00:00:10Z to \
             1970-01-01T00:00:10Z (1:25)",
        ),
        (
            "histogram_quantile(0.9, odd)",
            "PromQL info: input to histogram_quantile has NaN observations, result is NaN (1:25)",
        ),
        (
            "histogram_quantile(0.1, odd)",
            "PromQL info: input to histogram_quantile has NaN observations, result is skewed higher \
             (1:25)",
        ),
        (
            "histogram_fraction(0, 1, odd)",
            "PromQL info: input to histogram_fraction has NaN observations, which are excluded from \
             all fractions (1:26)",
        ),
        (
            "h > h",
            "PromQL info: incompatible sample types encountered for binary operator \">\": histogram \
             > histogram (1:1)",
        ),
        (
            "h + on() own",
            "PromQL warning: incompatible bucket layout encountered for binary operator + (1:1)",
        ),
        ("max(h)", "PromQL info: ignored histogram in max aggregation (1:5)"),
        (
            r#"sum({__name__=~"h|f"})"#,
            "PromQL warning: encountered a mix of histograms and floats for aggregation (1:5)",
        ),
    ] {
        assert_eq!(remarks(&store, expr), [expected], "{expr}");
    }
}

#[test]
fn a_native_histogram_beside_classic_buckets_is_ambiguous() {
    let store = store(
        r#"both {{count:4 sum:10 buckets:[4]}}x3
           both{le="1"} 1x3
           both{le="+Inf"} 2x3"#,
    );
    assert_eq!(at(&store, 10, "histogram_quantile(0.5, both)"), "");
    assert_eq!(
        remarks(&store, "histogram_fraction(0, 1, both)"),
        ["PromQL warning: vector contains a mix of classic and native histograms (1:26)"]
    );
}
