//! Expected values follow from the description in Prometheus' documentation of unit tests.

use proptest::prelude::*;

use super::{MAX_VALUES, SequenceValue, parse, parse_series, parse_values};
use crate::model::float::general;
use crate::model::histogram::{
    BucketCount, CUSTOM_BUCKETS_SCHEMA, CounterResetHint, FloatHistogram, TestExpression,
};
use crate::promql::series::{SampleValue, is_stale};

/// Values as text: `_`, `stale`, numbers and histograms.
fn texts(values: &[Option<SequenceValue>]) -> Vec<String> {
    let text = |value: &Option<SequenceValue>| match value.as_ref().map(|v| &v.value) {
        None => "_".to_string(),
        Some(SampleValue::Float(value)) if is_stale(*value) => "stale".to_string(),
        Some(SampleValue::Float(value)) => general(*value),
        Some(SampleValue::Histogram(histogram)) => TestExpression(histogram).to_string(),
    };
    values.iter().map(text).collect()
}

fn shown(text: &str) -> String {
    texts(&parse_values(text).unwrap()).join(" ")
}

#[test]
fn numbers_and_their_repetitions() {
    for (text, expected) in [
        ("", ""),
        ("1 2 3", "1 2 3"),
        (" 1\t-2.5  +3 ", "1 -2.5 3"),
        ("1x3", "1 1 1 1"),
        ("1x0", "1"),
        ("1+2x3", "1 3 5 7"),
        ("10-4x3", "10 6 2 -2"),
        ("-1-1x1", "-1 -2"),
        ("1+-2x1", "ERROR"),
        ("_ _x3 _x0 5", "_ _ _ _ 5"),
        ("stale 1 stalex1", "stale 1 stale stale"),
        ("Inf -inf +Inf NaN nanx1", "+Inf -Inf +Inf NaN NaN NaN"),
        ("0.5+0.25x2", "0.5 0.75 1"),
        ("1e3 1e-2x1 1E+2+1x1 .5 1_000", "1000 0.01 0.01 100 101 0.5 1000"),
        // Not hexadecimal: 0 repeated.
        ("0x3", "0 0 0 0"),
        ("Inf-1x1", "+Inf +Inf"),
    ] {
        match expected {
            "ERROR" => assert!(parse_values(text).is_err(), "{text}"),
            _ => assert_eq!(shown(text), expected, "{text}"),
        }
    }
}

#[test]
fn steps_are_added_one_by_one() {
    let values = parse_values("0+0.1x10").unwrap();
    let last = values.last().unwrap().as_ref().and_then(|v| v.value.float());
    // Ten tenths, each sum rounded.
    assert_eq!(last, Some(0.999_999_999_999_999_9));
}

