"""Shell commands in a network namespace of their own, where every documented port is free."""

import os
import pathlib
import signal
import subprocess
import unittest

SOURCE = pathlib.Path(os.environ["SOURCE_DIR"])
_DEADLINE_S = 60


class InNamespace:
    """Runs shell commands in a new network namespace with a loopback device."""

    def __init__(self):
        unshare = ["unshare", "--net"]
        if os.geteuid() != 0:
            unshare.append("--map-root-user")
        self.keeper = subprocess.Popen(
            unshare + ["bash", "-c", "ip link set lo up && echo up && exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.keeper.stdout.readline() != "up\n":
            raise unittest.SkipTest("this user may not make a network namespace")
        self.enter = ["nsenter", "--target", str(self.keeper.pid), "--net"]
        if os.geteuid() != 0:
            self.enter += ["--user", "--preserve-credentials"]

    def start(self, command):
        return subprocess.Popen(self.enter + ["bash", "-c", command], cwd=SOURCE, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                start_new_session=True)

    def run(self, command):
        process = self.start(command)
        output, _ = process.communicate(timeout=_DEADLINE_S)
        return process.returncode, output

    def close(self):
        self.keeper.stdin.close()
        self.keeper.stdout.close()
        self.keeper.wait()


def stop(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
    process.communicate(timeout=_DEADLINE_S)
