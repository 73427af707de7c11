#!/usr/bin/python3
"""./dev demo as users run it, in a network namespace, where its ports are free.

Environment: SOURCE_DIR, the top of the repository.
"""

import os
import re
import signal
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from exporter_process import wait_for
from network_namespace import InNamespace, stop

START_SECONDS = 60.0  # It looks whether there is anything to build, first.
STOP_SECONDS = 15.0
PROGRAMS = ("exporter", "model server", "load client", "Prometheus", "Alertmanager")
ADDRESS = re.compile(r"^(.+): +(http://localhost:\d+\S*)$", re.MULTILINE)


def children_of(pid):
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


class DemoTest(unittest.TestCase):
    def setUp(self):
        self.namespace = InNamespace()
        self.addCleanup(self.namespace.close)

    def start(self):
        """What it has said is in the list self.said from then on."""
        self.temporary = self.enterContext(tempfile.TemporaryDirectory())
        process = self.namespace.start(f"TMPDIR={self.temporary} exec ./dev demo --fast")
        self.said = []
        reader = threading.Thread(target=lambda: self.said.extend(process.stdout))
        reader.start()
        self.addCleanup(process.stdout.close)
        self.addCleanup(reader.join)
        self.addCleanup(lambda: process.poll() is None and os.killpg(process.pid, signal.SIGKILL))
        return process

    def text(self):
        return "".join(self.said)

    def test_starts_answers_and_stops_without_a_trace(self):
        process = self.start()
        wait_for("its addresses", lambda: "Ctrl-C to stop" in self.text(), START_SECONDS, self.text)
        addresses = dict(ADDRESS.findall(self.text()))
        self.assertEqual(set(addresses), set(PROGRAMS))
        for address in addresses.values():
            status, output = self.namespace.run(f"curl --silent --fail --location {address}")
            self.assertEqual(status, 0, address)
            self.assertTrue(output, address)
        pids = children_of(process.pid)
        self.assertEqual(len(pids), len(PROGRAMS))

        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(STOP_SECONDS), 0, self.text())
        self.assertEqual([pid for pid in pids if Path(f"/proc/{pid}").exists()], [])
        self.assertEqual(os.listdir(self.temporary), [])

    def test_is_over_when_one_of_its_programs_is(self):
        process = self.start()
        wait_for("its addresses", lambda: "Ctrl-C to stop" in self.text(), START_SECONDS, self.text)
        pids = children_of(process.pid)
        [server] = [pid for pid in pids if "model_server" in os.readlink(f"/proc/{pid}/exe")]
        os.kill(server, signal.SIGTERM)
        self.assertEqual(process.wait(STOP_SECONDS), 1, self.text())
        self.assertIn("the model server ended:", self.text())
        self.assertEqual([pid for pid in pids if Path(f"/proc/{pid}").exists()], [])

    def test_port_that_is_taken_is_one_line(self):
        other = self.namespace.start("exec /usr/bin/python3 -m http.server --bind 127.0.0.1 9093")
        self.addCleanup(stop, other)
        taken = "curl --silent --output /dev/null http://127.0.0.1:9093/"
        wait_for("somebody else", lambda: self.namespace.run(taken)[0] == 0, START_SECONDS)
        done = subprocess.run(
            [*self.namespace.enter, "./dev", "demo"],
            cwd=os.environ["SOURCE_DIR"], capture_output=True, text=True, timeout=START_SECONDS,
        )
        self.assertEqual(done.returncode, 1)
        self.assertEqual(
            done.stderr.splitlines()[-1], "demo: port 9093, for the Alertmanager, is taken"
        )


if __name__ == "__main__":
    unittest.main()
