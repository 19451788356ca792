//! Where a request was made: by a page of another site, or under a name that is not ours.

use std::net::IpAddr;

/// What a request says of its way, from its headers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin<'a> {
    /// `Host`, or the authority of the request's URL.
    pub host: Option<&'a str>,
    /// `Origin`: browsers send it with requests that change something.
    pub origin: Option<&'a str>,
    /// `Sec-Fetch-Site`: what a browser thinks of page and request; no page can set it.
    pub fetch_site: Option<&'a str>,
    /// `Sec-Fetch-Mode`: `navigate` where a person follows a link.
    pub fetch_mode: Option<&'a str>,
}

impl Origin<'_> {
    /// Whether a page of another site has made a browser send this. Programs that are no browsers
    /// send none of these headers. A link to us may stand anywhere: following it changes nothing.
    pub fn is_cross_site(&self, changes: bool) -> bool {
        if let Some(site) = self.fetch_site {
            let own = matches!(site, "same-origin" | "none");
            let link = !changes && self.fetch_mode == Some("navigate");
            return !own && !link;
        }
        // An older browser, or one that speaks to us without TLS.
        let Some(origin) = self.origin else { return false };
        changes && origin.split_once("://").map(|(_, host)| host) != self.host
    }

    /// Whether the name under which we were asked can only be meant for us: an address, `localhost`,
    /// one of the allowed names, or the name under which people are sent here. A page can give its own name our address ("DNS rebinding"), and
    /// then passes for one of ours; it cannot do so with an address. No name at all comes from no
    /// browser.
    pub fn is_expected_host(&self, allowed: &[String], own: Option<&str>) -> bool {
        let Some(host) = self.host else { return true };
        let name = without_port(host).to_ascii_lowercase();
        let name = name.trim_end_matches('.');
        let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(name);
        bare.parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || allowed
                .iter()
                .map(String::as_str)
                .chain(own)
                .any(|allowed| allowed.eq_ignore_ascii_case(name))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            // Of `::1` the last group is no port.
            if name.contains(':') && !name.starts_with('[') { host } else { name }
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_sites_are_told_from_ours_and_from_programs() {
        let host = Some("watchbell:9093");
        let of = |origin, fetch_site, fetch_mode| Origin { host, origin, fetch_site, fetch_mode };
        for (origin, changes, cross) in [
            // curl, Prometheus, amtool.
            (of(None, None, None), true, false),
            // A browser with TLS or on localhost.
            (of(Some("https://watchbell:9093"), Some("same-origin"), Some("cors")), true, false),
            (of(None, Some("none"), Some("navigate")), false, false),
            (of(Some("https://evil.example"), Some("cross-site"), Some("cors")), true, true),
            (of(Some("https://evil.example"), Some("cross-site"), Some("navigate")), true, true),
            (of(None, Some("cross-site"), Some("no-cors")), false, true),
            (of(None, Some("same-site"), Some("no-cors")), true, true),
            // A link in a mail.
            (of(None, Some("cross-site"), Some("navigate")), false, false),
            // A browser without TLS.
            (of(Some("http://watchbell:9093"), None, None), true, false),
            (of(Some("http://watchbell:8080"), None, None), true, true),
            (of(Some("http://evil.example"), None, None), true, true),
            (of(Some("null"), None, None), true, true),
            (of(Some("http://evil.example"), None, None), false, false),
        ] {
            assert_eq!(origin.is_cross_site(changes), cross, "{origin:?} {changes}");
        }
    }

    #[test]
    fn a_foreign_name_is_not_expected() {
        let allowed = ["watchbell.example.com".to_string()];
        for (host, expected) in [
            (None, true),
            (Some("localhost"), true),
            (Some("LOCALHOST:9093"), true),
            (Some("localhost.:9093"), true),
            (Some("x.localhost:1"), true),
            (Some("127.0.0.1:9093"), true),
            (Some("192.0.2.7"), true),
            (Some("[::1]:9093"), true),
            (Some("[::1]"), true),
            (Some("Watchbell.example.com:9093"), true),
            (Some("watchbell.example.com"), true),
            (Some("bell.example.com:9093"), true),
            (Some("evil.example:9093"), false),
            (Some("127.0.0.1.evil.example"), false),
            (Some("localhost.evil.example"), false),
            (Some("notlocalhost"), false),
            (Some(""), false),
        ] {
            let origin = Origin { host, ..Origin::default() };
            assert_eq!(
                origin.is_expected_host(&allowed, Some("bell.example.com")),
                expected,
                "{host:?}"
            );
        }
    }
}
