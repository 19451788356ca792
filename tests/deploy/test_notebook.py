"""The walk-through is committed as it is written. tests/stack runs it."""

import json
import os
import re
import unittest

from documents import anchors
from parts import ROOT, read

NOTEBOOK = "docs/alerting-walkthrough.ipynb"


def cells(kind):
    return [cell for cell in json.loads(read(NOTEBOOK))["cells"] if cell["cell_type"] == kind]


class Committed(unittest.TestCase):
    def test_nothing_of_a_run_is_in_it(self):
        self.assertGreater(len(cells("code")), 10)
        for cell in cells("code"):
            self.assertEqual((cell["outputs"], cell["execution_count"], cell["metadata"]), ([], None, {}), cell["source"])
        self.assertEqual(set(json.loads(read(NOTEBOOK))["metadata"]), {"kernelspec", "language_info"})

    def test_its_links_lead_somewhere(self):
        found = re.findall(r"\]\(([\w.-]+)(?:#([\w-]+))?\)", "\n".join("".join(cell["source"]) for cell in cells("markdown")))
        self.assertGreaterEqual(len(found), 3)
        for page, anchor in found:
            self.assertTrue(not anchor or anchor in anchors(f"docs/{page}"), f"{page}#{anchor}")
            self.assertTrue(os.path.exists(os.path.join(ROOT, "docs", page)), page)


if __name__ == "__main__":
    unittest.main()
