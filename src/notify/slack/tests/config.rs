//! `slack_configs`.

use crate::model::{Secret, SecretSource};
use crate::notify::Globals;
use crate::notify::cases::receiver;

fn mistakes(item: &str) -> Vec<String> {
    receiver("slack_configs", item, &Globals::default()).err().unwrap_or_default()
}

#[test]
fn every_key_of_alertmanager_is_read() {
    let item = "send_resolved: true
http_config: {proxy_url: 'http://p:1'}
api_url: https://hooks.slack.com/services/T0/B0/x
channel: '#alerts'
username: bell
color: danger
title: t
title_link: https://a
pretext: p
text: x
fields: [{title: a, value: b, short: true}]
short_fields: true
footer: f
fallback: f
callback_id: c
icon_emoji: ':bell:'
icon_url: https://i
image_url: https://i
thumb_url: https://t
actions:
- {type: button, text: a, url: https://a}
- {type: button, text: a, name: n, value: v, style: danger, confirm: {text: really, title: t, ok_text: y, dismiss_text: n}}
mrkdwn_in: [text]
link_names: true
message_text: m
update_message: false
post_updates_to_thread: true
timeout: 5s";
    let built = receiver("slack_configs", item, &Globals::default()).unwrap();
    assert!(built.integrations[0].send_resolved);
}

#[test]
fn resolved_alerts_are_not_told_unless_asked_for() {
    let built = receiver("slack_configs", "api_url: https://h/x", &Globals::default()).unwrap();
    assert!(!built.integrations[0].send_resolved);
}

#[test]
fn mistakes_are_told() {
    let url = "api_url: https://h/x";
    for (item, message) in [
        ("channel: a", "Slack needs `api_url` or `app_token`, here or in `global`"),
        ("api_url: nonsense", "`api_url`: is no http or https address"),
        (
            "api_url: https://h/x\napp_token: t\nchannel: c",
            "Slack takes either a webhook (`api_url`) or a bot token (`app_token`), not both",
        ),
        ("app_token: t", "a Slack app needs `channel`"),
        (
            "app_token: t\nchannel: c\nhttp_config: {authorization: {credentials: x}}",
            "`app_token` and an authorization in `http_config` exclude each other",
        ),
        (&format!("{url}\ncolour: x"), "unknown key `colour` in the Slack integration"),
        (
            &format!("{url}\nupdate_message: true"),
            "`update_message` in the Slack integration is not supported yet",
        ),
        (&format!("{url}\nfields: [{{title: a}}]"), "the field needs `value`"),
        (
            &format!("{url}\nactions: [{{type: button, text: a}}]"),
            "an action needs `url` or `name`",
        ),
        (&format!("{url}\ntitle: '{{{{ .Nope }}}}'"), "cannot render `slack_configs.title`: "),
    ] {
        let told = mistakes(item);
        assert!(told.len() == 1 && told[0].starts_with(message), "{item}: {told:?}");
    }
}

#[test]
fn an_own_webhook_or_token_counts_before_the_global_one() {
    let secret = |text: &str| Some(SecretSource::Inline(Secret::new(text)));
    let token = Globals { slack_app_token: secret("xoxb"), ..Globals::default() };
    assert!(receiver("slack_configs", "channel: c", &token).is_ok());
    assert!(receiver("slack_configs", "api_url: https://h/x", &token).is_ok(), "needs no channel");
    let url = Globals { slack_api_url: secret("https://h/x"), ..Globals::default() };
    assert!(receiver("slack_configs", "channel: c", &url).is_ok());
}
