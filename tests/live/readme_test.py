"""Runs the commands of README.md and docs/ as a reader would, in a network namespace of their own,
where the documented port is always free."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from network_namespace import InNamespace, stop

SOURCE = pathlib.Path(os.environ["SOURCE_DIR"])
README = (SOURCE / "README.md").read_text()
# Documents that tell a story of their own. Each is read from its top, with nothing running.
STORIES = ("README.md", "docs/getting-started.md", "docs/fleet.md")

INSTALLED = "test_what_is_installed_is_a_configuration does with a copy"
DEBIAN = "a file of Debian's own package and its service"
# What this test cannot run, and the test that does, or whose business it is.
ELSEWHERE = {
    "./dev test": "it is what runs this test",
    "sudo cmake --install build/release --prefix /usr": "systemd_test.py installs",
    "sudo systemctl enable --now resource_exporter": "systemd_test.py boots the unit",
    "./dev package": "package_test.py does what it does with what is built",
    "sudo apt install ./build/package/resource-exporter_0.1.0_amd64.deb": "package_test.py",
    "sudo apt install ./build/package/model-server_0.1.0_amd64.deb": "package_test.py",
    "systemctl status resource_exporter": "systemd_test.py boots the unit",
    "sudo apt-get install prometheus prometheus-alertmanager": "./dev test does, by packages.txt",
    "sudo cp -r /usr/share/doc/resource-exporter/prometheus.yml "
    "/usr/share/doc/resource-exporter/rules /etc/prometheus/": INSTALLED,
    "promtool check config /etc/prometheus/prometheus.yml": INSTALLED,
    "echo 'ARGS=\"--query.lookback-delta=16m\"' | sudo tee /etc/default/prometheus": DEBIAN,
    "sudo systemctl restart prometheus": DEBIAN,
    "sudo cp alertmanager.yml /etc/prometheus/alertmanager.yml": DEBIAN,
    "sudo systemctl restart prometheus-alertmanager": DEBIAN,
}
FOREGROUND = ("./dev run", "prometheus ")  # until Ctrl-C
DEADLINE_S = 60  # Of each command.


def commands(story):
    blocks = re.findall(r"```console\n(.*?)```", (SOURCE / story).read_text(), re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def wait_until(what, answers):
    deadline = time.monotonic() + DEADLINE_S
    while not answers():
        if time.monotonic() > deadline:
            raise AssertionError(what + " did not happen in time")
        time.sleep(0.05)  # between two looks, not in place of one


class ReadmeTest(unittest.TestCase):
    def ready(self, process, url):
        def answers():
            if process.poll() is not None:
                raise AssertionError("it ended: " + process.stdout.read())
            return self.namespace.run(f"curl -sf -o /dev/null {url}")[0] == 0
        return answers

    def test_every_command_does_what_the_text_says(self):
        self.assertGreaterEqual(len(commands("README.md")), 8)
        for story in STORIES:
            self.enter_namespace()
            for command in commands(story):
                with self.subTest(command, story=story):
                    self.check(command)
            self.doCleanups()  # what runs in the foreground

    def enter_namespace(self):
        self.namespace = InNamespace()
        self.addCleanup(self.namespace.close)

    def check(self, command):
        if command in ELSEWHERE:
            return
        if not command.startswith(FOREGROUND):
            # A reader takes a second to type; the first sample is there after one.
            wait_until(command, lambda: self.succeeds(command))
            return
        is_exporter = command == "./dev run"
        if not is_exporter:
            data = subprocess.check_output(["mktemp", "-d"], text=True).strip()
            self.addCleanup(subprocess.run, ["rm", "-rf", data], check=True)
            command += f" --storage.tsdb.path={data}"
        process = self.namespace.start("exec " + command)
        self.addCleanup(stop, process)
        url = "http://localhost:8888/metrics" if is_exporter else "http://localhost:9090/-/ready"
        wait_until(command, self.ready(process, url))

    def succeeds(self, command):
        """Whether it ends well and says something. Only what asks the exporter may get better."""
        status, output = self.namespace.run(command)
        if not command.startswith("curl "):
            self.assertEqual(status, 0, output)
            self.assertTrue(output)
        return status == 0 and output

    def test_nothing_is_left_out_that_stands_nowhere(self):
        told = {command for story in STORIES for command in commands(story)}
        self.assertEqual(set(ELSEWHERE) - told, set())

    def test_what_is_installed_is_a_configuration(self):
        with tempfile.TemporaryDirectory() as prefix:
            subprocess.run(["cmake", "--install", "build/release", "--prefix", prefix], cwd=SOURCE,
                           check=True, capture_output=True)
            documents = next(pathlib.Path(prefix).glob("share/doc/resource?exporter"))
            configured = pathlib.Path(prefix, "etc")
            configured.mkdir()
            shutil.copytree(documents / "rules", configured / "rules")
            shutil.copy(documents / "prometheus.yml", configured)
            checked = subprocess.run(["promtool", "check", "config", configured / "prometheus.yml"],
                                     capture_output=True, text=True, check=False)
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
            self.assertIn(" rules found", checked.stdout)

    def test_the_excerpt_is_of_the_page(self):
        self.enter_namespace()
        excerpt = re.search(r"<!-- excerpt -->\n```\n(.*?)```", README, re.DOTALL).group(1)
        process = self.namespace.start("exec ./dev run")
        self.addCleanup(stop, process)
        wait_until("./dev run", self.ready(process, "http://localhost:8888/metrics"))
        _, page = self.namespace.run("curl -s http://localhost:8888/metrics")
        for line in excerpt.splitlines():
            if line.startswith("#"):
                self.assertIn(line + "\n", page)
            else:
                self.assertIn("\n" + re.split(r"[ {]", line)[0], page)


if __name__ == "__main__":
    unittest.main()
