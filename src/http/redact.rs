//! Takes secrets out of texts that come from elsewhere.

use std::fmt;

use base64::Engine;
use url::Url;

use crate::model::Secret;

/// What stands in place of a secret.
const REDACTED: &str = "<secret>";
/// Shorter secrets are not cut out, which would tear ordinary words; the text is withheld.
const MIN_CUT: usize = 4;
/// A part of a URL's path that is this long is taken for a token.
const MIN_TOKEN: usize = 16;

/// The secrets of one request. A server may quote them back in its error.
#[derive(Clone, Default)]
pub(super) struct Redactor(Vec<Secret>);

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// A redactor for what a URL holds beyond its origin.
    pub(super) fn for_url(url: &Url) -> Self {
        let mut redactor = Self::default();
        redactor.add(url.password().unwrap_or_default());
        if url.path().len() > 1 || url.query().is_some() {
            redactor.add(url.as_str());
            let path = url.path().to_string();
            redactor.add(&url.query().map_or(path.clone(), |query| format!("{path}?{query}")));
        }
        let values = url.query_pairs().map(|(_, value)| value.into_owned());
        let parts = url.path_segments().into_iter().flatten().map(str::to_string);
        for part in values.chain(parts).filter(|part| part.len() >= MIN_TOKEN) {
            redactor.add(&part);
        }
        redactor
    }

    /// Adds a secret; an empty one is none.
    pub(super) fn add(&mut self, secret: &str) {
        if !secret.is_empty() {
            self.0.push(Secret::new(secret));
        }
    }

    /// Adds a header's value; of `Authorization` also the part behind the scheme, and the password
    /// that is packed in it.
    pub(super) fn add_header(&mut self, value: &str) {
        self.add(value);
        let Some((scheme, credentials)) = value.split_once(' ') else { return };
        self.add(credentials);
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(pair) = base64::engine::general_purpose::STANDARD.decode(credentials)
            && let Some((_, password)) = String::from_utf8_lossy(&pair).split_once(':')
        {
            self.add(password);
        }
    }

    /// The text without the secrets.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut secrets: Vec<&str> = self.0.iter().map(Secret::expose).collect();
        // The longest first: a secret may be part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let mut clean = text.to_string();
        for secret in secrets {
            if !clean.contains(secret) {
                continue;
            }
            if secret.len() < MIN_CUT {
                return "<withheld, it may hold a secret>".to_string();
            }
            clean = clean.replace(secret, REDACTED);
        }
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_cut_out_in_any_form() {
        let url = Url::parse("https://u:hunter2@hooks.example/services/T0/aaaabbbbccccdddd?k=v");
        let mut redactor = Redactor::for_url(&url.unwrap());
        redactor.add("xyz");
        redactor.add_header("Bearer token-one");
        // `user:password-one`
        redactor.add_header("Basic dXNlcjpwYXNzd29yZC1vbmU=");
        for (text, clean) in [
            ("no_service", "no_service"),
            ("no route /services/T0/aaaabbbbccccdddd?k=v", "no route <secret>"),
            ("bad token aaaabbbbccccdddd.", "bad token <secret>."),
            ("hunter2?", "<secret>?"),
            ("no token-one, no Bearer token-one", "no <secret>, no <secret>"),
            ("user, password-one or dXNlcjpwYXNzd29yZC1vbmU=", "user, <secret> or <secret>"),
            ("bad xyz", "<withheld, it may hold a secret>"),
        ] {
            assert_eq!(redactor.clean(text), clean);
        }
        assert_eq!(format!("{redactor:?}"), "Redactor");
    }

    #[test]
    fn a_bare_origin_hides_nothing() {
        let redactor = Redactor::for_url(&Url::parse("http://prometheus:9090/").unwrap());
        assert_eq!(redactor.clean("see http://prometheus:9090/"), "see http://prometheus:9090/");
    }
}
