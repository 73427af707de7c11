"""The model server as users run it, for the live tests; the program is $MODEL_SERVER.

    with ModelServerProcess() as server:
        server.predict([[[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]]])
"""

import json
import os
import re
import urllib.parse
import urllib.request

from exporter_process import ExporterProcess
from exposition import parse

MODELS = os.path.join(os.environ["SOURCE_DIR"], "model_server", "models")
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
INFER = "/v2/models/bts/infer"

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def form(inputs):
    """The body that a form with these inputs has."""
    return urllib.parse.urlencode({"inputs": json.dumps(inputs)}).encode()


def inference(rows, **members):
    """The body of a v2 request for these rows of six."""
    tensor = {"name": "input", "shape": [len(rows), 6, 1], "datatype": "FP32"}
    data = [value for row in rows for value in row]
    return json.dumps({"inputs": [{**tensor, "data": data}], **members}).encode()


class ModelServerProcess(ExporterProcess):
    """One running server, of the repository's model unless the arguments say otherwise."""

    PROGRAM = "MODEL_SERVER"

    def __init__(self, args=(), **options):
        args = list(args)
        if not any(arg.startswith("--model") for arg in args):
            args.append(f"--model={MODELS}/bts")
        if not any(arg.startswith("--drain-time") for arg in args):
            args.append("--drain-time=0s")  # No load balancer has to notice.
        super().__init__(args, **options)

    def post(self, path, body, content_type=JSON):
        """The JSON that is answered to a POST by urllib; fails for any status but 200."""
        request = urllib.request.Request(
            self.url + path, body, {"Content-Type": content_type} if content_type else {}
        )
        with _opener.open(request, timeout=10) as response:
            return json.load(response)

    def predict(self, inputs):
        """The prediction for a form, as a number."""
        return float(self.post("/prediction", form(inputs), None)["prediction_result"])

    def infer(self, rows, **members):
        """The predictions for these rows."""
        return self.post(INFER, inference(rows, **members))["outputs"][0]["data"]

    def page(self):
        """The families on the metrics page."""
        status, headers, body = self.get("/metrics")
        assert status == 200, status
        return parse(body, headers["Content-Type"])

    def resident_kib(self):
        """Resident memory."""
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))
