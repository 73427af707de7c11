"""The bucket edges of the exporter's histograms, read from the table that the exporter is made of:
only what a rule or a document needs, each metric's name and its `le` values as a page shows them."""

import re
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "collectors/signals/table.cpp"

_ARRAY = re.compile(r"constexpr std::array (k\w+Edges) = \{([^}]*)\};")
_HISTOGRAM = re.compile(r'\{"(\w+)",\s*(?:"[^"]*"\s*)+,\s*histogram_and_peak,\s*(\w+)')


def shown(edge):
    """An edge as the encoder writes it: 0.05, 1.0, 1e+06, 1.25e+07."""
    if 1e-4 <= abs(edge) < 1e6 or edge == 0:
        return repr(edge)
    digits = next(n for n in range(17) if float(f"{edge:.{n}e}") == edge)
    return f"{edge:.{digits}e}"


def read_edges(table):
    """{"host_cpu_busy_ratio": ["0.05", ...], ...} of the table's text. Raises ValueError when a part
    of it is not understood."""
    arrays = {
        name: [float(edge) for edge in edges.split(",")] for name, edges in _ARRAY.findall(table)
    }
    histograms = _HISTOGRAM.findall(table)
    if not histograms or len(histograms) != len(re.findall(r"\bhistogram_and_peak\b", table)):
        raise ValueError(f"{len(histograms)} histograms, not as many as have the form of one")
    unknown = {edges for _, edges in histograms} - arrays.keys()
    if unknown:
        raise ValueError(f"no edges by the name of {', '.join(sorted(unknown))}")
    return {f"host_{name}": [shown(edge) for edge in arrays[edges]] for name, edges in histograms}


def edges():
    return read_edges(TABLE.read_text())


def check_le(selector, known):
    """What is wrong with the `le` of a selector of a histogram's buckets."""
    name = selector.metric.removesuffix("_bucket")
    for label, operator, value in selector.matchers:
        if label != "le" or not selector.metric.startswith("host_"):
            continue
        if name not in known:
            yield f"{selector.metric}: no histogram of the exporter"
        elif operator != "=":
            yield f'{selector.metric}: select one edge by le="..."'
        elif value not in (*known[name], "+Inf"):
            yield f'{selector.metric}: no edge le="{value}", only {", ".join(known[name])}'
