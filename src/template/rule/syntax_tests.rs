//! What is a template and what is none, by Go's parser. What Go takes and fails with when it runs is
//! taken too. Expected texts are those of Prometheus' own expander.

use super::tests::{expand_value, text};
use super::*;

#[test]
fn mistakes_are_refused_at_load_with_their_place() {
    for (template, marked, part) in [
        ("a {{ humanise 1 }}", "humanise", "did you mean `humanize`?"),
        ("{{ $lables.x }}", "$lables", "did you mean `$labels`?"),
        ("{{ define \"t\" }}{{ $labels.x }}{{ end }}", "$labels", "unknown variable"),
        ("{{ if $x := 1 }}{{ end }}{{ $x }}", "$x", "unknown variable"),
        ("x{{ if true }}y", "if", "never closed"),
        ("{{ range $labels }}{{ else }}", "range", "never closed"),
        ("{{ end }}", "end", "closes nothing"),
        ("a{{ else }}b", "else", "belongs to nothing"),
        ("é {{ $value ", "{{", "never closed"),
        ("{{ $value }", "}", "unexpected '}'"),
        ("{{ \"abc }}", "\"", "never closed on its line"),
        ("{{ }}", "}}", "expected a value"),
        ("{{ (len \"a\" }}", "}}", "expected `)`"),
        ("{{ \"a\" | . }}", ".", "must go into a function"),
        ("{{ | $value }}", "|", "expected a value"),
        ("{{ 1 | | humanize }}", "|", "expected a value"),
        ("{{ with 1 }}{{ else if 1 }}{{ end }}", "if", "expected `}}`"),
        ("{{ if 1 }}{{ else with 1 }}{{ end }}", "with", "expected `}}`"),
        ("{{ range 1 }}{{ else if 1 }}{{ end }}", "if", "expected `}}`"),
        ("{{ block \"x\" }}a{{ end }}", "}}", "expected a value"),
        ("{{-  /* c */ -}}", "/", "unexpected '/'"),
        ("{{- /* c */  -}}", "*/", "must follow"),
        ("{{/*/}}", "/*", "never closed"),
        ("{{ $x=2 }}", "=", "behind a name"),
        ("{{ $x} }}", "}", "behind a name"),
        ("{{ range $x, := . }}{{ end }}", ",", "no variable can be set"),
        ("{{ range $x, $y }}{{ end }}", "$y", "unknown variable"),
        ("{{ range $x, $y, $z := . }}{{ end }}", ",", "no variable can be set"),
        ("{{ $x, $y := 1 }}", ",", "no variable can be set"),
        ("{{ 1__0 }}", "1__0", "not a number"),
        ("{{ '\\xc3\\xa9' }}", "'\\xc3\\xa9'", "must be one"),
        ("{{ .Labels.x² }}", "²", "behind a name"),
        ("{{ nil.x }}", ".x", "a space in front"),
        ("{{ $labels.a | 3 }}", "3", "must go into a function"),
        ("{{ break }}", "break", "outside of a `range`"),
        ("{{ 1 = 2 }}", "=", "expected a value"),
        ("{{ 08 }}", "08", "not a number"),
        ("{{/* x", "/*", "never closed"),
        ("{{ tmpl \"a\" . }}", "tmpl", "unknown function"),
        ("{{ __get . \"Labels\" }}", "__get", "unknown function"),
        ("{{ if true }}{{ else }}{{ else }}{{ end }}", "else", "a second `else`"),
    ] {
        let error = RuleTemplate::parse(template).unwrap_err();
        assert_eq!(template.get(error.span.range()), Some(marked), "{template}: {error}");
        assert!(error.message.contains(part), "{template}: {error}");
    }
}

