"""The load client as users run it, for the live tests; the program is $MODEL_CLIENT."""

import os
import subprocess
import unittest

from exporter_process import ExporterProcess
from exposition import TEXT, parse, series_of

REASONS = ("unresolved", "unreachable", "deadline", "disconnected", "malformed", "overloaded",
           "refused", "server_error")


def with_hosts(path):
    """A command that runs another, whose /etc/hosts is the file at `path`."""
    command = ["unshare", "--mount"]
    if os.geteuid() != 0:
        command.append("--map-root-user")
    command += ["sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', path]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode != 0:
        raise unittest.SkipTest("this user may not mount a file")
    return command


class ModelClient(ExporterProcess):
    """One running client."""

    PROGRAM = "MODEL_CLIENT"

    def metric(self, name, **labels):
        """The value of one series; None when it is not on the page."""
        page = series_of(parse(self.get()[2], TEXT))
        return next((value for series, value in page.items()
                     if series.name == name and dict(series.labels) == labels), None)

    def failures(self):
        """Reason -> count, of those that are not 0."""
        counts = {reason: self.metric("model_client_failures_total", reason=reason)
                  for reason in REASONS}
        return {reason: count for reason, count in counts.items() if count}