#[test]
fn series_have_names_and_labels() {
    for (text, expected) in [
        ("up", r#"{__name__="up"}"#),
        ("job:errors:rate5m{}", r#"{__name__="job:errors:rate5m"}"#),
        ("{}", "{}"),
        (r#"{a='1', b="2",}"#, r#"{a="1", b="2"}"#),
        (r#"up{ job = "a\n\u00e9" , }"#, r#"{__name__="up", job="a\né"}"#),
        (r#"{"a name", "a.label"=`\d`}"#, r#"{__name__="a name", a.label="\\d"}"#),
        (r#"up{by="1",on="2",inf="3"}"#, r#"{__name__="up", by="1", inf="3", on="2"}"#),
        ("up{a=\"1\", # first\n b=\"2\"}", r#"{__name__="up", a="1", b="2"}"#),
        (r#"up{a=""}"#, r#"{__name__="up"}"#),
    ] {
        let labels = parse_series(text).unwrap();
        let pairs = labels.iter().map(|(name, value)| format!("{name}={value:?}"));
        let got = format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "));
        assert_eq!(got, expected, "{text}");
        let line = parse(&format!("{text} 1 2")).unwrap();
        assert_eq!((line.labels, line.values.len()), (labels, 2), "{text}");
    }
}

fn one(text: &str) -> (FloatHistogram, bool) {
    let values = parse_values(text).unwrap();
    match &values[..] {
        [Some(SequenceValue { value: SampleValue::Histogram(h), hint_given })] => {
            (FloatHistogram::clone(h), *hint_given)
        }
        _ => panic!("{text} is not one histogram"),
    }
}

#[test]
fn histograms_have_all_parts() {
    let (histogram, hint_given) = one(
        "{{schema:-4 sum:-1.5 count:+9 z_bucket:2 z_bucket_w:1e-3 buckets:[1 0 2.5] offset:-2 \
         n_buckets:[ 3 ] n_offset:7 counter_reset_hint:not_reset }}",
    );
    assert_eq!(
        histogram,
        FloatHistogram {
            schema: -4,
            sum: -1.5,
            count: 9.0,
            zero_count: 2.0,
            zero_threshold: 0.001,
            positive: BucketCount::consecutive(-2, [1.0, 0.0, 2.5]),
            negative: BucketCount::consecutive(7, [3.0]),
            ..FloatHistogram::default()
        }
    );
    assert_eq!(histogram.counter_reset_hint, CounterResetHint::NotCounterReset);
    assert!(hint_given);
    let (histogram, hint_given) = one("{{Schema:-53 custom_values:[-Inf 5 10] buckets:[1 NaN]}}");
    assert_eq!(histogram.schema, CUSTOM_BUCKETS_SCHEMA);
    assert_eq!(histogram.custom_values[..], [f64::NEG_INFINITY, 5.0, 10.0]);
    assert!(histogram.positive[1].count.is_nan());
    assert!(!hint_given);
    assert_eq!(one("{{}}").0, FloatHistogram::default());
    assert!(one("{{counter_reset_hint:unknown}}").1);
}

#[test]
fn histograms_repeat_and_count() {
    let plain = "{{schema:1 count:1 sum:2 buckets:[1]}}";
    assert_eq!(shown(&format!("{plain}x2")), [plain; 3].join(" "));
    assert_eq!(
        shown("{{count:1 buckets:[1]}}+{{count:3 buckets:[1 2]}}x2 7"),
        "{{count:1 buckets:[1]}} {{count:4 buckets:[2 2]}} {{count:7 buckets:[3 4]}} 7"
    );
    assert_eq!(
        shown("{{count:3 sum:1}}-{{count:1 sum:0.5}}x2"),
        "{{count:3 sum:1}} {{count:2 sum:0.5}} {{count:1}}"
    );
    assert_eq!(shown("_ {{}}x1 _"), "_ {{}} {{}} _");
}

#[test]
fn mistakes_have_a_place_and_a_way_out() {
    for (text, place, message) in [
        ("", "", "expected a series, found the end"),
        ("1 2 3", "1", "expected a series, found `1`"),
        ("up{a=\"1\"", "", "expected `,` or `}`, found the end"),
        ("up{a='1' b='2'}", "b='2'}", "expected `,` or `}`, found `b='2'}`"),
        ("up{a=1}", "1}", "expected the label's value in quotes, found `1}`"),
        ("up{a!='1'}", "!='1'}", "expected `=`, found `!='1'}`"),
        ("up{a='1',a='2'}", "a", "the label `a` is there twice"),
        ("up{'down'}", "'down'", "the series has two names"),
        ("up{a='1}", "'1}", "unclosed quote '"),
        (r#"up{a="\d"}"#, r"\d", "unknown escape sequence"),
        ("up{}1", "1", "expected a space between the series and its values, found `1`"),
        (
            "up 1 two",
            "two",
            "expected a number, `stale`, `_` or a histogram in `{{…}}`, found `two`",
        ),
        ("up 1,2", ",2", "expected a space behind a value, found `,2`"),
        ("up 1.2.3", "1.2.3", "bad number `1.2.3`"),
        ("up 1+2", "1+2", "a step without a count"),
        ("up 1x", "", "expected how often to repeat, such as x5, found the end"),
        ("up 1x-3", "-3", "expected how often to repeat, such as x5, found `-3`"),
        ("up 1x2000000", "1x2000000", "the series has more than 2000000 values"),
        (
            "up 1x99999999999999999999",
            "x99999999999999999999",
            "the series has more than 2000000 values",
        ),
        ("up {{sum:1", "{{sum:1", "unclosed histogram"),
        ("up {{sums:1}}", "sums", "a histogram has no `sums`"),
        ("up {{sum 1}}", " ", "expected `:` behind `sum`, found a space"),
        ("up {{sum:1 sum:2}}", "sum", "`sum` is there twice"),
        ("up {{sum:x}}", "x}}", "expected a number, found `x}}`"),
        ("up {{schema:9}}", "9", "there is no schema 9: use -4 to 8, or -53 for custom buckets"),
        ("up {{offset:9999999999}}", "9999999999", "9999999999 is out of range"),
        ("up {{z_bucket_w:-1}}", "-1}}", "expected a number without a sign, found `-1}}`"),
        ("up {{buckets:1}}", "1}}", "expected a list such as `[1 2 3]`, found `1}}`"),
        ("up {{buckets:[1,2]}}", ",2]}}", "expected a space or `]`, found `,2]}}`"),
        ("up {{buckets:[1 2", "[1 2", "unclosed list"),
        ("up {{counter_reset_hint:gage}}", "gage", "there is no hint `gage`"),
        ("up {{}}+1x3", "1x3", "expected another histogram in `{{…}}`, found `1x3`"),
        ("up {{}}+{{}}", "{{}}+{{}}", "a step without a count"),
        (
            "up {{schema:1}}+{{}}x3",
            "{{schema:1}}+{{}}x3",
            "the step has schema 0, which is lower than schema 1",
        ),
        (
            "up {{schema:-53}}+{{}}x3",
            "{{schema:-53}}+{{}}x3",
            "one histogram has custom buckets, the other exponential ones",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.message, message, "{text}");
        assert_eq!(text.get(error.span.range()), Some(place), "{text}: {error:?}");
    }
}

#[test]
fn caps_hold_for_the_whole_series() {
    let half = MAX_VALUES / 2;
    assert!(parse_values(&format!("1x{} _x{half}", half - 1)).is_ok());
    assert!(parse_values(&format!("1x{half} _x{half}")).is_err());
    let wide = format!("{{{{buckets:[{}]}}}}", "1 ".repeat(5000));
    let error = parse_values(&format!("{wide}+{wide}x1000")).unwrap_err();
    assert_eq!(error.message, "the histograms hold more than 4000000 numbers");
    let error = parse(&format!("up {}", " ".repeat(1_000_000))).unwrap_err();
    assert_eq!(error.message, "the text has 1000003 bytes, at most 1000000 are allowed");
}

fn counts() -> impl Strategy<Value = Vec<f64>> {
    let count = prop_oneof![Just(0.0), 0.0..1e9f64, -5.0..5.0f64];
    // What is written has no empty buckets at the ends.
    let filled = |mut counts: Vec<f64>| {
        let end = counts.iter().rposition(|count| *count != 0.0).map_or(0, |last| last + 1);
        counts.truncate(end);
        let begin = counts.iter().position(|count| *count != 0.0).unwrap_or(0);
        counts.drain(..begin);
        counts
    };
    proptest::collection::vec(count, 0..6).prop_map(filled)
}

fn histograms() -> impl Strategy<Value = FloatHistogram> {
    let hint = prop_oneof![
        Just(CounterResetHint::Unknown),
        Just(CounterResetHint::CounterReset),
        Just(CounterResetHint::NotCounterReset),
        Just(CounterResetHint::Gauge),
    ];
    let whole = (any::<f64>(), any::<f64>(), 0.0..10.0f64);
    let sides = (-100..100i32, counts(), -100..100i32, counts());
    let schema = prop_oneof![-4..=8i32, Just(CUSTOM_BUCKETS_SCHEMA)];
    (schema, hint, whole, sides).prop_map(|(schema, hint, (count, sum, zero), sides)| {
        let custom = schema == CUSTOM_BUCKETS_SCHEMA;
        let (offset, positive, negative_offset, negative) = sides;
        FloatHistogram {
            counter_reset_hint: hint,
            schema,
            zero_threshold: if custom { 0.0 } else { zero / 7.0 },
            zero_count: if custom { 0.0 } else { zero },
            // -0 is not written.
            count: count + 0.0,
            sum: sum + 0.0,
            positive: BucketCount::consecutive(offset, positive),
            negative: BucketCount::consecutive(negative_offset, negative),
            custom_values: if custom { [0.5, 1e9].into() } else { [].into() },
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_can_be_read(histogram in histograms()) {
        let text = TestExpression(&histogram).to_string();
        let (mut read, hint_given) = one(&text);
        let hint = histogram.counter_reset_hint;
        prop_assert_eq!(hint_given, hint != CounterResetHint::Unknown);
        prop_assert_eq!(read.counter_reset_hint, hint);
        let mut expected = histogram;
        expected.compact();
        read.compact();
        prop_assert_eq!(read, expected, "{}", text);
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn nothing_panics_on_what_looks_like_it(parts in proptest::collection::vec(
        proptest::sample::select(vec![
            "up", "{", "}", "{{", "}}", "a", "=", "\"", "'", "\\", ",", " ", "_", "x", "1", "2e", "+",
            "-", "stale", "Inf", "schema:", "sum:", "buckets:", "offset:", "[", "]", "é", "#", "\n",
            "99999999999", ":", "NaN", "{{buckets:[1]}}", "x3",
        ]), 0..25,
    )) {
        let text = parts.concat();
        match parse(&text) {
            Ok(line) => prop_assert!(line.values.len() <= MAX_VALUES),
            Err(error) => prop_assert!(text.get(error.span.range()).is_some(), "{:?}", error),
        }
    }
}