#[test]
fn odd_templates_that_go_takes_work() {
    for (template, expected) in [
        ("{{ $value | }}{{ (1 | ) }}", "0.11"),
        ("{{ ($x := 1) }}{{ $x }}", "11"),
        ("{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" $x := 1 }}{{ $x }}", "<1>1"),
        ("{{ with . }}{{ $x := 1 }}{{ else }}{{ $x }}{{ end }}", ""),
        ("{{ if $x := 0 }}{{ else if $y := 2 }}{{ $x }}{{ $y }}{{ end }}", "02"),
        ("{{ with 0 }}{{ else with 1 }}{{ . }}{{ end }}", "1"),
        ("{{ range $value, $labels }}{{ $value }};{{ end }}", "a.example.com:9100;node;<1>;"),
        ("{{ $x := 1 }}{{ range $x, $x }}{{ $x }}{{ end }}", "0"),
        ("{{ $labels := $labels }}{{ $labels.job }}", "node"),
        ("{{ $labels = 1 }}{{ $labels }}", "1"),
        ("{{ define \"t\" }}{{ $labels := 2 }}{{ $labels }}{{ end }}{{ template \"t\" }}", "2"),
        ("{{ define \"t\" }}a{{ end }}{{ define \"t\" }} {{ end }}{{ template \"t\" }}", "a"),
        ("{{ if false }}{{ template \"nowhere\" }}{{ end }}", ""),
        ("{{ 1i }} {{ 1+2i }} {{ print -1.5i }}", "(0+1i) (1+2i) (0-1.5i)"),
        ("{{ 0x1p4 }} {{ -0x1e3 }} {{ 0_17 }} {{ '\\xff' }}", "16 -483 15 255"),
        ("{{/*/*/}}a{{- /**/ -}} b", "ab"),
    ] {
        assert_eq!(text(template, 0.1), expected, "{template}");
    }
}

#[test]
fn what_cannot_run_fails_when_it_runs() {
    for (template, part) in [
        ("{{ template \"x\" . }}", "undefined template: x"),
        ("{{ template \"x\".Labels }}", "undefined template: x"),
        ("{{ \"x\" | $value }}", "non-function"),
        ("{{ \"x\" | (humanize 1) }}", "non-function"),
        ("{{ \"x\" | .Labels }}", "takes no argument"),
        ("{{ humanize.x }}", "want 1, got 0"),
        ("{{ externalURL.x }}", "has no field `x`"),
        ("{{ $x = 1 }}", "undefined variable: $x"),
        ("{{ $x := $x }}", "undefined variable: $x"),
        ("{{ range $x = $labels }}{{ end }}", "undefined variable: $x"),
        ("{{ with \"\" }}{{ $x := 1 }}{{ else }}{{ $x }}{{ end }}", "undefined variable: $x"),
        ("{{ with \"\" }}{{ $x := 1 }}{{ else }}{{ $x = 2 }}{{ end }}", "undefined variable: $x"),
        ("{{ or true ($x := 1) }}{{ $x }}", "undefined variable: $x"),
        ("{{ 18446744073709551615 }}", "overflows int"),
        ("{{ humanize 1i }}", "a complex128 is not a number"),
    ] {
        let error = expand_value(template, 1.0).unwrap_err();
        assert!(error.contains(part), "{template}: {error}");
    }
}

#[test]
fn what_need_not_parse_fails_in_prometheus_words() {
    let template = RuleTemplate::parse_late("{{ foo }}");
    assert_eq!(template.refusal().map(|error| error.span), Some(Span::new(3, 6)));
    let none = LabelSet::new();
    let data = RuleData {
        labels: &none,
        value: 1.0,
        external_labels: &none,
        external_url: "",
        now: Timestamp::default(),
    };
    let error = template.expand(&data, &QueryAnswers::new()).unwrap_err().to_string();
    assert_eq!(error, "error parsing template: unknown function `foo`");
    for good in ["a", "{{ $value }}"] {
        assert_eq!(RuleTemplate::parse_late(good).refusal(), None);
    }
}

