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

/// Parts of the paths of services that are words and no secrets.
const WORDS: [&str; 14] = [
    "alert",
    "alerts",
    "api",
    "hook",
    "hooks",
    "notify",
    "oauth",
    "oauth2",
    "prometheus",
    "query",
    "services",
    "token",
    "webhook",
    "webhooks",
];

/// The parts of a URL that may be secrets, however short: of its path, its query and its user. A
/// part of one to three characters is none.
pub(super) fn parts(url: &str) -> Vec<Secret> {
    let Ok(url) = Url::parse(url) else { return Vec::new() };
    let path = url.path_segments().into_iter().flatten();
    let user = [url.username(), url.password().unwrap_or_default()];
    let written = path.chain(user).map(str::to_string);
    let decoded: Vec<String> =
        url.path_segments().into_iter().flatten().chain(user).map(decode).collect();
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    let all = written.chain(decoded).chain(values);
    let secret = |part: &String| part.len() >= MIN_CUT && !WORDS.contains(&part.as_str());
    all.filter(secret).map(Secret::new).collect()
}

/// A part of a URL without percent signs.
fn decode(part: &str) -> String {
    // A form is decoded in the same way but for the plus sign.
    let text = part.replace('+', "%2B").replace(['&', '='], "");
    url::form_urlencoded::parse(text.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

/// `%2B` as `%2b`, which some write.
fn lower_hex(form: &str) -> String {
    let mut parts = form.split('%');
    let mut lower = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        lower.push('%');
        lower.push_str(&hex.to_ascii_lowercase());
        lower.push_str(rest);
    }
    lower
}

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
        redactor.add(&decode(url.password().unwrap_or_default()));
        if url.password().is_none() && url.username().len() >= MIN_CUT {
            // A user without a password is a token.
            redactor.add(url.username());
        }
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

    /// Adds a secret, as it is and as it is written in forms, URLs and JSON; an empty one is none.
    pub(super) fn add(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        self.0.push(Secret::new(secret));
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let json = serde_json::Value::from(secret).to_string();
        for written in [lower_hex(&form), form.replace('+', "%20"), form, json] {
            let written = written.trim_matches('"');
            if written != secret {
                self.0.push(Secret::new(written));
            }
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
        redactor.add("a\"b c+D");
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
            ("a\"b c+D a%22b+c%2BD", "<secret> <secret>"),
            ("a%22b%20c%2BD a%22b+c%2bD", "<secret> <secret>"),
            ("{\"a\\\"b c+D\"}", "{\"<secret>\"}"),
            ("bad xyz", "<withheld, it may hold a secret>"),
        ] {
            assert_eq!(redactor.clean(text), clean);
        }
        assert_eq!(format!("{redactor:?}"), "Redactor");
    }

    #[test]
    fn the_parts_of_a_secret_url_are_cut_out_however_short() {
        let url = "https://tok1:p%40ss@hooks.example/webhook/ab12/c%2Bd%20e/x?key=k7k7&n=1";
        let mut redactor = Redactor::for_url(&Url::parse(url).unwrap());
        parts(url).iter().for_each(|part| redactor.add(part.expose()));
        for (text, clean) in [
            ("no webhook ab12", "no webhook <secret>"),
            ("c+d e is gone", "<secret> is gone"),
            ("key k7k7 of tok1 with p@ss", "key <secret> of <secret> with <secret>"),
            ("x of 1", "x of 1"),
        ] {
            assert_eq!(redactor.clean(text), clean);
        }
        assert!(parts("no url").is_empty());
    }

    #[test]
    fn a_bare_origin_hides_nothing() {
        let redactor = Redactor::for_url(&Url::parse("http://prometheus:9090/").unwrap());
        assert_eq!(redactor.clean("see http://prometheus:9090/"), "see http://prometheus:9090/");
    }
}
