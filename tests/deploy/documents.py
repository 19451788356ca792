"""Reading the pages of docs/: headings, links, blocks of code and commands."""

import glob
import os
import re
import shlex
import textwrap
from dataclasses import dataclass

from parts import ROOT, read

# Every page that has a twin in Portuguese, by its name in English.
TWINS = {f"docs/{os.path.basename(path)}": os.path.relpath(path, ROOT)
         for path in sorted(glob.glob(os.path.join(ROOT, "docs", "pt-br", "*.md")))}
# Every page for people; those of docs/checks are made from the program.
PAGES = ["README.md", "CONTRIBUTING.md"] + sorted(
    os.path.relpath(path, ROOT) for folder in ("docs", "docs/pt-br") for path in glob.glob(os.path.join(ROOT, folder, "*.md")))
# The pages whose every block of code is tried.
GUIDES = [page for name in ("monitoring", "notifications", "tuning", "troubleshooting")
          for page in (f"docs/{name}.md", f"docs/pt-br/{name}.md")]


@dataclass
class Block:
    """A block of code: its language, its text, and where it stands."""

    language: str
    text: str
    place: str

    def bare(self):
        """The text without comments and empty lines, which the two languages say differently."""
        lines = (re.sub(r"(^|\s)#(\s.*)?$", "", line).rstrip() for line in self.text.splitlines())
        return [line for line in lines if line]

    def name(self):
        """The file that its first line says it is, if any."""
        found = re.match(r"(?:#|\{\{!) ([\w./-]+/[\w.-]+)(?: \}\})?\n", self.text)
        return found and found[1]


def blocks(page):
    """The page's blocks of code, those in lists as well."""
    text = read(page)
    found = []
    for match in re.finditer(r"(?ms)^( *)```(\w*)\n(.*?)^\1```$", text):
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(match[2], textwrap.dedent(match[3]), f"{page}:{line}"))
    return found


def prose(page):
    """The page without its blocks of code."""
    return re.sub(r"(?ms)^( *)```\w*\n.*?^\1```$", "", read(page))


def headings(page):
    """(level, text) of each heading."""
    return [(len(marks), text) for marks, text in re.findall(r"(?m)^(#+) (.+)$", prose(page))]


def anchors(page):
    """The names by which links reach a page's headings, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for _, text in headings(page)}


def links(page):
    """(file, anchor) of each link to a file of the repository, from its root."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            file = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
            found.append((file, anchor))
    return found


def commands(page):
    """Every command that a page names, in blocks and in backticks, as a list of words."""
    lines = []
    for block in blocks(page):
        if block.language == "sh":
            lines += block.text.replace("\\\n", " ").splitlines()
    lines += re.findall(r"`([^`\n]+)`", prose(page))
    found = []
    for line in lines:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue  # code of another language in backticks, or the middle of a quoted text
        if words:
            found.append(words)
    return found
