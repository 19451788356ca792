//! Templates as rules use them. Expected texts are from Prometheus' documentation or follow from
//! Go's `text/template` and `fmt`.

use super::*;
use crate::model::Sample;

fn sample(labels: &[(&str, &str)], value: f64) -> Sample {
    let labels = labels.iter().copied().collect();
    Sample { labels, timestamp: Timestamp::from_secs(0), value }
}

fn answers() -> QueryAnswers {
    let mut answers = QueryAnswers::new();
    let up = vec![
        sample(&[("__name__", "up"), ("instance", "b:80"), ("__value__", "x")], 11.0),
        sample(&[("__name__", "up"), ("instance", "a:80")], 21.5),
    ];
    answers.insert("up".into(), Ok(up));
    answers.insert("none".into(), Ok(vec![]));
    answers.insert("bad".into(), Err("timeout".into()));
    answers
}

/// What a template expands to. Those without blocks take a shorter way, which must not show: a block
/// around one changes nothing.
pub(super) fn expand_value(template: &str, value: f64) -> Result<Expansion<'static>, String> {
    let expansion = expand_one(template, value);
    let inside = format!("{{{{ if true }}}}{template}{{{{ end }}}}");
    if RuleTemplate::parse(template).is_ok() && RuleTemplate::parse(&inside).is_ok() {
        assert_eq!(expansion, expand_one(&inside, value), "{template}");
    }
    expansion
}

pub(super) fn expand_one(template: &str, value: f64) -> Result<Expansion<'static>, String> {
    let template = RuleTemplate::parse(template).map_err(|e| e.to_string())?;
    let labels =
        LabelSet::from([("instance", "a.example.com:9100"), ("job", "node"), ("x", "<1>")]);
    let data = RuleData {
        labels: &labels,
        value,
        external_labels: &LabelSet::from([("cluster", "prod")]),
        external_url: "https://prom.example.com/base",
        now: Timestamp::from_millis(1_435_065_584_128),
    };
    Ok(match template.expand(&data, &answers()).map_err(|e| e.to_string())? {
        Expansion::Text(text) => Expansion::Text(text.into_owned().into()),
        Expansion::NeedsQuery(query) => Expansion::NeedsQuery(query),
    })
}

