use proptest::prelude::*;

use super::*;

/// Which of the texts an expression matches as a whole.
fn matched<'a>(pattern: &str, texts: &[&'a str]) -> Vec<&'a str> {
    let regex = compile_anchored(pattern).unwrap_or_else(|e| panic!("{e}"));
    texts.iter().copied().filter(|text| regex.is_match(text)).collect()
}

#[test]
fn reads_what_the_crate_would_read_otherwise() {
    // Pattern, texts that Go matches, texts that it does not.
    let cases: &[(&str, &[&str], &[&str])] = &[
        (r"\Qa.b*\E+", &["a.b*", "a.b**"], &["axb", "a.b"]),
        (r"\Qa.b", &["a.b"], &["axb"]),
        (r"[a&&b]+", &["a", "b", "&", "a&b"], &["c"]),
        (r"[+--]+", &["+,-"], &["a", "."]),
        (r"[a-]+", &["a-"], &["b"]),
        (r"[a~~b]+", &["~", "ab"], &["c"]),
        (r"[a[b]+", &["a", "[", "b["], &["]"]),
        (r"[]a]+", &["]", "a]"], &["b"]),
        (r"[^]a]", &["b", "\n"], &["]", "a"]),
        (r"[a-c-e]+", &["b", "-", "e"], &["d"]),
        (r"[[:alpha:]\d]+", &["aZ9"], &["é", "_"]),
        (r"[[:^alpha:]]", &["9", "é"], &["a"]),
        (r"[[:a]+", &["[", ":", "a"], &["b"]),
        (r"\d", &["7"], &["٣"]),
        (r"\D", &["٣", "x"], &["7"]),
        (r"\w+", &["a_9"], &["é", "ſ"]),
        (r"(?i)\w", &["ſ", "K", "k"], &["é"]),
        (r"\W", &["é", "-"], &["a"]),
        (r"\s", &[" ", "\t", "\n", "\r", "\u{c}"], &["\u{b}", "\u{a0}", "\u{2003}"]),
        (r"[\s\S]", &["\u{b}", "\n", "é"], &["ab"]),
        (r"é\b.*", &["éa"], &["é", "é b"]),
        (r"a\b.*", &["a", "aé"], &["ab"]),
        (r".\B.*", &["é", "ab"], &["a", "a b"]),
        (r"\<a\>", &["<a>"], &["a"]),
        (r"\_\-\&\#\ ", &["_-&# "], &[]),
        (r"a\x41\x{e9}\101\07", &["aAéA\u{7}"], &[]),
        (r"\a\f\v", &["\u{7}\u{c}\u{b}"], &[]),
        (r"\pL\p{Greek}\p{^Greek}\PN", &["éαbx"], &["éαα1", "1αbx"]),
        (r"[\p{Lu}0]+", &["A0"], &["a"]),
        (r"a{,2}|{|x{y}|b{01}", &["a{,2}", "{", "x{y}", "b{01}"], &["aa", "b"]),
        (r"a{2}|b{2,}|c{1,2}?", &["aa", "bbb", "c", "cc"], &["a", "b", "ccc"]),
        (r"(?P<n>a)(?<m>b)(?:c)(?i:d)", &["abcD"], &["Abcd"]),
        (r"(?P<1st>a)", &["a"], &[]),
        (r"(?ii)a(?i-i)b(?)c", &["Abc"], &["ABc"]),
        (r"(?i)K", &["k", "K", "\u{212a}"], &[]),
        (r"a b#c", &["a b#c"], &["ab"]),
        (r"x]}", &["x]}"], &[]),
    ];
    for (pattern, yes, no) in cases {
        assert_eq!(matched(pattern, yes), *yes, "{pattern} must match");
        assert_eq!(matched(pattern, no), Vec::<&str>::new(), "{pattern} must not match");
    }
}

