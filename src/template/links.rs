//! The addresses of this program's own pages that messages link to.
//!
//! They hold what they are about (matchers, never a number that a restart gives anew), so a link in
//! an old mail still works, and people can read and edit it. Every character that HTML, Slack's
//! markup, a mail program or a shell gives a meaning is escaped.

use std::fmt::Write as _;

use crate::model::label::ALERT_NAME;
use crate::model::{LabelSet, MatchOp, Matcher};

/// The most bytes of a link: mail programs and PagerDuty cut at 2048.
pub const MAX_LINK: usize = 2000;

/// The form in which a silence is made, with one matcher for each label. Nothing for no labels (a
/// silence of everything is none) and where the address would be too long.
pub(super) fn silence(external_url: &str, labels: &LabelSet) -> Option<String> {
    let filter = Some(filter(labels)).filter(|filter| !filter.is_empty())?;
    short(external_url, format!("{external_url}/silences/new?filter={filter}"))
}

/// As [`silence`], for one alert. Where its labels are too long for a link the address names the
/// alert instead; that works while the alert is known.
pub(super) fn silence_alert(external_url: &str, labels: &LabelSet) -> Option<String> {
    silence(external_url, labels).or_else(|| {
        let fingerprint = labels.fingerprint();
        short(external_url, format!("{external_url}/silences/new?alert={fingerprint}"))
    })
}

/// The list of a receiver's alerts that have some labels. Labels that make the address too long
/// are left out.
pub(super) fn alerts(external_url: &str, receiver: &str, labels: &LabelSet) -> Option<String> {
    let receiver = format!("receiver={}", escape(receiver));
    let all = format!("{external_url}/alerts?{receiver}");
    let some = match filter(labels).as_str() {
        "" => all.clone(),
        filter => format!("{external_url}/alerts?filter={filter}&{receiver}"),
    };
    short(external_url, some).or_else(|| short(external_url, all))
}

fn short(external_url: &str, link: String) -> Option<String> {
    (!external_url.is_empty() && link.len() <= MAX_LINK).then_some(link)
}

/// One matcher for each label, the alert's name first, as the value of a parameter.
fn filter(labels: &LabelSet) -> String {
    let name = labels.iter().filter(|(name, _)| *name == ALERT_NAME);
    let others = labels.iter().filter(|(name, _)| *name != ALERT_NAME);
    let equal = |(name, value): (&str, &str)| Matcher::new(name, MatchOp::Equal, value).ok();
    let matchers = name.chain(others).filter_map(equal).map(|matcher| matcher.to_string());
    escape(&matchers.collect::<Vec<_>>().join(","))
}

/// A text as the value of a parameter. What stays as it is has no meaning there nor in any text
/// around it.
fn escape(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len() * 2), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'=' | b',' | b':' | b'/' => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::parse_matchers;

    const BELL: &str = "https://bell.example.com/base";

    /// A link's parameters as a server reads them.
    fn query(link: &str) -> Vec<(String, String)> {
        url::Url::parse(link).unwrap().query_pairs().into_owned().collect()
    }

    #[test]
    fn a_link_can_be_read_by_people() {
        let labels =
            LabelSet::from([("instance", "n-1:9100"), ("alertname", "Disk"), ("path", "/var/a b")]);
        assert_eq!(
            silence(BELL, &labels).unwrap(),
            "https://bell.example.com/base/silences/new?filter=\
             alertname=%22Disk%22,instance=%22n-1:9100%22,path=%22/var/a%20b%22"
        );
        assert_eq!(
            alerts(BELL, "on call", &LabelSet::from([("alertname", "Disk")])).unwrap(),
            "https://bell.example.com/base/alerts?filter=alertname=%22Disk%22&receiver=on%20call"
        );
        assert_eq!(
            alerts(BELL, "a", &LabelSet::new()).unwrap(),
            "https://bell.example.com/base/alerts?receiver=a"
        );
    }

    #[test]
    fn there_is_no_link_to_nowhere_and_no_silence_of_everything() {
        let labels = LabelSet::from([("alertname", "Disk")]);
        assert_eq!(silence("", &labels), None);
        assert_eq!(silence_alert("", &labels), None);
        assert_eq!(alerts("", "a", &labels), None);
        assert_eq!(silence(BELL, &LabelSet::new()), None);
    }

    #[test]
    fn a_link_that_would_be_cut_is_another_one() {
        let long = LabelSet::from([("alertname", "Disk"), ("log", "ü".repeat(400).as_str())]);
        assert_eq!(silence(BELL, &long), None);
        let name = format!("{BELL}/silences/new?alert={}", long.fingerprint());
        assert_eq!(silence_alert(BELL, &long), Some(name));
        assert_eq!(alerts(BELL, "a", &long), Some(format!("{BELL}/alerts?receiver=a")));
        assert_eq!(alerts(BELL, &"a".repeat(2000), &long), None);
    }

    proptest! {
        #[test]
        fn every_label_comes_back(
            labels in prop::collection::vec(("[a-z_]{1,5}|\\PC{1,3}|[\"'\\\\ \n,{}]{1,2}", any::<String>()), 1..5)
        ) {
            let labels: LabelSet = labels.into_iter().collect();
            prop_assume!(!labels.is_empty());
            let Some(link) = silence(BELL, &labels) else { return Ok(()) };
            for mark in ['<', '>', '"', '\'', '&', '|', ' ', '(', ')', '@', '`', '*', '#', '+'] {
                prop_assert!(!link.contains(mark), "{mark} in {link}");
            }
            let query = query(&link);
            prop_assert_eq!(&query[0].0, "filter");
            let matchers = parse_matchers(&query[0].1).unwrap().0;
            let read: LabelSet =
                matchers.iter().map(|m| (m.name().to_string(), m.value().to_string())).collect();
            prop_assert!(matchers.iter().all(|m| m.op() == MatchOp::Equal));
            prop_assert_eq!(read, labels);
        }
    }
}
