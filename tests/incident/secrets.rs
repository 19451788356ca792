//! Secrets are planted everywhere, deliveries fail, everything is logged: nothing may leak.

use std::path::Path;

use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::mail::MailServer;
use crate::site::Site;
use crate::support::{Part, Peer, require, wait_until};

/// What must be nowhere. Long enough to be found by nothing but a leak.
const SECRETS: [&str; 9] = [
    "planted-mail-password",
    "planted-wrong-password",
    "planted-slack-token",
    "plantedslackinlinehook",
    "plantedslackhookinfile",
    "planted-basic-password",
    "planted-bearer-token",
    "planted-webhook-url",
    "PLANTEDROUTINGKEY0000000000000AB",
];

fn receivers(site: &Site, mail: &MailServer, gone: &Peer) -> String {
    let url = |name: &str| site.receivers.url(&format!("/webhook/{name}"));
    let port = mail.peer.port();
    let secret = |name: &str, content: &str| site.dir.write(&format!("secrets/{name}"), content);
    let hook = secret("hook", &format!("{}\n", url("planted-webhook-url")));
    let slack = secret("slack", &site.receivers.url("/services/T000/B000/plantedslackhookinfile"));
    let bearer = secret("bearer", "planted-bearer-token\n");
    format!(
        "- name: ops\n\
         \x20 webhook_configs:\n\
         \x20 - {{url: '{basic}', http_config: {{basic_auth: {{username: u, password: planted-basic-password}}}}}}\n\
         \x20 - {{url: '{token}', http_config: {{authorization: {{credentials_file: '{bearer}'}}}}}}\n\
         \x20 - {{url_file: '{hook}'}}\n\
         \x20 - {{url: '{refused}'}}\n\
         \x20 email_configs: [{right}, {wrong}]\n\
         \x20 slack_configs: [{webhook}, {{api_url_file: '{slack}', channel: '#alerts'}}, {app}]\n\
         \x20 pagerduty_configs: [{pagerduty}]\n",
        basic = url("basic"),
        token = url("token"),
        refused = gone.url("/webhook/planted-webhook-url"),
        right = mail.item(port, "auth_password: planted-mail-password"),
        wrong = mail.item(port, "auth_password: planted-wrong-password"),
        webhook = site.slack_webhook("/services/T000/B000/plantedslackinlinehook"),
        app = site.slack_app("xoxb-planted-slack-token"),
        pagerduty = site.pagerduty("PLANTEDROUTINGKEY0000000000000AB"),
    )
}

fn assert_clean(what: &str, text: &str) {
    for secret in SECRETS {
        let line = text.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{what} holds {secret}: {line:?}");
    }
}

/// Every file below a folder, as text.
fn assert_clean_folder(folder: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += assert_clean_folder(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            assert_clean(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
            files += 1;
        }
    }
    files
}

const API: [&str; 10] = [
    "/metrics",
    "/api/v1/alerts",
    "/api/v1/rules",
    "/api/v1/status/config",
    "/api/v1/status/flags",
    "/api/v1/status/buildinfo",
    "/api/v1/status/runtimeinfo",
    "/api/watchbell/status",
    "/-/ready",
    "/",
];

#[test]
fn planted_secrets_reach_their_receiver_and_nothing_else() {
    let Some(site) = Site::new("secrets") else { return };
    let Some(mail) = MailServer::smtp(&site, "planted-mail-password") else { return };
    let Some(gone) = require(Part::Receivers).map(|part| part.start(&[])) else { return };
    gone.listen(false);
    site.receivers.control("POST", "slack", &json!({"tokens": ["xoxb-planted-slack-token"]}));
    let config = site.write_config(&receivers(&site, &mail, &gone));
    // A service that quotes what it was sent is no reason to log or store it.
    for (path, status, secret) in [
        ("/webhook/basic", 400, "planted-basic-password"),
        ("/webhook/token", 503, "planted-bearer-token"),
        ("/webhook/planted-webhook-url", 400, "planted-webhook-url"),
        ("/services/T000/B000/plantedslackinlinehook", 404, "plantedslackinlinehook"),
        ("/services/T000/B000/plantedslackhookinfile", 500, "plantedslackhookinfile"),
        ("/api/*", 503, "xoxb-planted-slack-token"),
        ("/v2/*", 400, "PLANTEDROUTINGKEY0000000000000AB"),
    ] {
        let body = format!("{secret} is wrong, and so is {path}");
        let fault =
            json!({"path": path, "action": "status", "status": status, "body": body, "count": 1});
        site.receivers.fault(fault);
    }
    let daemon = Daemon::start_with(&config, &["--log-filter", "debug"]);
    site.fail(&["a"]);
    for path in ["/webhook/basic", "/webhook/token", "/webhook/planted-webhook-url", "/v2/enqueue"]
    {
        site.wait_for_taken(path, 1);
    }
    wait_until("both Slack webhooks and the app", || {
        let messages = site.receivers.state()["messages"].as_array().unwrap().len();
        (messages >= 3).then_some(())
    });
    mail.wait_for_mails(1);
    let wrong = ["integration=\"email\""];
    wait_until("the wrong password is refused", || {
        (daemon.metric("watchbell_notifications_failed_total", &wrong) > 0.0).then_some(())
    });

    let sent = site.receivers.control("GET", "received?secrets=1", &Value::Null).to_string();
    // `u:planted-basic-password`
    for right in
        ["dTpwbGFudGVkLWJhc2ljLXBhc3N3b3Jk", "Bearer planted-bearer-token", "PLANTEDROUTINGKEY"]
    {
        assert!(sent.contains(right), "its receiver got {right}");
    }

    for path in API {
        assert_clean(path, &daemon.get(path).body);
    }
    // A mistake in the configuration is shown with the lines around it.
    let right = std::fs::read_to_string(&config).unwrap();
    site.dir.write("watchbell.yaml", &right.replace("routing_key:", "routing_kex:"));
    let answer = daemon.reload();
    assert_eq!(answer.status, 500);
    assert_clean("the answer to a reload", &answer.body);
    for path in API {
        assert_clean(path, &daemon.get(path).body);
    }
    site.dir.write("watchbell.yaml", &right);
    assert_eq!(daemon.reload().status, 200);
    site.mend(&["a"]);
    site.wait_for_taken("/webhook/basic", 2);
    assert!(assert_clean_folder(&site.dir.path().join("data")) >= 2, "the store is not empty");
    let log = daemon.stop();
    assert!(log.contains("DEBUG") && log.matches("is wrong").count() >= 5, "{log}");
    assert_clean("the log", &log);
    assert!(assert_clean_folder(&site.dir.path().join("data")) >= 1);

    let bodies = site.receivers.received("*").into_iter();
    let mut bodies: Vec<_> =
        bodies.map(|r| (r["path"].to_string(), r["body"].to_string())).collect();
    assert!(bodies.len() >= 6);
    bodies.retain(|(path, _)| !path.contains("/v2/"));
    for (path, body) in bodies {
        assert_clean(&format!("a message to {path}"), &body);
    }
    for mail in mail.mails() {
        assert_clean("a mail", &format!("{mail:?}"));
    }
}
