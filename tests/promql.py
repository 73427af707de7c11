"""Enough of PromQL to see which series an expression reads, and how: a tokenizer, and a walk that
yields selectors and subqueries with the function that takes them. It accepts some text that
Prometheus does not; promtool is the judge of syntax."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|\#[^\n]*)
  | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
  | (?P<duration>(?:\d+(?:ms|[smhdwy]))+(?!\w))
  | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<name>[a-zA-Z_][\w:]*)
  | (?P<variable>\$\w+|\$\{[^}]+\})
  | (?P<sign>==|!=|=~|!~|>=|<=|[-+*/%^<>=(){}\[\],:@])
    """,
    re.VERBOSE,
)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}

_GROUPINGS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS = {"and", "or", "unless", "atan2", "bool", "offset", "inf", "nan"}
_CLOSING = {"(": ")", "{": "}", "[": "]"}


@dataclass(frozen=True)
class Selector:
    metric: str  # Empty when no single name is given.
    matchers: tuple[tuple[str, str, str], ...]  # (label, operator, value)
    window: str | None  # "20m", or a variable; None for an instant.
    function: str | None  # The innermost call around it.


@dataclass(frozen=True)
class Subquery:
    window: str
    step: str  # Empty for the default one.
    inner: tuple  # What it is made of.
    function: str | None


def seconds(duration):
    """1h30m as 5400; None for what is no duration, such as a variable."""
    if not re.fullmatch(r"(\d+(ms|[smhdwy]))+", duration):
        return None
    return sum(int(n) * _SECONDS[unit] for n, unit in re.findall(r"(\d+)(ms|[smhdwy])", duration))


def tokens(text):
    """(kind, text) of each token. Raises ValueError at what is none."""
    found, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if not match:
            raise ValueError(f"no token of PromQL: {text[place:place + 20]!r}")
        if match.lastgroup != "skip":
            found.append((match.lastgroup, match[0]))
        place = match.end()
    return found


def read(text):
    """The selectors and subqueries of an expression. Raises ValueError when it is not one."""
    return _Walk(tokens(text)).until(None, None)


class _Walk:
    def __init__(self, found):
        self._tokens = found
        self._next = 0

    def until(self, end, function):
        """What is read up to the sign `end`, which is taken too; None is the end of the text."""
        found, group = [], None  # group: what the parentheses just before hold
        while True:
            kind, text = self._take()
            if kind == "sign" and text == "[" and group is not None:
                window, step = self._window()
                found += [Subquery(window, step or "", tuple(group), function)]
                group = None
                continue
            found += group or []
            group = None
            if text is None or (kind == "sign" and text in _CLOSING.values()):
                if text != end:
                    raise ValueError(f"{text or 'the end'} where {end or 'the end'} belongs")
                return found
            if kind == "name":
                found, group = self._name(text, function, found)
            elif text == "{" and kind == "sign":
                found.append(self._selector("", function))
            elif text == "(" and kind == "sign":
                group = self.until(")", function)
            elif text == "[" and kind == "sign":
                raise ValueError("a range without a selector")

    def _name(self, text, function, found):
        """Takes what a name begins; returns what is found so far, and what a call holds."""
        word = text.lower()
        if word in _WORDS:
            return found, None
        if word in _GROUPINGS:
            if self._peek() == "(":
                while self._take()[1] not in (")", None):
                    pass
            return found, None
        if self._peek() == "(":
            self._take()
            return found, self.until(")", word)
        if (self._peek() or "").lower() in ("by", "without"):  # sum by (x) (...)
            return found, None
        return [*found, self._selector(text, function)], None

    def _selector(self, metric, function):
        matchers = []
        if not metric or self._peek() == "{":
            if metric:
                self._take()
            while (label := self._take()[1]) != "}":
                if label == ",":
                    continue
                operator, (kind, value) = self._take()[1], self._take()
                if kind not in ("string", "variable"):
                    raise ValueError(f"{label}{operator} without a string")
                matchers.append((label, operator, value.strip("\"'`")))
        for label, operator, value in matchers:
            if (label, operator) == ("__name__", "="):
                metric = value
        if self._peek() != "[":
            return Selector(metric, tuple(matchers), None, function)
        self._take()
        window, step = self._window()
        if step is not None:
            return Subquery(window, step, (Selector(metric, tuple(matchers), None, None),), function)
        return Selector(metric, tuple(matchers), window, function)

    def _window(self):
        """The range up to "]", and the step of a subquery: empty for the default one, None where
        it is none."""
        kind, window = self._take()
        if kind not in ("duration", "variable"):
            raise ValueError(f"no range: {window}")
        step = None
        while (text := self._take()[1]) != "]":
            if text is None:
                raise ValueError("a range without an end")
            step = "" if text == ":" else text
        return window, step

    def _peek(self):
        return self._tokens[self._next][1] if self._next < len(self._tokens) else None

    def _take(self):
        if self._next >= len(self._tokens):
            return None, None
        self._next += 1
        return self._tokens[self._next - 1]
