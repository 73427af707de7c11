"""What fires, looked at all the time that a test waits: what is expected, and nothing else."""

import time
from pathlib import Path

from exporter_process import wait_for

# What the alerts of the host stand on, to judge a failure by.
_LOAD = (
    "{__name__=~'instance:host_(cpu_busy_seconds|tasks_blocked|seconds_sampled).*20m"
    "|.*host_pressure_ratio:mean20m'}"
)


class AlertWatch:
    """Knows which alerts must fire (`firing`) and which may (`moving`), for they begin or end; and
    of which it has told that they fired when they must not, or did not (`amiss`)."""

    def __init__(self, test, system):
        self._test = test
        self._system = system
        self.firing = set()
        self.moving = set()
        self.amiss = set()

    def may_begin_or_end(self, *alerts):
        """From now on nothing is said of them."""
        self.firing -= set(alerts)
        self.moving |= set(alerts)

    def wait_until_they_fire(self, *alerts, seconds):
        """From then on they must."""
        self.may_begin_or_end(*alerts)
        self._wait(f"{', '.join(alerts)} fire", lambda found: found >= set(alerts), seconds)
        self.moving -= set(alerts)
        self.firing |= set(alerts)

    def wait_until_they_end(self, *alerts, seconds):
        self.may_begin_or_end(*alerts)
        self._wait(f"{', '.join(alerts)} end", lambda found: not found & set(alerts), seconds)
        self.moving -= set(alerts)

    def stay_as_it_is(self, seconds):
        end = time.monotonic() + seconds
        self._wait("no other alert", lambda _: time.monotonic() >= end, seconds + 10)

    def _wait(self, what, condition, seconds):
        begin = time.monotonic()
        wait_for(what, lambda: condition(self._look()), seconds, self._load, pause=0.1)
        print(f"{time.monotonic() - begin:5.1f} s: {what}", flush=True)

    def _look(self):
        """The names of those that have arrived at Alertmanager and not ended."""
        found = {alert["labels"]["alertname"] for alert in self._system.alertmanager.api("alerts")}
        amiss = (self.firing - found) | (found - self.firing - self.moving)
        self.amiss |= amiss
        self.may_begin_or_end(*amiss)  # Once is enough of a failure.
        self._test.assertEqual(amiss, set(), f"fire: {found}\n{self._load()}")
        return found

    def _load(self):
        series = self._system.prometheus.query(_LOAD)
        lines = [f"{one['metric']} {one['value'][1]}" for one in series]
        return "\n".join([
            "Other work on this host, too, may have it tell HostCpuSaturated or HostDiskSaturated.",
            f"load {Path('/proc/loadavg').read_text()}",
            *lines,
        ])
