//! Texts as HTML. Whatever is not written here goes through one of these.

use std::fmt::{self, Write};

use crate::model::{LabelSet, Matcher};

/// Signs that cannot be seen, or turn the direction of what follows: with them a label could show
/// something else than it says.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A text between tags: signs that cannot be seen are named.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\n' => f.write_char('↵')?,
                c if is_deceptive(c) => write!(f, "⟨U+{:04X}⟩", u32::from(c))?,
                c => escape(f, c)?,
            }
        }
        Ok(())
    }
}

/// A text between tags or quotes, every sign as it is.
pub(super) struct Raw<'a>(pub(super) &'a str);

impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| escape(f, c))
    }
}

fn escape(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '&' => f.write_str("&amp;"),
        '<' => f.write_str("&lt;"),
        '>' => f.write_str("&gt;"),
        '"' => f.write_str("&quot;"),
        '\'' => f.write_str("&#39;"),
        c => f.write_char(c),
    }
}

/// At most so many characters of a text.
pub(super) fn short(text: &str, max: usize) -> String {
    crate::template::truncate(text, max)
}

/// Labels as a list, those of `without` left out.
pub(super) fn labels(labels: &LabelSet, without: &[&str]) -> String {
    let mut out = String::from("<ul class=\"labels\">");
    for (name, value) in labels.iter().filter(|(name, _)| !without.contains(name)) {
        let (name, value) = (short(name, 100), short(value, 160));
        let _ = write!(out, "<li>{}: <b>{}</b></li>", Shown(&name), Shown(&value));
    }
    out + "</ul>"
}

/// A matcher as a text that a field of a form keeps, and that is read as the same matcher again:
/// a form turns or drops line ends, and what cannot be seen cannot be edited.
pub(super) fn editable(matcher: &Matcher) -> String {
    if !matcher.name().chars().chain(matcher.value().chars()).any(|c| c != '\n' && is_deceptive(c))
    {
        return matcher.to_string();
    }
    // With its name in quotes only Alertmanager's newer syntax reads it, which knows escapes.
    format!("{}{}{}", quoted(matcher.name()), matcher.op().as_str(), quoted(matcher.value()))
}

fn quoted(text: &str) -> String {
    let escaped = text.chars().fold(String::new(), |mut out, c| {
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            '\n' => write!(out, "\\n"),
            c if is_deceptive(c) => write!(out, "\\u{:04x}", u32::from(c)),
            c => write!(out, "{c}"),
        };
        out
    });
    format!("\"{escaped}\"")
}

/// A text as a part of an address.
pub(super) fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{MatchOp, parse_matcher};

    #[test]
    fn nothing_is_markup() {
        let text = "<script>&\"'\n\u{202e}x";
        assert_eq!(Shown(text).to_string(), "&lt;script&gt;&amp;&quot;&#39;↵⟨U+202E⟩x");
        assert_eq!(Raw(text).to_string(), "&lt;script&gt;&amp;&quot;&#39;\n\u{202e}x");
    }

    proptest! {
        #[test]
        fn a_field_keeps_every_matcher(name in "\\PC{1,4}|[a-z]{1,4}", value in any::<String>()) {
            for op in [MatchOp::Equal, MatchOp::NotEqual] {
                let matcher = Matcher::new(&*name, op, &*value).unwrap();
                let text = editable(&matcher);
                prop_assert!(!text.contains(is_deceptive), "{text:?}");
                prop_assert_eq!(parse_matcher(&text).unwrap(), matcher);
            }
        }
    }
}
