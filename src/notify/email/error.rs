//! Why a mail did not go out, and whether trying again helps.

use std::time::Duration;

use crate::model::format_duration;
use crate::outbox::Outcome;
use crate::template::truncate;

/// How many characters of a server's answer are kept.
const MAX_ANSWER: usize = 300;

/// What can go wrong on the way to the server. No text holds a password or an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SmtpError {
    /// No connection.
    #[error("cannot connect to {server}: {reason}")]
    Connect { server: String, reason: String },
    /// No TLS: an unknown authority, a wrong name, an expired certificate. It may be renewed.
    #[error("cannot agree on tls with {server}: {reason}")]
    Tls { server: String, reason: String },
    /// The server offers no STARTTLS and `require_tls` is set.
    #[error("{server} offers no starttls, and require_tls is set: nothing was sent")]
    NoTls { server: String },
    /// The server asks for a login on a connection that anybody can read.
    #[error(
        "{server} offers no tls: the password was not sent. use a port with tls, \
         or remove auth_username"
    )]
    PasswordInClear { server: String },
    /// The server knows none of our ways to log in.
    #[error("{server} offers neither AUTH PLAIN nor AUTH LOGIN")]
    NoMechanism { server: String },
    /// An address with characters beyond ASCII, and a server that cannot take it.
    #[error("{server} takes no addresses beyond ascii (SMTPUTF8)")]
    NoUtf8 { server: String },
    /// The server said no.
    #[error("{server} answered {status} to {step}: {text}")]
    Answer { server: String, step: &'static str, status: u16, text: String },
    /// It took too long.
    #[error("no answer from {server} to {step} within {}", format_duration(*after))]
    Timeout { server: String, step: &'static str, after: Duration },
    /// The connection broke, or the answer is not SMTP.
    #[error("the exchange with {server} broke off at {step}: {reason}")]
    Exchange { server: String, step: &'static str, reason: String },
    /// Something here: a file with a password, a certificate. It may be rotated.
    #[error("{0}")]
    Local(String),
}

impl SmtpError {
    /// The status code, where the server gave one.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Answer { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the same mail may go through later. A 4yz answer says so itself (RFC 5321, 4.2.1).
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Answer { status, .. } => (400..500).contains(status),
            Self::NoTls { .. }
            | Self::PasswordInClear { .. }
            | Self::NoMechanism { .. }
            | Self::NoUtf8 { .. } => false,
            Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Timeout { .. }
            | Self::Exchange { .. }
            | Self::Local(_) => true,
        }
    }

    /// What it means for the delivery.
    pub(super) fn outcome(self) -> Outcome {
        let (status, error) = (self.status(), self.to_string());
        match self.is_transient() {
            true => Outcome::Retry { after: None, error, status },
            false => Outcome::Permanent { error, status },
        }
    }
}

/// Hides texts that must not be seen in what a server says: servers like to quote addresses.
#[derive(Default)]
pub(super) struct Hidden(Vec<(String, &'static str)>);

impl Hidden {
    /// Hides a text behind a word.
    pub(super) fn hide(&mut self, text: &str, word: &'static str) {
        if !text.is_empty() {
            self.0.push((text.to_string(), word));
        }
        // The longest first: one address may be the end of another.
        self.0.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    }

    /// A server's words in one short line.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for (hidden, word) in &self.0 {
            line = replace_ignoring_case(&line, hidden, word);
        }
        line.retain(|c| !c.is_control());
        truncate(&line, MAX_ANSWER)
    }
}

/// Replaces a text whatever the case of its ASCII letters.
fn replace_ignoring_case(text: &str, from: &str, to: &str) -> String {
    let (lower, from) = (text.to_ascii_lowercase(), from.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (start, found) in lower.match_indices(&from) {
        out.push_str(text.get(end..start).unwrap_or_default());
        out.push_str(to);
        end = start + found.len();
    }
    out.push_str(text.get(end..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_quotes_is_hidden() {
        let mut hidden = Hidden::default();
        hidden.hide("ops@example.test", "<address>");
        hidden.hide("devops@example.test", "<address>");
        hidden.hide("hunter2", "<secret>");
        let said = "5.1.1 <DevOps@Example.test>:\r\n\tunknown \u{7}user\u{0} hunter2 é";
        assert_eq!(hidden.clean(said), "5.1.1 <<address>>: unknown user <secret> é");
        assert_eq!(hidden.clean(&"é".repeat(400)).chars().count(), MAX_ANSWER);
    }

    #[test]
    fn the_first_digit_says_whether_to_try_again() {
        for (status, transient) in
            [(421, true), (451, true), (499, true), (500, false), (550, false)]
        {
            let server = "mail:25".to_string();
            let error = SmtpError::Answer { server, step: "RCPT", status, text: String::new() };
            assert_eq!(error.is_transient(), transient, "{status}");
            assert_eq!(error.status(), Some(status));
        }
    }
}
