"""What Slack refuses in a message: fields it does not know, types and the documented limits.

Sources: Slack's reference of blocks, composition objects, attachments and chat.postMessage.
Slack itself overlooks some of this; here every departure is an error, so that tests see it.
"""

import re

MESSAGE = {
    "text", "blocks", "attachments", "thread_ts", "reply_broadcast", "mrkdwn", "unfurl_links", "unfurl_media",
    "icon_emoji", "icon_url", "username", "channel", "link_names", "parse", "metadata",
}
WEBHOOK = MESSAGE | {"response_type", "replace_original", "delete_original"}
UPDATE = {"channel", "ts", "text", "blocks", "attachments", "link_names", "parse", "metadata", "reply_broadcast"}
ATTACHMENT = {
    "fallback", "color", "pretext", "author_name", "author_link", "author_icon", "title", "title_link", "text",
    "fields", "image_url", "thumb_url", "footer", "footer_icon", "ts", "mrkdwn_in", "callback_id", "actions", "blocks",
}
BLOCKS = {
    "header": {"text"},
    "section": {"text", "fields", "accessory", "expand"},
    "divider": set(),
    "context": {"elements"},
    "actions": {"elements"},
    "image": {"image_url", "alt_text", "title"},
}


class Refusal(Exception):
    """A Slack error code, and where the message breaks which rule."""

    def __init__(self, code, detail):
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


def refuse_blocks(rule, where):
    raise Refusal("invalid_blocks", f"{rule} [json-pointer:{where}]")


def known(value, fields, where):
    if not isinstance(value, dict):
        refuse_blocks("must be an object", where)
    for key in value:
        if key not in fields:
            refuse_blocks(f"no additional properties allowed: {key}", where)


def string(value, where, most, least=1):
    if not isinstance(value, str):
        refuse_blocks("must be a string", where)
    if len(value) > most:
        refuse_blocks(f"must be less than {most + 1} characters", where)
    if len(value) < least:
        refuse_blocks(f"must be more than {least - 1} characters", where)


def url(value, where):
    string(value, where, 3000)
    if not re.fullmatch(r"https?://[^\s<>]+", value):
        refuse_blocks("must be a URL", where)


def items(value, where, most):
    if not isinstance(value, list) or not value:
        refuse_blocks("must be a list that is not empty", where)
    if len(value) > most:
        refuse_blocks(f"no more than {most} items allowed", where)
    return [(item, f"{where}/{i}") for i, item in enumerate(value)]


def text_object(value, where, most, kinds=("plain_text", "mrkdwn")):
    known(value, {"type", "text", "emoji", "verbatim"}, where)
    kind = value.get("type")
    if kind not in kinds:
        refuse_blocks(f"must be one of {'/'.join(kinds)}", f"{where}/type")
    if ("emoji" in value and kind != "plain_text") or ("verbatim" in value and kind != "mrkdwn"):
        refuse_blocks(f"emoji is for plain_text, verbatim for mrkdwn, not for {kind}", where)
    for flag in ("emoji", "verbatim"):
        if not isinstance(value.get(flag, True), bool):
            refuse_blocks("must be a boolean", f"{where}/{flag}")
    string(value.get("text"), f"{where}/text", most)


def button(value, where):
    known(value, {"type", "text", "action_id", "url", "value", "style", "accessibility_label"}, where)
    if value.get("type") != "button":
        refuse_blocks("must be a button", f"{where}/type")
    text_object(value.get("text"), f"{where}/text", 75, ("plain_text",))
    if "url" in value:
        url(value["url"], f"{where}/url")
    for key, most in (("action_id", 255), ("value", 2000), ("accessibility_label", 75)):
        if key in value:
            string(value[key], f"{where}/{key}", most)
    if value.get("style", "primary") not in ("primary", "danger"):
        refuse_blocks("must be primary or danger", f"{where}/style")


def image(value, where):
    url(value.get("image_url"), f"{where}/image_url")
    string(value.get("alt_text"), f"{where}/alt_text", 2000)


def accessory(value, where):
    if isinstance(value, dict) and value.get("type") == "image":
        known(value, {"type", "image_url", "alt_text"}, where)
        image(value, where)
    else:
        button(value, where)


