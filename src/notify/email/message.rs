//! The mail itself: headers, parts, and its place in the group's thread.

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Mailboxes, MessageBuilder, MultiPart, SinglePart, header};
use lettre::{Address, Message};
use serde_json::{Value, json};

use crate::model::Timestamp;
use crate::notify::Delivery;
use crate::template::truncate;

use super::config::Threading;
use super::words::Words;

/// The most characters of a subject. Longer ones are of no use to people.
const MAX_SUBJECT: usize = 250;
/// The most characters of another header.
const MAX_HEADER: usize = 900;

/// A mail ready to be sent.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) sender: Address,
    pub(super) recipients: Vec<Address>,
    pub(super) message_id: String,
    /// Headers and body, 7 bit, lines ending in CR LF.
    pub(super) content: Vec<u8>,
}

/// The thread that a mail continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Thread {
    /// The Message-ID of its first mail; `None` for the first mail itself.
    root: Option<String>,
    day: String,
}

impl Thread {
    /// The thread of a delivery, by what was remembered of the group.
    pub(super) fn new(delivery: &Delivery, threading: &Threading, day: String) -> Self {
        let state = delivery.receiver_state.as_ref();
        let text = |key: &str| state.and_then(|state| state.get(key)).and_then(Value::as_str);
        let root = text("messageId").filter(|id| is_message_id(id)).map(str::to_string);
        let continues = match threading {
            Threading::Off => false,
            Threading::Group => true,
            Threading::Daily => text("day") == Some(day.as_str()),
        };
        Self { root: root.filter(|_| continues), day }
    }

    /// What to remember once this mail is delivered.
    pub(super) fn state(&self, message_id: &str) -> Value {
        json!({ "messageId": self.root.as_deref().unwrap_or(message_id), "day": self.day })
    }
}

fn is_message_id(text: &str) -> bool {
    let inside = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inside.is_some_and(|id| {
        id.contains('@')
            && id.len() <= MAX_SUBJECT
            && id.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'))
    })
}

impl Mail {
    /// Puts a mail together. The Message-ID comes from the idempotency key, so that a repeated
    /// attempt can be told from another mail.
    ///
    /// # Errors
    /// When an address is none.
    pub(super) fn compose(
        words: &Words,
        delivery: &Delivery,
        thread: &Thread,
        now: Timestamp,
    ) -> Result<Self, String> {
        let from: Mailbox =
            one_line(&words.from).parse().map_err(|_| "`from` is no mail address".to_string())?;
        let to = mailboxes("to", &words.to)?;
        let mut recipients: Vec<Address> = to.iter().map(|to| to.email.clone()).collect();
        recipients.sort();
        recipients.dedup();
        if recipients.is_empty() {
            return Err("`to` holds no mail address".to_string());
        }
        let key: String = delivery
            .idempotency_key
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .collect();
        let domain = Some(from.email.domain()).filter(|domain| domain.is_ascii());
        let message_id = format!("<{key}@{}>", domain.unwrap_or("localhost"));
        let since_epoch = Duration::from_millis(u64::try_from(now.millis()).unwrap_or(0));
        let sender = from.email.clone();
        let envelope = Envelope::new(Some(sender.clone()), recipients.clone());
        let builder = Message::builder()
            .envelope(envelope.map_err(|e| e.to_string())?)
            .header(header::From::from(Mailboxes::from(from)))
            .header(header::To::from(to))
            .subject(truncate(&one_line(&words.subject), MAX_SUBJECT))
            .date(UNIX_EPOCH + since_epoch)
            .message_id(Some(message_id.clone()))
            .raw_header(raw("Auto-Submitted", "auto-generated")?)
            .raw_header(raw("X-Watchbell-Idempotency-Key", &key)?);
        let builder = match &thread.root {
            Some(root) if *root != message_id => {
                builder.in_reply_to(root.clone()).references(root.clone())
            }
            _ => builder,
        };
        let message = build(headers(builder, &words.headers)?, words, &key)?;
        Ok(Self { sender, recipients, message_id, content: message.formatted() })
    }
}

/// The configured headers. They replace ours of the same name.
fn headers(
    mut builder: MessageBuilder,
    headers: &[(String, String)],
) -> Result<MessageBuilder, String> {
    for (name, value) in headers {
        builder = match name.to_ascii_lowercase().as_str() {
            "from" => builder.header(header::From::from(mailboxes(name, value)?)),
            "to" => builder.header(header::To::from(mailboxes(name, value)?)),
            "cc" => builder.header(header::Cc::from(mailboxes(name, value)?)),
            "reply-to" => builder.header(header::ReplyTo::from(mailboxes(name, value)?)),
            // Who gets a blind copy is in `to`; that they do is nobody's business.
            "bcc" => builder,
            _ => builder.raw_header(raw(name, value)?),
        };
    }
    Ok(builder)
}

fn build(builder: MessageBuilder, words: &Words, key: &str) -> Result<Message, String> {
    let text = SinglePart::plain(words.text.clone());
    let message = match &words.html {
        None => builder.singlepart(text),
        Some(html) => {
            let parts = MultiPart::alternative().boundary(format!("part_{key}"));
            builder.multipart(parts.singlepart(text).singlepart(SinglePart::html(html.clone())))
        }
    };
    message.map_err(|e| e.to_string())
}

/// Addresses, separated by commas. The error does not quote them.
fn mailboxes(what: &str, list: &str) -> Result<Mailboxes, String> {
    one_line(list).parse().map_err(|_| format!("`{what}` is no list of mail addresses"))
}

fn raw(name: &str, value: &str) -> Result<HeaderValue, String> {
    let valid = HeaderName::new_from_ascii(name.to_string());
    let name = valid.map_err(|_| format!("{name:?} is no name of a header"))?;
    Ok(HeaderValue::new(name, truncate(&one_line(value), MAX_HEADER)))
}

/// A value in one line: a line break in a label must not begin a header.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
