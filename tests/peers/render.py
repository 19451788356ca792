#!/usr/bin/env python3
"""Renders an HTML mail as people see it: `render.py MAIL.eml|PAGE.html… [--out DIR]`.

Writes NAME-390.png (a phone) and NAME-800.png (a desktop) for each file and prints their paths. The page is laid
out in a frame of exactly that width, because headless Chromium makes no window narrower than 500 pixels. Scripts
of the mail do not run, as in a mail program.
"""

import argparse
import email
import email.policy
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile

CHROMIUM = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--allow-file-access-from-files",
]
# The tallest picture; a longer mail is cut.
MAX_HEIGHT = 8000


def html_of(path):
    with open(path, "rb") as file:
        data = file.read()
    if not path.endswith(".eml"):
        return data.decode("utf-8")
    part = email.message_from_bytes(data, policy=email.policy.default).get_body(("html", "plain"))
    if part is None:
        sys.exit(f"{path}: no text in this mail")
    text = part.get_content()
    return text if part.get_content_subtype() == "html" else f"<pre>{html.escape(text)}</pre>"


def chromium(program, folder, *options):
    command = [program, *CHROMIUM, f"--user-data-dir={folder}/profile", *options, f"file://{folder}/page.html"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    return done.stdout.decode("utf-8", "replace")


def render(program, content, width, out):
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/page.html", "w", encoding="utf-8") as file:
            file.write(
                '<!doctype html><meta charset="utf-8"><body style="margin:0;background:#fff">'
                f'<iframe id="mail" sandbox="allow-same-origin" style="border:0;width:{width}px;height:100px" '
                f'srcdoc="{html.escape(content)}"></iframe><script>addEventListener("load", () => {{'
                'const frame = document.getElementById("mail"), page = frame.contentDocument.documentElement;'
                'frame.style.height = page.scrollHeight + "px";'
                'document.body.dataset.size = page.scrollWidth + "x" + page.scrollHeight;})</script>'
            )
        size = re.search(r'data-size="(\d+)x(\d+)"', chromium(program, folder, "--dump-dom", "--window-size=900,600"))
        if not size:
            sys.exit("chromium did not lay the page out")
        height = min(max(int(size[2]), 100), MAX_HEIGHT)
        chromium(program, folder, f"--window-size={width},{height}", f"--screenshot={out}")
    if not os.path.exists(out):
        sys.exit("chromium made no picture")
    wider = f" (wider than the screen: {size[1]})" if int(size[1]) > width else ""
    print(f"{out} {width}x{height}{wider}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--out", default=".", help="folder for the pictures")
    parser.add_argument("--width", type=int, action="append", help="instead of 390 and 800")
    options = parser.parse_args()
    program = shutil.which("chromium")
    if not program:
        sys.exit("chromium is not installed")
    os.makedirs(options.out, exist_ok=True)
    for path in options.files:
        name = os.path.splitext(os.path.basename(path))[0]
        for width in options.width or (390, 800):
            out = os.path.abspath(os.path.join(options.out, f"{name}-{width}.png"))
            render(program, html_of(path), width, out)


if __name__ == "__main__":
    main()
