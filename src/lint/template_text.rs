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
}
