//! The frame of every page: head, navigation, and the headers that keep it closed.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::api::ui::html::Shown;

const STYLE: &str = include_str!("style.css");
/// Alertmanager's pages are fragments of `/`; links to them lead to ours.
const SCRIPT: &str = include_str!("root.js");

/// Nothing but our own style and script is loaded, nothing frames a page, and forms lead only back.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'",
        base64(&Sha256::digest(STYLE.as_bytes())),
        base64(&Sha256::digest(SCRIPT.as_bytes())),
    )
});

/// Which page is shown in the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Alerts,
    Silences,
    New,
}

/// One page.
pub(super) struct Page<'a> {
    pub(super) status: StatusCode,
    pub(super) title: &'a str,
    pub(super) place: Place,
    /// The way from the page's folder to the root: addresses are relative, so that a proxy may
    /// serve the pages below a path.
    pub(super) root: &'static str,
    /// What stands in `<main>`; HTML.
    pub(super) body: String,
}

impl IntoResponse for Page<'_> {
    fn into_response(self) -> Response {
        let mut html = String::with_capacity(self.body.len() + STYLE.len() + 2000);
        let _ = write!(
            html,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\">\
             <title>{} · Watchbell</title><style>{STYLE}</style><script>{SCRIPT}</script></head>\
             <body><header><nav><b>Watchbell</b>",
            Shown(self.title)
        );
        for (place, address, name) in [
            (Place::Alerts, "alerts", "Alerts"),
            (Place::Silences, "silences", "Silences"),
            (Place::New, "silences/new", "New silence"),
        ] {
            let current = if place == self.place { " aria-current=\"page\"" } else { "" };
            let _ = write!(html, "<a href=\"{}{address}\"{current}>{name}</a>", self.root);
        }
        let _ = writeln!(
            html,
            "</nav></header><main><h1>{}</h1>{}</main></body></html>",
            Shown(self.title),
            self.body
        );
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CACHE_CONTROL, "no-store"),
            // Without a referrer a browser sends no origin with a form, and the form is refused.
            (header::REFERRER_POLICY, "same-origin"),
        ];
        (self.status, headers, html).into_response()
    }
}

/// Base64 with padding (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for (i, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = DIGITS.get((bits >> shift & 63) as usize).copied().unwrap_or(b'=');
            out.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }
}
