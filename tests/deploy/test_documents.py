"""The pages about the stack: the two languages say the same, and what they name is there."""

import os
import re
import unittest

from parts import ROOT, read, run

PAGES = ["docs/deploy.md", "docs/pt-br/deploy.md"]


def named(page):
    """What a page has in backticks and code blocks, without what a reader puts in."""
    text = read(page).replace("ALERTA", "ALERT")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))) | {
        line.strip() for block in blocks for line in block.splitlines()}


class Documents(unittest.TestCase):
    def test_both_languages_name_the_same(self):
        english, portuguese = map(named, PAGES)
        self.assertEqual(english, portuguese)
        rows = [len(re.findall(r"(?m)^\|", read(page))) for page in PAGES]
        self.assertEqual(rows[0], rows[1])

    def test_every_file_that_they_name_is_there(self):
        made_by_the_user = {"deploy/secrets"}
        for page in PAGES:
            files = set(re.findall(r"\b(?:deploy|rules|notifiers)/[\w./-]*\w", read(page))) - made_by_the_user
            self.assertGreater(len(files), 5)
            links = {os.path.normpath(os.path.join(os.path.dirname(page), target))
                     for target in re.findall(r"\]\(([^)#:]+)", read(page))}
            # `deploy/watchbell` in a command of kubectl is a Deployment.
            for file in (files | links) - {"deploy/watchbell"}:
                self.assertTrue(os.path.exists(os.path.join(ROOT, file)), f"{page}: {file}")

    def test_every_command_that_they_name_is_one(self):
        _, usage = run(os.path.join(ROOT, "deploy", "monitoring.sh"), "help")
        commands = set(re.findall(r"(?m)^  ([a-z-]+) ", usage))
        for page in PAGES + ["README.md"]:
            used = set(re.findall(r"monitoring\.sh ([a-z-]+)", read(page)))
            self.assertTrue(used)
            self.assertLessEqual(used, commands, page)

    def test_every_command_of_the_local_stack_is_one(self):
        for script in ("stack.sh", "break.sh"):
            _, usage = run(os.path.join(ROOT, "deploy", "local-stack", script), "help")
            known = set(re.findall(r"(?m)^ +(?:(?:stack|break)\.sh )?([a-z-]+) ", usage))
            for page in PAGES + ["README.md"]:
                used = set(re.findall(rf"local-stack/{script} ([a-z-]+)", read(page)))
                self.assertTrue(used)
                self.assertLessEqual(used, known, page)
