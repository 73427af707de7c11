"""The load client as users run it, for the live tests; the program is $MODEL_CLIENT."""

from exporter_process import ExporterProcess
from exposition import TEXT, parse, series_of

REASONS = ("unresolved", "unreachable", "deadline", "disconnected", "malformed", "overloaded",
           "refused", "server_error")


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