pub(super) fn text(template: &str, value: f64) -> String {
    match expand_value(template, value) {
        Ok(Expansion::Text(text)) => text.into_owned(),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check(table: &[(&str, &str)]) {
    for (template, expected) in table {
        assert_eq!(text(template, 0.1), *expected, "{template}");
    }
}

#[test]
fn templates_without_blocks_take_the_short_way() {
    for (template, expected) in [
        ("{{ $labels.instance }} is {{ $value | humanize }}", true),
        ("{{ .Labels.a }}{{ $.Value }}{{ $externalURL }}{{ .ExternalLabels.a }}", true),
        ("{{ printf \"%s %.1f\" (toUpper $labels.job) .Value | title }}{{ now }}", true),
        ("{{ query \"up\" | first | value }}{{ (query \"up\" | first).Value }}", true),
        ("{{ $labels }}", false),
        ("{{ . }}", false),
        ("{{ $x := 1 }}{{ $x }}", false),
        ("{{ or $labels.a \"b\" }}", false),
        ("{{ if $value }}a{{ end }}", false),
        ("{{ $labels.a.b }}", false),
        ("{{ .Label.a }}", false),
    ] {
        let parsed = parsed(template).unwrap();
        let straight = matches!(Compiled::new(parsed), Compiled::Straight(_));
        assert_eq!(straight, expected, "{template}");
    }
}

#[test]
fn variables_and_fields() {
    check(&[
        ("plain", "plain"),
        ("Instance {{ $labels.instance }} down", "Instance a.example.com:9100 down"),
        ("{{$labels.missing}}|{{ .Labels.missing }}|{{ index $labels \"missing\" }}", "||"),
        ("{{ $externalLabels.cluster }} {{ .ExternalLabels.cluster }}", "prod prod"),
        (
            "{{ $externalURL }} {{ externalURL }} {{ pathPrefix }}",
            "https://prom.example.com/base https://prom.example.com/base /base",
        ),
        ("{{ $value }} {{ .Value }} {{ $.Value }}", "0.1 0.1 0.1"),
        ("{{ $labels }}", "map[instance:a.example.com:9100 job:node x:<1>]"),
        (
            "{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}",
            "instance=a.example.com:9100;job=node;x=<1>;",
        ),
        (
            "{{ with $labels.job }}[{{ . }}]{{ end }}{{ with $labels.nope }}x{{ else }}none{{ end }}",
            "[node]none",
        ),
        ("{{ if and $labels.job (not $labels.nope) }}yes{{ end }}", "yes"),
        ("{{ if eq $labels.nope \"\" }}empty{{ end }}", "empty"),
        ("{{ if $labels.nope }}a{{ else if eq $labels.job \"node\" }}b{{ else }}c{{ end }}", "b"),
        ("{{ $x := \"a\" }}{{ if true }}{{ $x = \"b\" }}{{ end }}{{ $x }}", "b"),
        ("{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" $labels.job }}", "<node>"),
        (
            "{{ define \"t\" }}<{{ .arg0 }}{{ .arg1 }}>{{ end }}{{ template \"t\" (args 1 \"b\") }}",
            "<1b>",
        ),
        ("{{ block \"b\" .Value }}v={{ . }}{{ end }}", "v=0.1"),
        ("{{ define \"t\" }}[{{ . }}]{{ end }}{{ template \"t\" }}", "[]"),
        ("a {{- /* comment */ -}} b {{/* c */}}d", "ab d"),
        ("a  {{- 1 -}}  b", "a1b"),
        ("{{ range 3 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "02"),
        ("{{ `raw \\n` }}{{ \"\\u00e9\\t\" }}{{ 'a' }}", "raw \\né\t97"),
        ("{{ safeHtml \"<b>\" }}", "<b>"),
    ]);
}

#[test]
fn values_print_as_go_prints_them() {
    for (value, expected) in [
        (0.0, "0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (1e6, "1e+06"),
        (123_456.0, "123456"),
        (1_234_567.0, "1.234567e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-2.5, "-2.5"),
        (1e21, "1e+21"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
    ] {
        assert_eq!(text("{{ $value }}", value), expected);
    }
}

#[test]
fn printf_as_in_go() {
    check(&[
        ("{{ printf \"%.2f\" $value }}", "0.10"),
        ("{{ $value | printf \"%6.1f|%-6s|%06.2f\" 1.25 \"ab\" }}", "   1.2|ab    |000.10"),
        (
            "{{ printf \"%d %5d %x %q %t %v %%\" 42 7 255 \"a\\\"b\" true $labels.job }}",
            "42     7 ff \"a\\\"b\" true node %",
        ),
        ("{{ printf \"%s\" $value }}", "%!s(float64=0.1)"),
        ("{{ printf \"%d\" $value }}", "%!d(float64=0.1)"),
        ("{{ printf \"%s %s\" \"a\" }}", "a %!s(MISSING)"),
        ("{{ printf \"%s\" \"a\" 2 }}", "a%!(EXTRA int=2)"),
        ("{{ printf \"%[2]s %[1]s\" \"a\" \"b\" }}", "b a"),
        ("{{ printf \"%+.1e\" 12345.678 }}", "+1.2e+04"),
        ("{{ printf \"%g %.3g %G\" 1e6 123456.0 0.00001 }}", "1e+06 1.23e+05 1E-05"),
        ("{{ printf \"%.3s|%5s|%-5s|\" \"abcdef\" \"é\" \"é\" }}", "abc|    é|é    |"),
        ("{{ print 1 2 \"a\" \"b\" 3 }}", "1 2ab3"),
        ("{{ println \"a\" 1 }}", "a 1\n"),
    ]);
}

#[test]
fn humanize_table() {
    for (function, value, expected) in [
        ("humanize", 0.0, "0"),
        ("humanize", 1.0, "1"),
        ("humanize", 1_234_567.0, "1.235M"),
        ("humanize", 0.12, "120m"),
        ("humanize", 0.000_001_5, "1.5u"),
        ("humanize", -1500.0, "-1.5k"),
        ("humanize", f64::NAN, "NaN"),
        ("humanize", f64::INFINITY, "+Inf"),
        ("humanize", 1e30, "1e+06Y"),
        ("humanize1024", 0.5, "0.5"),
        ("humanize1024", 1024.0, "1ki"),
        ("humanize1024", 1_048_576.0, "1Mi"),
        ("humanize1024", 1.5 * 1024.0 * 1024.0 * 1024.0, "1.5Gi"),
        ("humanize1024", f64::NAN, "NaN"),
        ("humanizeDuration", 0.0, "0s"),
        ("humanizeDuration", 1.0, "1s"),
        ("humanizeDuration", 59.567, "59.57s"),
        ("humanizeDuration", 60.0, "1m 0s"),
        ("humanizeDuration", 3600.0, "1h 0m 0s"),
        ("humanizeDuration", 86_400.0, "1d 0h 0m 0s"),
        ("humanizeDuration", 899_999.0, "10d 9h 59m 59s"),
        ("humanizeDuration", -93_784.0, "-1d 2h 3m 4s"),
        ("humanizeDuration", 0.1, "100ms"),
        ("humanizeDuration", 0.000_12, "120us"),
        ("humanizeDuration", f64::INFINITY, "+Inf"),
        ("humanizePercentage", 0.123_45, "12.35%"),
        ("humanizePercentage", 1.0, "100%"),
        ("humanizeTimestamp", 1_435_065_584.128, "2015-06-23 13:19:44.128 +0000 UTC"),
        ("humanizeTimestamp", 0.0, "1970-01-01 00:00:00 +0000 UTC"),
        ("humanizeTimestamp", f64::NAN, "NaN"),
        // Milliseconds, cut towards 1970.
        ("humanizeTimestamp", -0.0175, "1969-12-31 23:59:59.983 +0000 UTC"),
        ("toTime", 1_435_065_584.0, "2015-06-23 13:19:44 +0000 UTC"),
        ("toDuration", 3723.5, "1h2m3.5s"),
    ] {
        assert_eq!(
            text(&format!("{{{{ $value | {function} }}}}"), value),
            expected,
            "{function} {value}"
        );
    }
    check(&[
        (
            "{{ humanize \"1500\" }} {{ humanizeDuration (parseDuration \"1h30m\") }}",
            "1.5k 1h 30m 0s",
        ),
        (
            "{{ (toTime 1435065584.0).Format \"Jan 2 15:04:05.000 2006\" }}",
            "Jun 23 13:19:44.000 2015",
        ),
        ("{{ now }} {{ parseDuration \"-90s\" }}", "1.435065584128e+09 -90"),
    ]);
}

#[test]
fn functions_on_texts() {
    check(&[
        ("{{ \"x1y2 3d a.b\" | title }} {{ toUpper \"straße\" }}", "X1y2 3D A.b STRAßE"),
        ("{{ \"foo bar-baz_qux\" | title }}", "Foo Bar-Baz_qux"),
        ("{{ \"iPhone's\" | title }} {{ toUpper \"aé\" }} {{ toLower \"AÉ\" }}", "IPhone's AÉ aé"),
        ("{{ reReplaceAll \"(.*):.*\" \"$1\" $labels.instance }}", "a.example.com"),
        ("{{ $labels.instance | reReplaceAll \":\\\\d+$\" \"\" }}", "a.example.com"),
        ("{{ reReplaceAll \"(a)(b)?\" \"<$2${1}x$$>\" \"ac\" }}", "<ax$>c"),
        ("{{ match \"a.*\" \"xabc\" }} {{ match \"^b\" \"ab\" }}", "true false"),
        (
            "{{ stripPort $labels.instance }} {{ stripPort \"[::1]:80\" }} {{ stripPort \"::1\" }}",
            "a.example.com ::1 ::1",
        ),
        (
            "{{ stripDomain $labels.instance }} {{ stripDomain \"10.0.0.1:80\" }} {{ stripDomain \"h.x\" }}",
            "a:9100 10.0.0.1:80 h",
        ),
        ("{{ graphLink \"up == 0\" }}", "/graph?g0.expr=up+%3D%3D+0&g0.tab=0"),
        ("{{ tableLink \"a{b=\\\"c\\\"}\" }}", "/graph?g0.expr=a%7Bb%3D%22c%22%7D&g0.tab=1"),
        (
            "{{ html $labels.x }} {{ urlquery \"a b&c\" }} {{ urlQueryEscape \"a b\" }} {{ js \"'\" }}",
            "&lt;1&gt; a+b%26c a+b \\'",
        ),
        (
            "{{ len \"abc\" }} {{ len $labels }} {{ slice \"abcdef\" 1 3 }} {{ slice \"aé\" 0 2 }}",
            "3 3 bc a",
        ),
        (
            "{{ gt $value 0.05 }} {{ lt $value 0.05 }} {{ ge 2 2 }} {{ le \"a\" \"b\" }} {{ ne 1 2 }} {{ eq 3 1 2 3 }}",
            "true false true true true true",
        ),
    ]);
}

#[test]
fn queries_are_answered_or_asked_for() {
    check(&[
        (
            "{{ range query \"up\" }}{{ .Labels.instance }}={{ .Value }} {{ end }}",
            "b:80=11 a:80=21.5 ",
        ),
        ("{{ with query \"up\" }}{{ . | first | value | humanize }}{{ end }}", "11"),
        (
            "{{ query \"up\" | first | label \"instance\" }} {{ query \"up\" | first | strvalue }}",
            "b:80 x",
        ),
        (
            "{{ range query \"up\" | sortByLabel \"instance\" }}{{ .Labels.instance }} {{ end }}",
            "a:80 b:80 ",
        ),
        ("{{ (query \"up\" | first).Labels.instance }}", "b:80"),
        (
            "{{ range query \"none\" }}x{{ else }}nothing{{ end }}{{ len (query \"none\") }}",
            "nothing0",
        ),
        ("{{ $r := query \"up\" }}{{ len $r }} {{ (index $r 1).Value }}", "2 21.5"),
    ]);
    let asked =
        expand_value("{{ query (printf \"x{job='%s'}\" $labels.job) | first | value }}", 1.0);
    assert_eq!(asked, Ok(Expansion::NeedsQuery("x{job='node'}".into())));
    // A branch that is not taken asks for nothing.
    assert_eq!(text("{{ if false }}{{ query \"z\" }}{{ end }}ok", 1.0), "ok");
}

#[test]
fn failures_name_the_function() {
    for (template, part) in [
        ("{{ query \"none\" | first }}", "first: the vector has no elements"),
        ("{{ query \"bad\" }}", "query: bad: timeout"),
        ("{{ humanize \"x\" }}", "humanize: \"x\" is not a number"),
        ("{{ gt $value 10 }}", "cannot compare a float64 with a int"),
        ("{{ .Lables.job }}", "alert's data has no field `Lables`, did you mean `Labels`?"),
        ("{{ $value.x }}", "a float64 has no field `x`"),
        ("{{ reReplaceAll \"(\" \"\" \"a\" }}", "reReplaceAll: "),
        ("{{ range $value }}{{ end }}", "range cannot go over a float64"),
        ("{{ humanize }}", "want 1, got 0"),
    ] {
        let error = expand_value(template, 1.0).unwrap_err();
        assert!(error.contains(part), "{template}: {error}");
    }
}

#[test]
fn labels_that_are_read_are_known_with_their_place() {
    let template = "{{ $labels.a }}{{ .Labels.b | title }}{{ index $labels \"c\" }}{{ $.Labels.d }}\
        {{ range query \"up\" }}{{ .Labels.e }}{{ $labels.f }}{{ end }}{{ index .Labels `g` }}\
        {{ define \"t\" }}{{ .Labels.h }}{{ end }}{{ (printf \"%s\" $labels.i) }}";
    let parsed = RuleTemplate::parse(template).unwrap();
    let uses = parsed.label_uses();
    let names: Vec<&str> = uses.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "f", "g", "i"]);
    let places: Vec<&str> = uses.iter().map(|(_, s)| &template[s.range()]).collect();
    assert_eq!(places, ["a", "b", "\"c\"", "d", "f", "`g`", "i"]);
}
