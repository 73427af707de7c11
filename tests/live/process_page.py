"""The exporter's page of processes, and an exporter that has nothing else on it."""

import contextlib
import os
import unittest
from pathlib import Path

from exporter_process import ExporterProcess, wait_for
from exposition import parse, value_of

_ONLY_PROCESSES = ("--collector.disable-defaults", "--collector.process")
_CAP_NET_ADMIN = 12
REASONS = ("normal", "error", "signal", "oom")


class Page:
    def __init__(self, exporter):
        status, headers, body = exporter.get()
        assert status == 200, status
        self.families = parse(body, headers["Content-Type"])

    def of(self, name, **labels):
        return value_of(self.families, name, **labels)

    def exits(self, group):
        """By reason; a group that is not there yet has had none."""
        return {reason: self.of("host_process_exited_total", groupname=group, reason=reason) or 0
                for reason in REASONS}

    def started(self, group):
        return self.of("host_process_started_total", groupname=group) or 0

    def cpu_seconds(self, group):
        return sum(self.of("namedprocess_namegroup_cpu_seconds_total", groupname=group, mode=mode)
                   or 0 for mode in ("user", "system"))


@contextlib.contextmanager
def start_exporter(source, *flags):
    """An exporter that knows all that runs now. The test is skipped where the kernel refuses the
    source; in CI it fails where the kernel has what the source needs, lest a test that always skips
    looks like one that passes."""
    arguments = (*_ONLY_PROCESSES, f"--collector.process.source={source}", *flags)
    with contextlib.ExitStack() as stack:
        try:
            exporter = stack.enter_context(ExporterProcess(arguments))
        except AssertionError as error:
            reason = str(error).partition("does not work here: ")[2].strip()
            if not reason or (os.environ.get("CI") == "true" and _must_work(source)):
                raise
            raise unittest.SkipTest(f"no {source}: {reason}") from None
        wait_for("two walks", lambda: Page(exporter).of("host_process_walks_total") >= 2)
        yield exporter


def _must_work(source):
    """As tests/support/process_watch.hpp and exits.hpp have it: for BPF, the CI is to be root."""
    if source == "bpf":
        return Path("/sys/kernel/btf/vmlinux").exists()
    return (source == "proc"
            or (_has_net_admin() and Path("/proc/sys/kernel/task_delayacct").exists()))


def _has_net_admin():
    status = Path("/proc/self/status").read_text()
    effective = int(status.partition("\nCapEff:")[2].split()[0], 16)
    return bool(effective >> _CAP_NET_ADMIN & 1)
