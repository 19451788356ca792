//! Where in a template's text something stands.

/// The action (`{{ … }}`) around a place: its text without the braces.
fn action(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?;
    let start = before.rfind("{{")? + 2;
    if before.get(start..)?.contains("}}") {
        return None;
    }
    let rest = text.get(start..)?;
    let end = rest.find("}}").unwrap_or(rest.len());
    Some(rest.get(..end)?.trim_matches(['-', ' ', '\t', '\n']))
}

/// Whether a place stands in a condition: `if`, `else if` or `with`.
pub(super) fn is_condition(text: &str, at: usize) -> bool {
    let words = ["if ", "else if ", "with ", "else with ", "if(", "with("];
    action(text, at).is_some_and(|action| words.iter().any(|word| action.starts_with(word)))
}

/// The places of a word inside of actions.
pub(super) fn places_of<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let behind = text.get(at + word.len()..).and_then(|rest| rest.chars().next());
        let ends = behind.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        ends && action(text, *at).is_some_and(|action| !action.starts_with("/*"))
    })
}

/// The first place outside of all actions where one of some words stands, and the word. Each begins with
/// `$` or `.`.
pub(super) fn outside(text: &str, words: &[&'static str]) -> Option<(usize, &'static str)> {
    // Every text of every rule is asked: one walk over it does.
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' if bytes.get(at + 1) == Some(&b'{') => {
                let rest = bytes.get(at..).unwrap_or_default();
                at += rest.windows(2).position(|pair| pair == b"}}")? + 1;
            }
            b'$' | b'.' => {
                let rest = bytes.get(at..).unwrap_or_default();
                if let Some(word) = words.iter().find(|word| rest.starts_with(word.as_bytes())) {
                    return Some((at, word));
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// What stands before and behind two signs, as `str::split_once` has it: in a text of a few words a plain
/// walk is quicker than a search that prepares itself.
fn cut_at(text: &str, signs: [u8; 2]) -> Option<(&str, &str)> {
    let at = text.as_bytes().windows(2).position(|pair| pair == signs)?;
    Some((text.get(..at)?, text.get(at + 2..)?))
}

/// What makes every value readable.
const HUMANIZE: [&str; 4] = ["humanize", "humanize1024", "humanizeDuration", "humanizePercentage"];

/// Whether every action only prints a label, or the value, maybe made readable: such a template cannot
/// fail.
pub(super) fn is_simple(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, behind)) = cut_at(rest, *b"{{") {
        let Some((action, more)) = cut_at(behind, *b"}}") else { return false };
        let action = action.trim_matches(['-', ' ']);
        let mut words = action.split('|').map(str::trim);
        let simple = match words.next() {
            Some("$value" | ".Value") => {
                words.next().is_none_or(|word| HUMANIZE.contains(&word)) && words.next().is_none()
            }
            Some(first) => {
                let label = first.strip_prefix("$labels.").or(first.strip_prefix(".Labels."));
                let is_name = |c: char| c.is_alphanumeric() || c == '_';
                label.is_some_and(|l| l.chars().all(is_name)) && words.next().is_none()
            }
            None => false,
        };
        if !simple {
            return false;
        }
        rest = more;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_and_words_are_found_in_actions_only() {
        let text = "$value {{ if gt $value 5.0 }}{{- $values }}{{ $value -}}{{ end }}";
        let places: Vec<usize> = places_of(text, "$value").collect();
        assert_eq!(places, [16, 46]);
        let conditions: Vec<bool> = places.iter().map(|at| is_condition(text, *at)).collect();
        assert_eq!(conditions, [true, false]);
    }

    #[test]
    fn what_only_prints_cannot_fail() {
        for text in ["no action", "{{ $labels.a_b }} {{- $value | humanize -}} {{.Value}}"] {
            assert!(is_simple(text), "{text}");
        }
        for text in [
            "{{ $labels.a.b }}",
            "{{ $labels.a | humanize }}",
            "{{ query \"up\" }}",
            "{{ $value | humanize.x }}",
            "{{ $value | humanizePercentage | humanize }}",
            "{{ $value",
            "{{}}",
        ] {
            assert!(!is_simple(text), "{text}");
        }
    }
}
