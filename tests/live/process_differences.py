"""What of process-exporter's page is not on ours, what is otherwise there, and by how much: each
with the reason."""

import os
from typing import NamedTuple

from process_workload import unique

GROUP = "namedprocess_namegroup_"
FILES_ONLY = ("taskstats", "proc")
SOURCES = ("bpf", *FILES_ONLY)


class Missing(NamedTuple):
    """Series of process-exporter that are not ours: of a family, or of a label's value, or both."""

    why: str
    name: str = ""
    label: tuple = ()
    sources: tuple = SOURCES

    def has(self, series):
        return self.name in ("", series.name) and (
            not self.label or self.label in series.labels)


# Threads and smaps are options, which process_details_test.py compares.
MISSING = (
    *(Missing("single threads", GROUP + name) for name in (
        "thread_context_switches_total", "thread_count", "thread_cpu_seconds_total",
        "thread_io_bytes_total", "thread_major_page_faults_total",
        "thread_minor_page_faults_total", "threads_wchan")),
    *(Missing("counters without _total; host_process_unreadable_total tells",
              f"namedprocess_scrape_{errors}errors") for errors in ("", "procread_", "partial_")),
    *(Missing("smaps", GROUP + "memory_bytes", ("memtype", memory))
      for memory in ("proportionalResident", "proportionalSwapped")),
)
# What both have, and process-exporter tells otherwise.
OTHERWISE = (
    # Theirs are of all threads, and of the main one twice (process-exporter's issue 338).
    Missing("ours are of processes", GROUP + "states", ("groupname", unique("threads"))),
    # Of several threads, /proc has those of each only: with an option of its own.
    Missing("ours are of single threads", GROUP + "context_switches_total",
            ("groupname", unique("threads")), FILES_ONLY),
    Missing("the last switch comes after the kernel tells of the exit",
            GROUP + "context_switches_total", ("groupname", unique("zombie")), ("taskstats",)),
    # A child that was waited for: they know its storage only, which the kernel adds to its parent.
    *(Missing("theirs lacks who is gone", GROUP + name, ("groupname", unique("reaper")))
      for name in ("cpu_seconds_total", "major_page_faults_total", "minor_page_faults_total",
                   "context_switches_total")),
    *(Missing("ours has the child twice, or what was seen of it", GROUP + name, ("groupname", unique("reaper")),
              sources=FILES_ONLY) for name in ("read_bytes_total", "write_bytes_total")),
)


def rss_error_bytes():
    """Of one process in /proc/PID/stat, and before Linux 6.16 in statm: what CPUs keep to
    themselves, of pages of three kinds."""
    cpus = os.sysconf("SC_NPROCESSORS_CONF")
    return 3 * cpus * max(32, 2 * cpus) * os.sysconf("SC_PAGE_SIZE")


def has_exact_statm():
    return tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 16)