def block(value, where):
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in BLOCKS:
        refuse_blocks(f"unsupported type: {kind}", where)
    known(value, BLOCKS[kind] | {"type", "block_id"}, where)
    if "block_id" in value:
        string(value["block_id"], f"{where}/block_id", 255)
    if kind == "header":
        text_object(value.get("text"), f"{where}/text", 150, ("plain_text",))
    elif kind == "section":
        if "text" not in value and "fields" not in value:
            refuse_blocks("section needs text or fields", where)
        if "text" in value:
            text_object(value["text"], f"{where}/text", 3000)
        for field, place in items(value["fields"], f"{where}/fields", 10) if "fields" in value else ():
            text_object(field, place, 2000)
        if "accessory" in value:
            accessory(value["accessory"], f"{where}/accessory")
    elif kind == "context":
        for element, place in items(value.get("elements"), f"{where}/elements", 10):
            if isinstance(element, dict) and element.get("type") == "image":
                accessory(element, place)
            else:
                text_object(element, place, 3000)
    elif kind == "actions":
        for element, place in items(value.get("elements"), f"{where}/elements", 25):
            button(element, place)
    elif kind == "image":
        image(value, where)
        if "title" in value:
            text_object(value["title"], f"{where}/title", 2000, ("plain_text",))


def blocks(value, where):
    ids = set()
    for item, place in items(value, where, 50):
        block(item, place)
        if "block_id" in item and item["block_id"] in ids:
            refuse_blocks("block_id is not unique", place)
        ids.add(item.get("block_id"))


def attachment(value, where):
    def wrong(rule):
        raise Refusal("invalid_attachments", f"{rule} [json-pointer:{where}]")

    if not isinstance(value, dict):
        wrong("must be an object")
    for key, item in value.items():
        if key not in ATTACHMENT:
            wrong(f"no additional properties allowed: {key}")
        lists, numbers = ("fields", "mrkdwn_in", "actions", "blocks"), ("ts",)
        if key not in lists + numbers and not isinstance(item, str):
            wrong(f"{key} must be a string")
        if key in lists and not isinstance(item, list):
            wrong(f"{key} must be a list")
    if not re.fullmatch(r"good|warning|danger|#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?", value.get("color", "good")):
        wrong("color must be good, warning, danger or a hex code")
    if not any(value.get(key) for key in ("text", "fallback", "title", "pretext", "fields", "blocks", "image_url")):
        raise Refusal("no_text", f"an attachment without words [json-pointer:{where}]")
    for field in value.get("fields", ()):
        if not isinstance(field, dict) or not set(field) <= {"title", "value", "short"}:
            wrong("fields have title, value and short")
        if not all(isinstance(field.get(key, ""), str) for key in ("title", "value")):
            wrong("a field's title and value are strings")
        if not isinstance(field.get("short", True), bool):
            wrong("a field's short is a boolean")
    if len(value.get("footer", "")) > 300:
        wrong("footer must be less than 301 characters")
    if not set(value.get("mrkdwn_in", ())) <= {"text", "pretext", "fields", "title", "fallback"}:
        wrong("mrkdwn_in names other fields")
    if len(value.get("actions", ())) > 5:
        wrong("no more than 5 actions allowed")
    for key in ("title_link", "author_link", "image_url", "thumb_url", "footer_icon", "author_icon"):
        if value.get(key) and not re.fullmatch(r"https?://[^\s<>]+", value[key]):
            wrong(f"{key} must be a URL")
    if "blocks" in value:
        blocks(value["blocks"], f"{where}/blocks")


def message(value, fields, unknown_code):
    """Refuses a message that breaks a rule."""
    if not isinstance(value, dict):
        raise Refusal("invalid_payload", "must be a JSON object")
    for key in value:
        if key not in fields:
            raise Refusal(unknown_code, f"unknown field {key}")
    for key in ("text", "channel", "ts", "thread_ts", "username", "icon_emoji", "icon_url", "parse"):
        if not isinstance(value.get(key, ""), str):
            raise Refusal(unknown_code, f"{key} must be a string")
    for key in ("mrkdwn", "unfurl_links", "unfurl_media", "reply_broadcast", "link_names"):
        if value.get(key, True) not in (True, False):
            raise Refusal(unknown_code, f"{key} must be a boolean")
    attachments = value.get("attachments", [])
    if not isinstance(attachments, list):
        raise Refusal("invalid_attachments", "must be a list [json-pointer:/attachments]")
    if len(attachments) > 100:
        raise Refusal("too_many_attachments", f"{len(attachments)} attachments, at most 100")
    if not value.get("text") and not value.get("blocks") and not attachments:
        raise Refusal("no_text", "no text, blocks or attachments")
    if len(value.get("text", "")) > 40000:
        raise Refusal("msg_too_long", "text must be less than 40001 characters")
    if "blocks" in value:
        blocks(value["blocks"], "/blocks")
    for i, item in enumerate(attachments):
        attachment(item, f"/attachments/{i}")


def mentions(value):
    """Every mention that would page people: `<!channel>`, `<!here>`, `<@U…>`, anywhere in a message."""
    if isinstance(value, str):
        return re.findall(r"<(?:!(?:channel|here|everyone|subteam)|@[UW])[^>]*>", value)
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for child in children for found in mentions(child)]
