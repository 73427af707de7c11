#!/usr/bin/python3
"""grafana/dashboards: what grafana/source makes, and what Grafana's schema allows. What node needs
is installed by `./dev test` or `./dev dashboards`."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "grafana/source"
NODE = "/usr/bin/node"  # Debian's; another may come first in PATH.
TSC = SOURCE / "node_modules/typescript/bin/tsc"
DASHBOARDS = sorted((ROOT / "grafana/dashboards").glob("*.json"))


def run(*command):
    """(exit code, what it printed)."""
    done = subprocess.run(
        [NODE, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.returncode, done.stdout.decode()


def check_types(directory, dashboards):
    """What tsc says of dashboards: name -> JSON text."""
    config = {
        "extends": str(SOURCE / "tsconfig.json"),
        "compilerOptions": {"noEmit": True, "types": []},
        "files": [f"{name}.ts" for name in dashboards],
    }
    (directory / "tsconfig.json").write_text(json.dumps(config))
    for name, text in dashboards.items():
        (directory / f"{name}.ts").write_text(
            f"import type {{ Dashboard }} from '{SOURCE}/types';\n"
            f"export const dashboard: Dashboard = {text};\n"
        )
    return run(TSC, "-p", directory)


class DashboardsTest(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_they_are_what_the_source_makes(self):
        code, output = run(TSC, "-p", SOURCE, "--outDir", self.directory / "compiled")
        self.assertEqual(code, 0, output)
        code, output = run(self.directory / "compiled/main.js", self.directory)
        self.assertEqual(code, 0, output)
        made = {path.name: path.read_text() for path in self.directory.glob("*.json")}
        self.assertEqual(sorted(made), [path.name for path in DASHBOARDS])
        for path in DASHBOARDS:
            self.assertEqual(path.read_text(), made[path.name], "run ./dev dashboards")

    def test_they_fit_the_schema_of_grafana(self):
        self.assertTrue(DASHBOARDS)
        sound = {path.stem: path.read_text() for path in DASHBOARDS}
        self.assertEqual(check_types(self.directory, sound), (0, ""))

    def test_what_grafana_would_swallow_is_found(self):
        sound = (ROOT / "grafana/dashboards/fleet.json").read_text()
        faults = {
            "enumeration": ('"drawStyle": "line"', '"drawStyle": "lines"'),
            "key_of_panel": ('"description":', '"descripton":'),
            "key_of_options": ('"showHeader":', '"showHeaders":'),
            "key_of_custom": ('"spanNulls":', '"spanNull":'),
            "number": ('"schemaVersion": 41', '"schemaVersion": "41"'),
            "panel": ('"type": "stat"', '"type": "singlestat"'),
            "target": ('"legendFormat":', '"legendformat":'),
        }
        planted = {name: sound.replace(*change) for name, change in faults.items()}
        for name, text in planted.items():
            self.assertNotEqual(text, sound, name)
        code, output = check_types(self.directory, planted)
        self.assertNotEqual(code, 0)
        for name in faults:
            self.assertIn(f"{name}.ts", output)


if __name__ == "__main__":
    unittest.main()
