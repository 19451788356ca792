//! Keeps what labels and annotations hold from being read as Slack's markup.
//!
//! Slack takes `<!channel>` as a call to everybody, and wants `&`, `<` and `>` of a text as
//! entities (its guide on formatting text). The data of a message is data: before a template sees
//! it, its special characters are put aside as characters of a private plane of Unicode, and what
//! was rendered gets the entities in their place. So no template can forget it, cutting inside a
//! template never halves an entity, and links that a template writes itself stay links.

use crate::http::parse_url;

/// What is put aside: the character, what stands for it, that in a URL's query, and the entity.
const GUARDED: [(char, char, &str, &str, &str); 4] = [
    ('&', '\u{F0026}', "%F3%B0%80%A6", "%26", "&amp;"),
    ('<', '\u{F003C}', "%F3%B0%80%BC", "%3C", "&lt;"),
    ('>', '\u{F003E}', "%F3%B0%80%BE", "%3E", "&gt;"),
    ('@', '\u{F0040}', "%F3%B0%81%80", "%40", "@"),
];

/// A text of the data, its special characters put aside.
pub(super) fn hide(text: &str) -> String {
    text.chars()
        .map(|c| {
            GUARDED.iter().find(|(plain, ..)| *plain == c).map_or(c, |(_, hidden, ..)| *hidden)
        })
        .collect()
}

/// A rendered text as Slack wants it. Where Slack links names by itself (`link_names`), an `@` of
/// the data is kept apart from its word by a space without width.
pub(super) fn with_entities(rendered: &str, link_names: bool) -> String {
    replace(rendered, |(plain, _, _, _, entity)| match plain {
        '@' if link_names => "@\u{200b}".to_string(),
        _ => (*entity).to_string(),
    })
}

/// A rendered text for a field in which Slack reads no markup.
pub(super) fn plain(rendered: &str) -> String {
    replace(rendered, |(plain, ..)| plain.to_string())
}

fn replace(rendered: &str, with: impl Fn(&(char, char, &str, &str, &str)) -> String) -> String {
    let mut text = rendered.to_string();
    for row in &GUARDED {
        let (_, hidden, encoded, percent, _) = row;
        text = text.replace(encoded, percent).replace(*hidden, &with(row));
    }
    text
}

/// The most characters back from a cut at which a link may have begun.
const LONGEST_LINK: usize = 4000;

/// Cuts a text to at most `max` characters, the last of them `…` where it was cut, and never
/// inside of an entity or a link.
pub(super) fn cut(text: &str, max: usize) -> String {
    let Some((_, _)) = text.char_indices().nth(max) else { return text.to_string() };
    let end = text.char_indices().nth(max.saturating_sub(1)).map_or(0, |(index, _)| index);
    let mut head = text.get(..end).unwrap_or_default();
    for (open, close, reach) in [('<', '>', LONGEST_LINK), ('&', ';', 5)] {
        let Some(start) = head.rfind(open) else { continue };
        let (before, inside) = head.split_at(start);
        if !inside.contains(close) && inside.len() <= reach {
            head = before;
        }
    }
    format!("{}…", head.trim_end())
}

/// A URL as Slack takes it in a field of its own, or nothing where it is none for a browser.
pub(super) fn url(rendered: &str) -> Option<String> {
    let url = parse_url(plain(rendered).trim()).ok()?;
    Some(url.as_str().replace('<', "%3C").replace('>', "%3E"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_calls_nobody() {
        let hidden = hide("<!channel> & <@U1> @here");
        assert!(!hidden.contains(['<', '>', '&', '@']));
        assert_eq!(
            with_entities(&format!("<https://g|Graph> {hidden}"), false),
            "<https://g|Graph> &lt;!channel&gt; &amp; &lt;@U1&gt; @here"
        );
        assert_eq!(with_entities(&hide("@here"), true), "@\u{200b}here");
        assert_eq!(plain(&hidden), "<!channel> & <@U1> @here");
        assert_eq!(plain(&gotmpl::url_encode(&hide("a&b<c>@"))), "a%26b%3Cc%3E%40");
    }

    #[test]
    fn a_cut_leaves_entities_and_links_whole() {
        for (text, max, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("ééééé", 3, "éé…"),
            ("a &lt;b", 6, "a…"),
            ("a &lt;bcd", 8, "a &lt;b…"),
            ("see <https://x|Graph> or so", 10, "see…"),
            ("<https://x|G> and more", 16, "<https://x|G> a…"),
            ("", 0, ""),
        ] {
            assert_eq!(cut(text, max), expected, "{text} {max}");
            assert!(cut(text, max).chars().count() <= max);
        }
    }

    #[test]
    fn only_addresses_for_a_browser_are_links() {
        assert_eq!(
            url(&hide("https://p/graph?a=1&b=<")).as_deref(),
            Some("https://p/graph?a=1&b=%3C")
        );
        for text in ["", "docs/runbooks.md", "javascript:alert(1)", "mailto:a@b", "http://"] {
            assert_eq!(url(text), None, "{text}");
        }
    }
}
