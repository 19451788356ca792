"""The pages in docs/: the two languages say the same, and what they name is there."""

import functools
import os
import re
import unittest

from documents import GUIDES, PAGES, TWINS, anchors, blocks, commands, headings, links, prose
from parts import ROOT, program, read, run, watchbell

# The pages that speak of deploy/.
STACK = ["docs/deploy.md", "docs/pt-br/deploy.md"]


def named(page):
    """What a page has in backticks, without what a reader puts in."""
    return set(re.findall(r"`([^`\n]+)`", prose(page).replace("ALERTA", "ALERT")))


def english(file):
    """The page in English of a page in Portuguese, any other file as it is."""
    return next((page for page, twin in TWINS.items() if twin == file), file)


class BothLanguages(unittest.TestCase):
    def test_every_guide_has_its_twin(self):
        self.assertLessEqual({*GUIDES, *STACK}, {*TWINS, *TWINS.values()})
        for page in TWINS:
            self.assertTrue(os.path.exists(os.path.join(ROOT, page)), f"{page} exists in Portuguese alone")

    def test_they_have_the_same_parts(self):
        for page, twin in TWINS.items():
            levels = [[level for level, _ in headings(file)] for file in (page, twin)]
            self.assertEqual(*levels, twin)
            rows = [len(re.findall(r"(?m)^ *\|", prose(file))) for file in (page, twin)]
            self.assertEqual(*rows, twin)
            items = [len(re.findall(r"(?m)^ *(?:-|\d\.) ", prose(file))) for file in (page, twin)]
            self.assertEqual(*items, twin)
            self.assertEqual(named(page), named(twin), twin)

    def test_they_have_the_same_code(self):
        for page, twin in TWINS.items():
            here, there = blocks(page), blocks(twin)
            self.assertEqual([b.language for b in here], [b.language for b in there], twin)
            for one, other in zip(here, there):
                if one.language != "text":
                    self.assertEqual(one.bare(), other.bare(), f"{one.place}, {other.place}")

    def test_they_link_to_the_same(self):
        for page, twin in TWINS.items():
            # A page of which there is a twin links to it, each in its language.
            here = sorted(file for file, _ in links(page) if file != twin)
            there = sorted(english(file) for file, _ in links(twin) if file != page)
            self.assertEqual(here, there, twin)
            self.assertIn(twin, [file for file, _ in links(page)])
            self.assertIn(page, [file for file, _ in links(twin)])
            for file, _ in links(twin):
                self.assertTrue(file == page or file not in TWINS, f"{twin} links to {file}, not to its twin")


class Named(unittest.TestCase):
    def test_every_link_leads_somewhere(self):
        found = 0
        for page in PAGES:
            for file, anchor in links(page):
                found += 1
                self.assertTrue(os.path.exists(os.path.join(ROOT, file)), f"{page}: {file}")
                if anchor and file.endswith(".md"):
                    self.assertIn(anchor, anchors(file), f"{page}: {file}")
        self.assertGreater(found, 80)

    def test_every_file_that_they_name_is_there(self):
        made_by_the_user = {"deploy/secrets"} | {b.name() for page in GUIDES for b in blocks(page)}
        for page in STACK + GUIDES:
            text = re.sub(r"kubectl [^`\n]*", "", read(page))
            files = set(re.findall(r"(?<![\w/.])(?:deploy|rules|notifiers|docs)/[\w./-]*\w", text)) - made_by_the_user
            self.assertGreater(len(files), 0, page)
            for file in files:
                self.assertTrue(os.path.exists(os.path.join(ROOT, file)), f"{page}: {file}")

    def test_explain_says_what_they_quote(self):
        said = read("src/explain/sentence.rs")
        for page in (guide for guide in GUIDES if guide.endswith("troubleshooting.md")):
            # The table that comes after the command itself.
            table = read(page).split("`watchbell explain ALERT`")[1].split("\n\n")[1]
            quoted = re.findall(r"(?m)^\| \*([^*]+)\*", table)
            self.assertEqual(len(quoted), 5, page)
            for phrase in quoted:
                self.assertIn(phrase, said, page)


class Commands(unittest.TestCase):
    def used(self, last):
        """(page, words after it) where a program is called whose path ends so, also in a pod."""
        for page in PAGES:
            for words in commands(page):
                for i, word in enumerate(words):
                    called = all("=" in before for before in words[:i]) or words[i - 1] == "--"
                    if called and re.fullmatch(rf"([\w./-]*/)?{last}", word):
                        yield page, words[i + 1:]

    def check_script(self, script, pattern):
        _, usage = run(os.path.join(ROOT, "deploy", script), "help")
        known = set(re.findall(pattern, usage))
        pages = set()
        for page, words in self.used(os.path.basename(script)):
            if words:
                self.assertIn(words[0], known, page)
                pages.add(page)
        self.assertLessEqual({"README.md", *STACK}, pages)

    def test_of_monitoring_sh(self):
        self.check_script("monitoring.sh", r"(?m)^  ([a-z-]+) ")

    def test_of_the_local_stack(self):
        for script in ("stack.sh", "break.sh"):
            self.check_script(f"local-stack/{script}", r"(?m)^ +(?:(?:stack|break)\.sh )?([a-z-]+) ")

    @functools.cache
    def help_of(self, *path):
        code, text = run(*path, "--help")
        self.assertIn(code, (0, 1), text)
        commands = re.search(r"(?ms)^Commands:\n(.*?)(?:^\S|\Z)", text)
        return text, set(re.findall(r"(?m)^  ([a-z-]+)", commands[1])) if commands else set()

    def check_words(self, program, page, words):
        """Every subcommand and flag of a command is in the program's help."""
        path = [program]
        text, known = self.help_of(*path)
        for word in words:
            if word in known:
                path.append(word)
                text, known = self.help_of(*path)
            elif len(path) == 1 and not word.startswith("-") and known and word != "help":
                self.fail(f"{page}: {os.path.basename(program)} has no command {word}")
            elif word.startswith("--") and len(word) > 2:
                self.assertIn(word.partition("=")[0], text, f"{page}: {' '.join(words)}")

    def test_of_watchbell(self):
        binary = watchbell()
        found = [(page, words) for page, words in self.used("watchbell") if words]
        self.assertGreater(len(found), 80)
        for page, words in found:
            if re.match(r"-{0,2}[a-z]", words[0]) and words[0] != "help":
                self.check_words(binary, page, words)

    def test_of_amtool(self):
        binary = program("amtool")
        found = [(page, words) for page, words in self.used("amtool") if words]
        self.assertTrue(found)
        for page, words in found:
            text, _ = self.help_of(binary, *[w for w in words if re.fullmatch(r"[a-z-]+", w)][:2])
            for word in words:
                if word.startswith("--"):
                    self.assertIn(word.partition("=")[0], text, page)


if __name__ == "__main__":
    unittest.main()
