use proptest::prelude::*;

use super::*;
use MatchOp::{Equal, NotEqual, NotRegex, Regex as Re};

/// Name, operator and value.
type Plain<'a> = (&'a str, MatchOp, &'a str);

/// What a text holds, as name, operator and value.
fn parsed(text: &str) -> Vec<(String, MatchOp, String)> {
    let matchers = parse_matchers(text).unwrap_or_else(|e| panic!("{e}"));
    matchers.0.into_iter().map(|m| (m.name, m.op, m.value)).collect()
}

#[test]
fn reads_both_syntaxes() {
    let cases: &[(&str, &[Plain])] = &[
        ("", &[]),
        ("{}", &[]),
        (r#"foo="bar""#, &[("foo", Equal, "bar")]),
        ("foo=bar", &[("foo", Equal, "bar")]),
        (
            r#"{ foo = "bar", dings != "bums", }"#,
            &[("foo", Equal, "bar"), ("dings", NotEqual, "bums")],
        ),
        ("foo=bar,dings!~bums.*", &[("foo", Equal, "bar"), ("dings", NotRegex, "bums.*")]),
        (r#"foo=~"a|b""#, &[("foo", Re, "a|b")]),
        // Commas, braces and quotes inside quotes.
        (r#"{quote="She said: \"Hi, all!\"}"}"#, &[("quote", Equal, "She said: \"Hi, all!\"}")]),
        // Only the classic syntax: values with reserved characters, none at all, unknown escapes.
        ("foo=a b", &[("foo", Equal, "a b")]),
        ("foo=~a{2}b", &[("foo", Re, "a{2}b")]),
        ("foo=", &[("foo", Equal, "")]),
        (r#"foo=~"\d+\.x""#, &[("foo", Re, r"\d+\.x")]),
        // Only the newer one: names that need quotes, or are not ASCII.
        (r#"{"a b"="c", "x,y"=~"d"}"#, &[("a b", Equal, "c"), ("x,y", Re, "d")]),
        (r#"a.b=c"#, &[("a.b", Equal, "c")]),
        (r#"größe="🙂""#, &[("größe", Equal, "🙂")]),
        (r#""a\tb"="\x41\u00e9\101\"""#, &[("a\tb", Equal, "AéA\"")]),
        // Where they disagree the classic meaning holds.
        (r#"foo="a\tb""#, &[("foo", Equal, r"a\tb")]),
        (r#"foo="a\nb""#, &[("foo", Equal, "a\nb")]),
    ];
    for (text, expected) in cases {
        let expected: Vec<_> =
            expected.iter().map(|(n, op, v)| (n.to_string(), *op, v.to_string())).collect();
        assert_eq!(parsed(text), expected, "{text}");
    }
}

#[test]
fn mistakes_name_their_place() {
    for (text, reason) in [
        ("foo", "expected an operator: =, !=, =~ or !~ at the end"),
        ("é foo", "expected an operator: =, !=, =~ or !~ at character 3"),
        ("=bar", "expected a label name at character 1"),
        ("a.b=", "expected a value at the end"),
        ("{a.b=c", "expected a closing brace at the end"),
        ("a.b=c}d", "a closing brace without an opening one at character 6"),
        ("{a.b=c}d", "expected the end at character 8"),
        (r#""a"="b" "c"="d""#, "expected a comma at character 9"),
        (r#""a"="b",,"c"="d""#, "expected a label name at character 9"),
        (r#""a"="b"#, "no closing quote for the one at character 5"),
        (r#"a.b="\q""#, r"unknown escape at character 6"),
        (r#"a.b="\xff""#, "escapes that are not UTF-8 in the text at character 5"),
        (r#"""="b""#, "the label name is empty at character 1"),
        (r#"foo="a"b""#, "expected a comma at character 8"),
    ] {
        let error = parse_matchers(text).unwrap_err();
        let MatcherError::Syntax { reason: got, .. } = &error else { panic!("{text}: {error}") };
        assert_eq!(got, reason, "{text}");
    }
    let error = parse_matchers(r#"foo=~"a\d(""#).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"bad regular expression "a\\d(": a closing parenthesis is missing"#
    );
}

#[test]
fn one_means_one() {
    assert_eq!(parse_matcher("{a=b}").unwrap().to_string(), r#"a="b""#);
    for (text, found) in [("", "0"), ("a=b,c=d,e=f", "3")] {
        let error = parse_matcher(text).unwrap_err().to_string();
        assert!(error.ends_with(&format!("expected one matcher, found {found}")), "{error}");
    }
}

#[test]
fn a_missing_label_is_empty() {
    let labels = LabelSet::from([("a", "1")]);
    for (text, expected) in [
        ("a=1", true),
        ("a!=1", false),
        ("b=", true),
        ("b!=x", true),
        ("b=~.*", true),
        ("b=~.+", false),
        ("b!~.+", true),
        ("a=~1|2", true),
        ("a!~1|2", false),
        ("a=~", false),
    ] {
        assert_eq!(parse_matcher(text).unwrap().matches(&labels), expected, "{text}");
    }
}

fn matchers() -> impl Strategy<Value = Matchers> {
    let op = prop_oneof![Just(Equal), Just(NotEqual), Just(Re), Just(NotRegex)];
    // Expressions are quoted, so that any text makes a valid one.
    let one = ("\\PC{1,6}|[a-z:_.\\-]{1,6}|[ -~\t\n]{1,6}", op, "\\PC{0,8}|[ -~\t\n\r]{0,8}");
    let one = one.prop_map(|(name, op, value)| {
        let regex = matches!(op, Re | NotRegex);
        let value = if regex { format!("\\Q{}\\E", value.replace('\\', "")) } else { value };
        Matcher::new(name, op, value).unwrap()
    });
    prop::collection::vec(one, 1..4).prop_map(Matchers)
}

proptest! {
    #[test]
    fn what_is_printed_is_read_again(list in matchers()) {
        prop_assert_eq!(&parse_matchers(&list.to_string()).unwrap(), &list);
        for matcher in &list.0 {
            prop_assert_eq!(&parse_matcher(&matcher.to_string()).unwrap(), matcher);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[{}a-b=~!,\"\\\\ \nxu0é]{0,16}") {
        if let Ok(list) = parse_matchers(&text) {
            prop_assert_eq!(parse_matchers(&list.to_string()), Ok(list));
        }
    }

    #[test]
    fn an_operator_and_its_opposite_divide_all_values(value in "[ab]{0,3}", tested in "[ab]{0,3}") {
        for (op, opposite) in [(Equal, NotEqual), (Re, NotRegex)] {
            let yes = Matcher::new("x", op, value.as_str()).unwrap();
            let no = Matcher::new("x", opposite, value.as_str()).unwrap();
            prop_assert_eq!(yes.matches_value(&tested), value == tested);
            prop_assert_eq!(no.matches_value(&tested), value != tested);
        }
    }
}
