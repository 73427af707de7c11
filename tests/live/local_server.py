"""An HTTP server of a test's own, on 127.0.0.1."""

import http.server
import threading


class LocalServer(http.server.ThreadingHTTPServer):
    """Answers by `handler` for as long as its context lasts; by default on a free port."""

    daemon_threads = True

    def __init__(self, handler, port=0):
        super().__init__(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        # Asked to end, it looks only so often.
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request, client_address):
        """A client that leaves amid an answer is no news."""


class Handler(http.server.BaseHTTPRequestHandler):
    """Writes no line for each request."""

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass
