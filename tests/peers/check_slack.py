#!/usr/bin/env python3
"""Checks rendered Slack messages: by slack_rules.py and by the models of slack_sdk.

  check_slack.py [--webhook] FILE.json…

slack_sdk knows types and limits; what its models drop is a field that Slack does not know.
"""

import argparse
import json
import sys

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.attachments import Attachment
from slack_sdk.models.blocks import Block

import slack_rules


def lost(given, kept, where):
    """The places of `given` that a model has dropped or changed."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [place for key in given for place in lost(given[key], kept.get(key), f"{where}/{key}")]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [place for i, pair in enumerate(zip(given, kept)) for place in lost(*pair, f"{where}/{i}")]
    return [] if given == kept else [where]


def sdk_problems(message):
    found = []
    try:
        for i, block in enumerate(message.get("blocks", [])):
            model = Block.parse(block)
            if model is None:
                found.append(f"/blocks/{i}: slack_sdk knows no such block")
            else:
                found += [f"{place}: dropped by slack_sdk" for place in lost(block, model.to_dict(), f"/blocks/{i}")]
        for i, attachment in enumerate(message.get("attachments", [])):
            fields = {k: v for k, v in attachment.items() if k not in ("fields", "blocks", "actions", "mrkdwn_in")}
            fields.setdefault("text", "")
            Attachment(**fields).to_dict()
            found += [f"/attachments/{i}{p}" for p in sdk_problems({"blocks": attachment.get("blocks", [])})]
    except (SlackObjectFormationError, TypeError, AttributeError) as error:
        found.append(f"slack_sdk: {error}")
    return found


def problems(message, webhook=False):
    fields = slack_rules.WEBHOOK if webhook else slack_rules.MESSAGE
    try:
        slack_rules.message(message, fields, "invalid_arguments")
    except slack_rules.Refusal as refusal:
        return [str(refusal)]
    return sdk_problems(message)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--webhook", action="store_true", help="messages for an incoming webhook")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    bad = 0
    for path in options.files:
        with open(path, encoding="utf-8") as file:
            found = problems(json.load(file), options.webhook)
        bad += bool(found)
        for problem in found:
            print(f"{path}: {problem}")
    print(f"slack: {len(options.files)} checked, {bad} bad")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
