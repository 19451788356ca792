//! Hides what may be secret in lines that are drawn.
//!
//! A finding shows the user's own lines, and where the finding is about a configuration they may
//! hold a password beside the mistake. Which values are secret is told by their keys, so that it
//! also works in a file that is not YAML, and for a key that is spelled wrongly.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A key that smells of a secret, and its value: quoted, or up to the end of the line or item.
static SECRET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let key = r#"(?i)([\w.-]*(?:pass|pwd|token|secret|credential|key|url|auth)[\w.-]*)(["']?[ \t]*:[ \t]*)"#;
    let value = r#"("(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|[^\s\[{,}\]#&*|>][^,}\]\n]*)"#;
    Regex::new(&format!("{key}{value}")).ok()
});

/// The text with every such value replaced by stars, one for each byte, so that places stay what
/// they are. The names of files that hold secrets are shown.
pub(super) fn redact(text: &str) -> Cow<'_, str> {
    let Some(secret) = SECRET.as_ref() else { return Cow::Borrowed("") };
    secret.replace_all(text, |found: &Captures<'_>| {
        let part = |n| found.get(n).map_or("", |m: regex::Match<'_>| m.as_str());
        let (key, colon, value) = (part(1), part(2), part(3));
        if key.ends_with("_file") {
            format!("{key}{colon}{value}")
        } else {
            format!("{key}{colon}{}", "*".repeat(value.len()))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_keys_that_smell_of_secrets_are_hidden_in_place() {
        for (line, shown) in [
            ("  password: hunter2", "  password: *******"),
            ("smtp_auth_password: 'a b' # c", "smtp_auth_password: ***** # c"),
            ("{url: http://u:p@h/x, b: 1}", "{url: **************, b: 1}"),
            ("\"token\": \"é\\\"x\"", "\"token\": *******"),
            ("passwrd: x\nroute: y", "passwrd: *\nroute: y"),
            ("password_file: /etc/x", "password_file: /etc/x"),
            ("basic_auth:\n  username: u", "basic_auth:\n  username: u"),
            ("basic_auth: {username: u}", "basic_auth: {username: u}"),
            ("receiver: oncall", "receiver: oncall"),
        ] {
            assert_eq!(redact(line), shown);
            assert_eq!(redact(line).len(), line.len());
        }
    }
}
