#!/usr/bin/python3
"""The model server's units under a real systemd: its port, its cage, a model anew, and bad ends.

Environment:
  RESOURCE_EXPORTER  the binary, in the build directory of the release preset
  MODEL_SERVER       that of the model server, beside it
  CACHE_DIR          where the container's root is kept between runs
"""

import json
import os
import re
import unittest
from pathlib import Path

from booted_service import BootedService
from model_server_process import form

URL = "http://127.0.0.1:8080"
UNITS = ("model_server.service", "model_server.socket")
SHIPPED = "/usr/share/model_server/models/bts"
OWN = "/srv/bts"
INPUT = form([[[0.1] * 6]]).decode()


class BootedServerTest(BootedService):
    SERVICE = "model_server"
    LENT_LIBRARIES_OF = (Path(os.environ["MODEL_SERVER"]).resolve(),)

    def setUp(self):
        self.container.run("rm", "-rf", OWN, "/etc/default/model_server")
        self.container.run("cp", "-r", SHIPPED, OWN)
        self.systemctl("stop", *UNITS)
        self.systemctl("reset-failed", *UNITS)
        self.systemctl("start", "model_server.socket")

    def test_first_request_starts_the_server_and_gets_its_answer(self):
        self.assertEqual(self.show("ActiveState"), "inactive")
        answer = self.container.get(f"{URL}/prediction", "--data", INPUT)
        self.assertTrue(answer, "no answer")
        self.assertRegex(json.loads(answer)["prediction_result"], r"^-?0\.\d+$")
        self.assertEqual((self.show("ActiveState"), self.show("NRestarts")), ("active", 0))

    def test_server_is_nobody_and_may_do_nothing(self):
        self.ask("/health")
        process = f"/proc/{self.show('MainPID')}"
        text = self.container.run("cat", f"{process}/status")
        status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        for uid in status["Uid"].split():
            self.assertIn(int(uid), range(61184, 65520))  # systemd's range for dynamic users.
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[capabilities], 16), 0, capabilities)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        devices = self.container.run("cat", f"{process}/net/dev").splitlines()[2:]
        self.assertEqual([line.split(":")[0].strip() for line in devices], ["lo"])

    def test_server_sees_nothing_and_can_write_nowhere(self):
        self.ask("/health")
        mounts = self.container.run("cat", f"/proc/{self.show('MainPID')}/mountinfo")
        by_place = {line.split()[4]: line.split() for line in mounts.splitlines()}
        self.assertIn("ro", by_place["/"][5].split(","))
        self.assertIn("subset=pid", by_place["/proc"][-1].split(","))
        self.assertIn("hidepid=invisible", by_place["/proc"][-1].split(","))
        self.assertIn("/home", by_place)  # Something empty is mounted there.

    def test_reload_serves_another_model_from_the_same_process(self):
        self.use(OWN)
        self.assertEqual(self.version(), "1")
        pid = self.show("MainPID")
        self.container.run("sed", "-i", 's/"version": "1"/"version": "2"/', f"{OWN}/manifest.json")
        self.systemctl("reload", self.SERVICE)
        self.wait_for("the new version", lambda: self.version() == "2")
        self.assertEqual((self.show("ActiveState"), self.show("MainPID")), ("active", pid))

    def test_reload_of_a_damaged_model_leaves_the_old_one(self):
        self.use(OWN)
        self.assertEqual(self.version(), "1")
        self.damage(OWN)
        self.systemctl("reload", self.SERVICE)
        failed = re.compile(r"^model_load_failures_total 1$", re.MULTILINE)
        self.wait_for("a failure", lambda: failed.search(self.ask("/metrics")))
        self.assertTrue(self.container.get(f"{URL}/prediction", "--data", INPUT))

    def test_killed_server_comes_back_and_no_request_is_refused(self):
        self.ask("/health")
        pid = self.show("MainPID")
        self.signal("KILL")
        self.wait_for("the end", lambda: self.show("MainPID") != pid)
        self.ask("/health")  # It waits in the socket.
        self.wait_for("another process is active", lambda: self.is_replaced(pid))

    def test_damaged_model_is_a_line_five_times_and_then_rest(self):
        self.write("/run/systemd/system/model_server.service.d/test.conf",
                   "[Service]\nRestartSec=100ms\n")
        self.addCleanup(self.container.run, "rm", "-r",
                        "/run/systemd/system/model_server.service.d")
        self.systemctl("daemon-reload")
        self.damage(OWN)
        self.container.run("journalctl", "--rotate", "--vacuum-time=1us")
        self.write("/etc/default/model_server", f"ARGS=--model={OWN}\n")
        self.assertIsNone(self.container.get(f"{URL}/v2/health/ready"))
        self.wait_for("rest", lambda: self.show("ActiveState") == "failed"
                      and self.show("SubState") == "failed")
        lines = self.container.run(
            "journalctl", "--quiet", "--output=cat", "SYSLOG_IDENTIFIER=model_server"
        ).splitlines()
        self.assertEqual(len(lines), 5, lines)
        for line in lines:
            self.assertRegex(line, f"^model_server: .*{OWN}")

    def use(self, folder):
        self.write("/etc/default/model_server", f"ARGS=--model={folder}\n")

    def damage(self, folder):
        self.container.run("truncate", "--size=1000", f"{folder}/model.onnx")

    def ask(self, path):
        answer = self.container.get(URL + path)
        self.assertIsNotNone(answer, path)
        return answer

    def version(self):
        [version] = json.loads(self.ask("/v2/models/bts"))["versions"]
        return version


if __name__ == "__main__":
    unittest.main()
