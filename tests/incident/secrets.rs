//! Secrets are planted everywhere, deliveries fail, everything is logged: nothing may leak.

use std::path::Path;

use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::mail::MailServer;
use crate::site::Site;
use crate::support::process::Process;
use crate::support::{Part, Peer, require, wait_until};

/// What must be nowhere. Long enough to be found by nothing but a leak.
const SECRETS: [&str; 16] = [
    "planted-datasource-password",
    "planted-oauth2-secret",
    "planted-oauth2-token",
    "planted-web-password",
    // The hash of that password.
    "UWUWwaZIfIzzn3s3FE87luVoW0pxDO0y",
    "planted-web-token",
    // The path of a webhook, too short to look like a token.
    "pl7d",
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
    let oauth2 = format!(
        "{{client_id: u, client_secret: planted-oauth2-secret, token_url: '{}'}}",
        url("give-tokens")
    );
    format!(
        "- name: ops\n\
         \x20 webhook_configs:\n\
         \x20 - {{url: '{basic}', http_config: {{basic_auth: {{username: u, password: planted-basic-password}}}}}}\n\
         \x20 - {{url: '{token}', http_config: {{authorization: {{credentials_file: '{bearer}'}}}}}}\n\
         \x20 - {{url: '{grant}', http_config: {{oauth2: {oauth2}}}}}\n\
         \x20 - {{url: '{short}'}}\n\
         \x20 - {{url_file: '{hook}'}}\n\
         \x20 - {{url: '{refused}'}}\n\
         \x20 email_configs: [{right}, {wrong}]\n\
         \x20 slack_configs: [{webhook}, {{api_url_file: '{slack}', channel: '#alerts'}}, {app}]\n\
         \x20 pagerduty_configs: [{pagerduty}]\n",
        basic = url("basic"),
        token = url("token"),
        grant = url("grant"),
        short = url("pl7d"),
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

const API: [&str; 14] = [
    "/metrics",
    "/api/v2/status",
    "/api/v2/silences",
    "/api/v2/alerts",
    "/api/watchbell/explain",
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

/// The file of the API's server: whoever looks need not say who they are, so that all answers can
/// be searched; users and tokens are there all the same.
const WEB: &str = "anonymous_role: read\n\
    basic_auth_users: {ann: $2b$04$C0sxRGXFWZ0pd9oAV6N7qeWUWwaZIfIzzn3s3FE87luVoW0pxDO0y}\n\
    bearer_auth: [{name: ci, token_file: secrets/web, role: write}]\n";

/// Right, wrong and half of what opens the API.
fn log_in(daemon: &Daemon) {
    // `ann:planted-web-password`, `ann:planted-web-passwordX`, `eve:planted-web-password`.
    for (header, status) in [
        ("Basic YW5uOnBsYW50ZWQtd2ViLXBhc3N3b3Jk", 200),
        ("Basic YW5uOnBsYW50ZWQtd2ViLXBhc3N3b3JkWA==", 401),
        ("Basic ZXZlOnBsYW50ZWQtd2ViLXBhc3N3b3Jk", 401),
        ("Basic planted-web-password", 401),
        ("Bearer planted-web-token", 200),
        ("Bearer planted-web-tokenX", 401),
    ] {
        for method in ["GET", "POST"] {
            let path = if method == "GET" { "/api/v1/rules" } else { "/-/reload" };
            let answer = daemon.request(method, path, &[("Authorization", header)]);
            assert_eq!(answer.status, status, "{header} {method}: {}", answer.body);
            assert_clean("an answer to a login", &format!("{answer:?}"));
        }
    }
}

/// What `watchbell check` says of the files.
fn check(arguments: &[&str]) -> String {
    let mut process = Process::watchbell(arguments);
    process.whole_output()
}

#[test]
fn planted_secrets_reach_their_receiver_and_nothing_else() {
    let Some(site) = Site::new("secrets") else { return };
    let Some(mail) = MailServer::smtp(&site, "planted-mail-password") else { return };
    let Some(gone) = require(Part::Receivers).map(|part| part.start(&[])) else { return };
    gone.listen(false);
    site.receivers.control("POST", "slack", &json!({"tokens": ["xoxb-planted-slack-token"]}));
    let datasource = site.prometheus().replace("http://", "http://u:planted-datasource-password@");
    let route = "{receiver: ops, group_by: [alertname]}";
    let config = site.write_all(&datasource, route, "{}", &receivers(&site, &mail, &gone));
    site.dir.write("secrets/web", "planted-web-token\n");
    let web = site.dir.write("web.yaml", WEB);
    // A service that quotes what it was sent is no reason to log or store it.
    for (path, status, secret) in [
        ("/webhook/basic", 400, "planted-basic-password"),
        ("/webhook/token", 503, "planted-bearer-token"),
        ("/webhook/give-tokens", 503, "planted-oauth2-secret"),
        ("/webhook/grant", 503, "planted-oauth2-token"),
        ("/webhook/pl7d", 400, "pl7d"),
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
    let token = "{\"access_token\": \"planted-oauth2-token\", \"token_type\": \"Bearer\"}";
    let give =
        json!({"path": "/webhook/give-tokens", "action": "status", "status": 200, "body": token});
    site.receivers.fault(give);
    let options = ["--log-filter", "trace", "--web-config-file", &web];
    let daemon = Daemon::start_with(&config, &options);
    log_in(&daemon);
    site.fail(&["a"]);
    for path in ["basic", "token", "grant", "pl7d", "planted-webhook-url"] {
        site.wait_for_taken(&format!("/webhook/{path}"), 1);
    }
    site.wait_for_taken("/v2/enqueue", 1);
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
    for right in [
        "dTpwbGFudGVkLWJhc2ljLXBhc3N3b3Jk",
        "Bearer planted-bearer-token",
        "Bearer planted-oauth2-token",
        "PLANTEDROUTINGKEY",
    ] {
        assert!(sent.contains(right), "its receiver got {right}");
    }

    for path in API {
        assert_clean(path, &daemon.get(path).body);
    }
    // A mistake in the configuration is shown with the lines around it.
    let right = std::fs::read_to_string(&config).unwrap();
    site.dir.write("watchbell.yaml", &right.replace("routing_key:", "routing_kex:"));
    site.dir.write("web.yaml", &WEB.replace("role: write", "role: wirte"));
    let reload =
        || daemon.request("POST", "/-/reload", &[("Authorization", "Bearer planted-web-token")]);
    let answer = reload();
    assert_eq!(answer.status, 500);
    assert!(
        answer.body.contains("web config") && answer.body.contains("routing_kex"),
        "{answer:?}"
    );
    for output in [
        check(&["check", "config", &config]),
        check(&["check", "config", "--format", "json", &config]),
        check(&["check", "web-config", &web]),
        check(&["run", "--config", &config, "--web-config-file", &web]),
    ] {
        assert!(output.contains("routing_kex") || output.contains("wirte"), "{output}");
        assert_clean("the output of a check", &output);
    }
    assert_clean("the answer to a reload", &answer.body);
    for path in API {
        assert_clean(path, &daemon.get(path).body);
    }
    site.dir.write("watchbell.yaml", &right);
    site.dir.write("web.yaml", WEB);
    assert_eq!(reload().status, 200);
    assert_clean("the checked configuration", &check(&["check", "config", "--print", &config]));
    site.mend(&["a"]);
    site.wait_for_taken("/webhook/basic", 2);
    assert!(assert_clean_folder(&site.dir.path().join("data")) >= 2, "the store is not empty");
    let log = daemon.stop();
    assert!(log.contains("TRACE") && log.matches("is wrong").count() >= 5, "{log}");
    assert_clean("the log", &log);
    assert!(assert_clean_folder(&site.dir.path().join("data")) >= 1);

    let bodies = site.receivers.received("*").into_iter();
    let mut bodies: Vec<_> =
        bodies.map(|r| (r["path"].to_string(), r["body"].to_string())).collect();
    assert!(bodies.len() >= 6);
    // The one that holds a key in its body, and the one that asks for a token.
    bodies.retain(|(path, _)| !path.contains("/v2/") && !path.contains("give-tokens"));
    for (path, body) in bodies {
        assert_clean(&format!("a message to {path}"), &body);
    }
    for mail in mail.mails() {
        assert_clean("a mail", &format!("{mail:?}"));
    }
}
