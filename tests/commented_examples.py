"""Examples in our configuration files, commented out: they begin after a line `# Example NAME. ...`.
Lines of an example have no space, or two, after the #; lines with one space explain."""

import re

_BEGIN = re.compile(r"\s*# Example (\w+)\.")
_CODE = re.compile(r"(\s*)#(\S.*|  .*)")


def names(text):
    """Of the examples in it, in order."""
    return list(dict.fromkeys(m[1] for m in map(_BEGIN.match, text.splitlines()) if m))


def with_examples(text, wanted):
    """The text with the examples of these names in force."""
    lines, name = [], None
    for line in text.splitlines():
        if begin := _BEGIN.match(line):
            name = begin[1]
        code = _CODE.fullmatch(line)
        if not line.lstrip().startswith("#"):
            name = None
        lines.append(code[1] + code[2] if code and name in wanted else line)
    return "\n".join([*lines, ""])
