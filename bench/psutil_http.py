#!/usr/bin/python3
"""The exporter that tutorials show: three gauges of psutil on Python's own HTTP server.

usage: psutil_http.py PORT

Two lines make it better than the tutorials': it keeps connections open, and does not wait before
the second half of an answer. So it is compared at its best.
"""
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import psutil

PAGE = """\
# HELP cpu_percent CPU utilisation since the last scrape.
# TYPE cpu_percent gauge
cpu_percent {cpu_percent}
# HELP virtual_memory_free Free memory in bytes.
# TYPE virtual_memory_free gauge
virtual_memory_free {memory.free}
# HELP virtual_memory_percent Share of memory that is not available.
# TYPE virtual_memory_percent gauge
virtual_memory_percent {memory.percent}
"""


class MetricsHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        cpu_percent, memory = psutil.cpu_percent(), psutil.virtual_memory()
        page = PAGE.format(cpu_percent=cpu_percent, memory=memory).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), MetricsHandler).serve_forever()