#[test]
fn work_and_output_are_bounded() {
    for template in [
        "{{ range 1000000000 }}{{ end }}",
        "{{ range 90000 }}0123456789{{ end }}",
        "{{ $x := \"aaaaaaaaaaaaaaaa\" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}",
        "{{ $x := args }}{{ range 5000 }}{{ $x = args $x }}{{ end }}{{ $x }}",
        "{{ define \"t\" }}{{ template \"t\" . }}{{ end }}{{ template \"t\" . }}",
        "{{ printf \"%999999999d\" 1 }}{{ printf \"%*d\" 1000000000 1 }}{{ range 100 }}{{ printf \"%10000d\" 1 }}{{ end }}",
        "{{ define \"a\" }}{{ range 9 }}{{ template \"b\" }}{{ end }}{{ end }}{{ define \"b\" }}{{ range 9999 }}{{ template \"c\" }}{{ end }}{{ end }}{{ define \"c\" }}{{ end }}{{ template \"a\" }}",
    ] {
        assert!(expand_value(template, 1.0).is_err(), "{template}");
    }
    // As deep as the executor goes, with the deepest expression at its end: no stack overflow.
    let parens = format!("{}1{}", "(".repeat(95), ")".repeat(95));
    let deepest = format!(
        "{{{{ define \"t\" }}}}{{{{ with {parens} }}}}{{{{ template \"t\" {parens} }}}}{{{{ end }}}}{{{{ end }}}}{{{{ template \"t\" . }}}}"
    );
    assert!(expand_value(&deepest, 1.0).unwrap_err().contains("recursion limit"));
    let deep = "{{ if true }}".repeat(500) + &"{{ end }}".repeat(500);
    assert!(RuleTemplate::parse(&deep).unwrap_err().message.contains("deep"));
    let parens = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    assert!(RuleTemplate::parse(&parens).unwrap_err().message.contains("deep"));
    assert!(RuleTemplate::parse(&"{{ 1 }}".repeat(40_000)).unwrap_err().message.contains("bytes"));
    let deepest = "{{ if true }}".repeat(99) + "a" + &"{{ end }}".repeat(99);
    assert_eq!(text(&deepest, 1.0), "a");
}

/// A chain is one level, and of any length: a long one takes another way, which must not show.
#[test]
fn chains_are_as_long_as_they_like() {
    for length in [1, 40, 41, 42, 3000] {
        let links = |condition: &dyn Fn(usize) -> String| -> String {
            let link = |n: usize| format!("{{{{ else if {} }}}}<{n}>", condition(n));
            (1..=length).map(link).collect()
        };
        let never = links(&|n| format!("eq {n} 0"));
        let last = links(&|n| format!("eq {n} {length}"));
        let all = links(&|_| "true".to_string());
        let fails = links(&|n| if n == 1 { "true".to_string() } else { "humanize 1i".to_string() });
        let set = links(&|n| format!("$x = eq {n} {length}"));
        for (template, expected) in [
            (format!("{{{{ if 1 }}}}a{all}{{{{ end }}}}"), "a".to_string()),
            (format!("{{{{ if 0 }}}}a{all}{{{{ end }}}}"), "<1>".to_string()),
            (format!("{{{{ if 0 }}}}a{fails}{{{{ end }}}}"), "<1>".to_string()),
            (format!("{{{{ if 0 }}}}a{last}{{{{ else }}}}b{{{{ end }}}}"), format!("<{length}>")),
            (format!("{{{{ if 0 }}}}a{never}{{{{ else }}}}b{{{{ end }}}}"), "b".to_string()),
            (format!("{{{{ if 0 }}}}a{never}{{{{ end }}}}"), String::new()),
            (
                format!("{{{{ $x := 7 }}}}{{{{ if 0 }}}}a{set}{{{{ end }}}}{{{{ $x }}}}"),
                format!("<{length}>true"),
            ),
            (
                format!("{{{{ if $x := 0 }}}}a{never}{{{{ else }}}}{{{{ $x }}}}{{{{ end }}}}"),
                "0".to_string(),
            ),
            (
                format!(
                    "{{{{ range 3 }}}}{{{{ if eq . 1 }}}}{{{{ continue }}}}{never}{{{{ else }}}}\
                     {{{{ . }}}}{{{{ if 0 }}}}{last}{{{{ end }}}}{{{{ end }}}}{{{{ end }}}}"
                ),
                format!("0<{length}>2<{length}>"),
            ),
        ] {
            assert_eq!(text(&template, 1.0), expected, "{length}: {template:.80}");
        }
    }
    let with = format!("{{{{ with 0 }}}}{}a{{{{ end }}}}", "{{ else with 1 }}".repeat(41));
    assert!(RuleTemplate::parse(&with).unwrap_err().message.contains("a chain of more"));
}
