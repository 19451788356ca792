//! Headers and parts of the mail as it goes out.

use serde_json::json;

use super::cases::{self, NOW};
use super::delivery;
use crate::notify::Delivery;
use crate::notify::email::config::Threading;
use crate::notify::email::message::{Mail, Thread};
use crate::notify::email::words::Words;

const ROOT: &str = "<first@example.test>";

fn words() -> Words {
    Words {
        subject: "[FIRING:1] Größe\r\nBcc: x@example.test".to_string(),
        text: "plain\n.\nÄ".to_string(),
        html: Some("<p>html</p>".to_string()),
        to: "ops@example.test, \"Dev, Ops\" <dev@example.test>, ops@example.test".to_string(),
        from: "Wächter <bell@example.test>".to_string(),
        headers: vec![
            ("Reply-To".to_string(), "team@example.test".to_string()),
            ("Bcc".to_string(), "boss@example.test".to_string()),
            ("X-Group".to_string(), "a\nInjected: yes".to_string()),
        ],
    }
}

fn compose(words: &Words, change: impl Fn(&mut Delivery)) -> Result<(String, Mail), String> {
    let mut delivery = delivery(&cases::all()[0].1);
    change(&mut delivery);
    let thread = Thread::new(&delivery, &Threading::Group, "2026-03-14".to_string());
    let mail = Mail::compose(words, &delivery, &thread, NOW)?;
    Ok((String::from_utf8(mail.content.clone()).unwrap(), mail))
}

/// The headers with their folded lines joined.
fn headers(mail: &str) -> String {
    mail.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " ")
}

#[test]
fn a_mail_has_its_headers_and_no_others() {
    let (text, mail) = compose(&words(), |_| {}).unwrap();
    let headers = headers(&text);
    let names: Vec<&str> = headers.lines().filter_map(|l| l.split(':').next()).collect();
    assert_eq!(
        names,
        [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "X-Watchbell-Idempotency-Key",
            "Reply-To",
            "X-Group",
            "MIME-Version",
            "Content-Type",
        ],
    );
    for line in [
        "Date: Sat, 14 Mar 2026 09:26:53 +0000",
        "Message-ID: <00112233445566778899aabbccddeeff@example.test>",
        "Auto-Submitted: auto-generated",
        "To: ops@example.test, =?utf-8?b?RGV2LCBPcHM=?= <dev@example.test>, ops@example.test",
        "X-Group: a Injected: yes",
        "X-Watchbell-Idempotency-Key: 00112233445566778899aabbccddeeff",
    ] {
        assert!(headers.lines().any(|l| l == line), "{line}: {headers}");
    }
    assert!(headers.contains("Subject: [FIRING:1] =?utf-8?b?"), "{headers}");
    assert!(text.is_ascii() && !text.contains("boss@"));
    assert!(text.lines().all(|line| line.len() <= 998));
    let to: Vec<String> = mail.recipients.iter().map(ToString::to_string).collect();
    assert_eq!(to, ["dev@example.test", "ops@example.test"], "each once");
    assert_eq!(mail.sender.to_string(), "bell@example.test");
    let plain = text.find("text/plain").unwrap();
    assert!(plain < text.find("text/html").unwrap(), "the best form comes last (RFC 2046)");
}

#[test]
fn a_groups_mails_form_one_thread() {
    let (first, _) = compose(&words(), |_| {}).unwrap();
    assert!(!first.contains("References:") && !first.contains("In-Reply-To:"));
    let state = json!({ "messageId": ROOT, "day": "2026-03-13" });
    let (later, _) = compose(&words(), |d| d.receiver_state = Some(state.clone())).unwrap();
    assert!(later.contains(&format!("References: {ROOT}\r\n")), "{later}");
    assert!(later.contains(&format!("In-Reply-To: {ROOT}\r\n")));

    let mut delivery = delivery(&cases::all()[0].1);
    let id = "<new@example.test>";
    for (threading, day, root) in [
        (Threading::Group, "2026-03-14", ROOT),
        (Threading::Daily, "2026-03-13", ROOT),
        (Threading::Daily, "2026-03-14", id),
        (Threading::Off, "2026-03-13", id),
    ] {
        delivery.receiver_state = Some(state.clone());
        let next = Thread::new(&delivery, &threading, day.to_string()).state(id);
        assert_eq!(next, json!({ "messageId": root, "day": day }), "{threading:?}");
    }
    for bad in ["<a@b>\r\nBcc: x", "no", "<a b@c>", ""] {
        delivery.receiver_state = Some(json!({ "messageId": bad }));
        let next = Thread::new(&delivery, &Threading::Group, String::new()).state(id);
        assert_eq!(next["messageId"], id, "{bad:?}");
    }
}

#[test]
fn an_address_that_is_none_is_named_and_not_shown() {
    for (change, part) in [
        ((|w: &mut Words| w.to = "s3cret".to_string()) as fn(&mut Words), "`to`"),
        (|w| w.to = String::new(), "`to`"),
        (|w| w.from = "s3cret".to_string(), "`from`"),
        (|w| w.headers = vec![("Reply-To".to_string(), "s3cret".to_string())], "`Reply-To`"),
    ] {
        let mut words = words();
        change(&mut words);
        let error = compose(&words, |_| {}).unwrap_err();
        assert!(error.contains(part) && !error.contains("s3cret"), "{error}");
    }
}