#[test]
fn refuses_what_go_refuses_and_names_the_place() {
    for (pattern, reason) in [
        ("(?x)a", "unknown kind of group at character 2"),
        ("a(?u:b)", "unknown kind of group at character 3"),
        ("(?=a)", "unknown kind of group at character 2"),
        ("(?-)", "unknown kind of group at character 2"),
        ("(?P<a.b>c)", "bad name of a group at character 2"),
        ("(?P<a", "bad name of a group at character 2"),
        (r"é\C", r"unknown escape \C at character 2"),
        (r"\Z", r"unknown escape \Z at character 1"),
        (r"\E", r"unknown escape \E at character 1"),
        (r"(a)\1", r"unknown escape \1 at character 4"),
        (r"\u0041", r"unknown escape \u at character 1"),
        (r"\x4", r"unknown escape \x at character 1"),
        (r"\é", r"unknown escape \é at character 1"),
        (r"a\", "a backslash at the end"),
        ("a**", "a second repetition at character 3"),
        ("a{2}{3}", "a second repetition at character 7"),
        ("a*??", "a second repetition at character 4"),
        ("*a", "nothing to repeat before character 1"),
        ("a|+", "nothing to repeat before character 3"),
        ("a)(b", "unexpected closing parenthesis at character 2"),
        ("(a", "a closing parenthesis is missing"),
        ("[a", "the class at character 1 has no closing bracket"),
        ("[]", "the class at character 1 has no closing bracket"),
        ("[a--b]", "the range at character 3 ends before it begins"),
        ("[b-a]", "the range at character 3 ends before it begins"),
        (r"[a-\d]", r"unknown escape \d at character 4"),
        ("[[:nope:]]", "unknown class [:nope:] at character 2"),
        (r"\p{Nope}", "unknown Unicode class at character 1"),
        (r"\p{Alphabetic}", "unknown Unicode class at character 1"),
        (r"\p", "unknown Unicode class at character 1"),
        ("a{1001}", "bad count of repetitions at character 2"),
        ("a{3,2}", "bad count of repetitions at character 2"),
        ("a{99999999999}", "bad count of repetitions at character 2"),
        ("((a{100}){10}){2}", "nested repetitions of more than 1000 times"),
    ] {
        let error = compile_anchored(pattern).unwrap_err();
        let MatcherError::Regex { reason: got, .. } = &error else { panic!("{error}") };
        assert_eq!(got, reason, "{pattern}");
    }
}

#[test]
fn cost_is_bounded() {
    assert!(compile_anchored("((a{100}){10})").is_ok());
    assert!(compile_anchored(&"(".repeat(100_000)).is_err());
    let nested = format!("{}a{}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(compile_anchored(&nested).is_err());
    assert!(compile_anchored(r"(\pL{500}|\pN{500}){2}").is_err(), "megabytes of states");
    assert!(compile_anchored(&"a".repeat(300_000)).is_err());
}

#[test]
fn anchored_means_the_whole_text_and_dot_takes_line_ends() {
    assert!(matched("a|b", &["ab", "xa", "ba"]).is_empty());
    assert_eq!(matched("a.b", &["a\nb"]), ["a\nb"]);
    assert!(matched("a$", &["a\n"]).is_empty());
    assert!(matched("(?m)a$", &["a\nb"]).is_empty());
    let free = compile_unanchored("a.").unwrap();
    assert!(free.is_match("xabx") && !free.is_match("a\n"));
    assert_eq!(compile_unanchored("(?P<x>b+)").unwrap().replace_all("abbc", "<${x}>"), "a<bb>c");
}

proptest! {
    #[test]
    fn any_text_is_compiled_or_refused(pattern in r"[\\\[\](){}|*+?.^$:<>PQEdswpxiU0-9a-c,é&-]{0,24}") {
        let anchored = compile_anchored(&pattern).is_ok();
        prop_assert_eq!(anchored, compile_unanchored(&pattern).is_ok());
    }

    #[test]
    fn a_quoted_text_matches_itself_only(text in r"[^\\]{0,12}", other in r"[^\\]{0,12}") {
        let regex = compile_anchored(&format!(r"\Q{text}\E")).unwrap();
        prop_assert!(regex.is_match(&text));
        prop_assert_eq!(regex.is_match(&other), text == other);
    }

    #[test]
    fn an_anchored_expression_matches_no_longer_text(a in "[a-z]{1,5}", b in "[a-z]{1,5}") {
        let regex = compile_anchored(&format!("{a}|{b}")).unwrap();
        prop_assert!(regex.is_match(&a) && regex.is_match(&b));
        for longer in [format!("{a}{b}"), format!("x{a}"), format!("{b}x")] {
            prop_assert_eq!(regex.is_match(&longer), longer == a || longer == b);
        }
    }
}
