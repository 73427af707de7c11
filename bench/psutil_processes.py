#!/usr/bin/python3
"""What a user of psutil writes next: CPU time, memory and I/O of every process, on Python's server.

usage: psutil_processes.py PORT

Its series are one per process, and it keeps nothing from page to page.
"""
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import psutil

WANTED = ["pid", "name", "cpu_times", "memory_info", "io_counters"]


def lines_of(process):
    labels = '{pid="%d",comm="%s"}' % (process["pid"], process["name"])
    if times := process["cpu_times"]:
        yield f"process_cpu_user_seconds_total{labels} {times.user}"
        yield f"process_cpu_system_seconds_total{labels} {times.system}"
    if memory := process["memory_info"]:
        yield f"process_resident_bytes{labels} {memory.rss}"
        yield f"process_virtual_bytes{labels} {memory.vms}"
    if io := process["io_counters"]:
        yield f"process_read_bytes_total{labels} {io.read_bytes}"
        yield f"process_write_bytes_total{labels} {io.write_bytes}"


class MetricsHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        lines = [line for process in psutil.process_iter(WANTED) for line in lines_of(process.info)]
        page = ("\n".join(lines) + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), MetricsHandler).serve_forever()
