//! The texts of a Slack message: their names, defaults and limits in one table.

use crate::notify::{Context, RenderError, Text, TextSource};

/// How a text is read by Slack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// With markup: data in it is written with entities.
    Markup,
    /// As it stands: names and colours.
    Plain,
    /// As an address.
    Url,
}

/// Where a text stands in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Message,
    Attachment,
}

/// One text that can be configured.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spec {
    /// The key in the configuration.
    pub(super) key: &'static str,
    /// The key with its list, for messages.
    pub(super) path: &'static str,
    /// The name in Slack's message.
    pub(super) field: &'static str,
    /// The template file that is used where nothing is configured; the text is left out without.
    pub(super) file: Option<&'static str>,
    pub(super) reads: Reads,
    pub(super) place: Place,
    /// The most characters.
    pub(super) max: usize,
}

/// Declares a row of the table.
const fn spec(
    (key, path): (&'static str, &'static str),
    file: Option<&'static str>,
    (reads, place): (Reads, Place),
    max: usize,
) -> Spec {
    Spec { key, path, field: key, file, reads, place, max }
}

const MARKUP: (Reads, Place) = (Reads::Markup, Place::Attachment);
const URL: (Reads, Place) = (Reads::Url, Place::Attachment);
const PLAIN: (Reads, Place) = (Reads::Plain, Place::Attachment);
const TOP: (Reads, Place) = (Reads::Plain, Place::Message);

/// All texts. Limits: Slack collapses an attachment's text at 700 characters and cuts it at 8000;
/// a message's text is split at 4000; a footer has 300. Alertmanager cuts titles at 1024. The
/// others are bounds of our own.
pub(super) const TEXTS: &[Spec] = &[
    spec(("title", "slack_configs.title"), Some("slack/title.txt.hbs"), MARKUP, 1024),
    spec(("title_link", "slack_configs.title_link"), Some("slack/title_link.txt.hbs"), URL, 3000),
    spec(("text", "slack_configs.text"), Some("slack/text.txt.hbs"), MARKUP, 8000),
    spec(("fallback", "slack_configs.fallback"), Some("slack/fallback.txt.hbs"), MARKUP, 1024),
    spec(("color", "slack_configs.color"), Some("slack/color.txt.hbs"), PLAIN, 64),
    spec(("footer", "slack_configs.footer"), Some("slack/footer.txt.hbs"), MARKUP, 300),
    spec(("pretext", "slack_configs.pretext"), None, MARKUP, 4000),
    spec(("callback_id", "slack_configs.callback_id"), None, PLAIN, 255),
    spec(("image_url", "slack_configs.image_url"), None, URL, 3000),
    spec(("thumb_url", "slack_configs.thumb_url"), None, URL, 3000),
    spec(("channel", "slack_configs.channel"), None, TOP, 255),
    spec(("username", "slack_configs.username"), None, TOP, 80),
    spec(("icon_emoji", "slack_configs.icon_emoji"), None, TOP, 255),
    Spec {
        key: "icon_url",
        path: "slack_configs.icon_url",
        field: "icon_url",
        file: None,
        reads: Reads::Url,
        place: Place::Message,
        max: 3000,
    },
    Spec {
        key: "message_text",
        path: "slack_configs.message_text",
        field: "text",
        file: None,
        reads: Reads::Markup,
        place: Place::Message,
        max: 4000,
    },
];

/// The shipped templates.
pub(super) const TEMPLATES: &[(&str, &str)] = &[
    ("slack/title.txt.hbs", include_str!("../../../notifiers/slack/title.txt.hbs")),
    ("slack/title_link.txt.hbs", include_str!("../../../notifiers/slack/title_link.txt.hbs")),
    ("slack/text.txt.hbs", include_str!("../../../notifiers/slack/text.txt.hbs")),
    ("slack/fallback.txt.hbs", include_str!("../../../notifiers/slack/fallback.txt.hbs")),
    ("slack/color.txt.hbs", include_str!("../../../notifiers/slack/color.txt.hbs")),
    ("slack/footer.txt.hbs", include_str!("../../../notifiers/slack/footer.txt.hbs")),
    ("slack/one.txt.hbs", include_str!("../../../notifiers/slack/one.txt.hbs")),
    ("slack/item.txt.hbs", include_str!("../../../notifiers/slack/item.txt.hbs")),
    ("slack/summary.txt.hbs", include_str!("../../../notifiers/slack/summary.txt.hbs")),
    ("slack/when.txt.hbs", include_str!("../../../notifiers/slack/when.txt.hbs")),
    ("slack/digest.txt.hbs", include_str!("../../../notifiers/slack/digest.txt.hbs")),
    ("slack/group.txt.hbs", include_str!("../../../notifiers/slack/group.txt.hbs")),
    ("slack/silence.txt.hbs", include_str!("../../../notifiers/slack/silence.txt.hbs")),
    ("slack/links.txt.hbs", include_str!("../../../notifiers/slack/links.txt.hbs")),
];

/// A text of an attachment's field or action.
pub(super) fn inline(key: &'static str, text: &str) -> TextSource {
    TextSource { key, inline: Some(text.to_string()), file: "" }
}

/// The texts of a list of sources, ready.
pub(super) fn build_all<'a>(
    sources: impl IntoIterator<Item = &'a TextSource>,
    context: &Context,
) -> Result<Vec<Text>, RenderError> {
    sources.into_iter().map(|source| source.build(context, false)).collect()
}
