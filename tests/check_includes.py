#!/usr/bin/env python3
"""Checks the arrows between the rooms, as ROOMS below draws them, over the #include lines.

Prints `file:line: rule` for each violation and exits with 1 when there is one. With --self-test it
plants every kind of violation in a temporary tree and checks that each one is found.
"""

import argparse
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

MAX_LINES = 300


@dataclass(frozen=True)
class Room:
    may_include: tuple[str, ...] = ()  # Other rooms.
    posix: bool = True  # The headers of the C library and the kernel, next to std.
    libraries: str = ""  # What else may stand in <>: a pattern.


ROOMS = {
    "metrics": Room(posix=False),
    "procfs": Room(("metrics",)),
    "bpf": Room(("metrics",), libraries=r"bpf/(lib)?bpf\.h|malloc\.h"),
    "netlink": Room(("metrics",)),
    "collectors": Room(
        ("bpf", "netlink", "procfs", "metrics"), posix=False, libraries=r"yaml-cpp/|re2/"
    ),
    "http": Room(libraries=r"boost/"),
    "service": Room(("http", "procfs", "metrics"), libraries=r"boost/(?!beast)|spdlog/|CLI/"),
    "exporter": Room(
        ("service", "collectors", "procfs", "metrics", "http"), libraries=r"(?!boost/beast)"
    ),
    "model_server": Room(("service", "http"), libraries=r"(?!boost/beast)"),
}
# What looks at the rooms from outside; no room may look back.
OUTSIDERS = ("tests", "bench", "fuzz")

STD = re.compile(r"[a-z_0-9]+")
POSIX = re.compile(
    r"(sys|linux|net|netinet|arpa|asm)/.*|(dirent|errno|fcntl|glob|grp|ifaddrs|netdb|poll|pthread|pwd"
    r"|sched|signal|spawn|string|strings|syscall|time|unistd)\.h"
)
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)')


def check_quoted(folder, header):
    """The rule that `#include "header"` breaks in a file of `folder`, or None."""
    target, slash, _ = header.partition("/")
    if not slash or target not in (*ROOMS, *OUTSIDERS):
        return f'"{header}" must be a path from the top of the repository, or stand in <>'
    if target == folder or folder in OUTSIDERS and target in ROOMS:
        return None
    if target in OUTSIDERS:
        return f"nobody includes {target}/"
    if target not in ROOMS[folder].may_include:
        return f"{folder} must not include {target}"
    return None


def check_angled(folder, header):
    """The rule that `#include <header>` breaks in a file of `folder`, or None."""
    room = ROOMS.get(folder)
    if room and room.libraries and folder == header.partition("/")[0]:
        return None if re.match(room.libraries, header) else f'"{header}" must stand in quotes'
    if header.partition("/")[0] in (*ROOMS, *OUTSIDERS):
        return f'our own "{header}" must stand in quotes'
    if room is None or STD.fullmatch(header):
        return None
    if POSIX.fullmatch(header):
        return None if room.posix else f"{folder} makes no system calls: <{header}>"
    if room.libraries and re.match(room.libraries, header):
        return None
    if header.startswith("boost/beast"):
        return f"only http includes Boost.Beast: <{header}>"
    return f"{folder} must not use the library of <{header}>"


def check_file(path, folder):
    """Yields (line number, rule) for every violation in one file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if include := INCLUDE.match(line):
            check = check_quoted if include[1] == '"' else check_angled
            if rule := check(folder, include[2]):
                yield number, rule
    if len(lines) > MAX_LINES and folder != "tests":
        yield MAX_LINES + 1, f"a file has one subject and at most {MAX_LINES} lines"


def violations(root):
    """Yields (file, line, rule) for every violation below `root`; build trees are none of ours."""
    for path in sorted([*root.rglob("*.cpp"), *root.rglob("*.hpp")]):
        name = path.relative_to(root)
        folder = name.parts[0]
        if folder.startswith((".", "build")):
            continue
        if folder not in (*ROOMS, *OUTSIDERS):
            yield str(name), 1, "this folder is no room: see ROOMS in tests/check_includes.py"
            continue
        for line, rule in check_file(path, folder):
            yield str(name), line, rule


ALLOWED = {
    "metrics/a.cpp": '#include "metrics/a.hpp"\n#include <string_view>\n',
    "procfs/a.cpp": '#include <sys/stat.h>\n#include <unistd.h>\n#include "metrics/a.hpp"\n',
    "collectors/process/a.cpp": '#include "procfs/a.hpp"\n#include "metrics/a.hpp"\n',
    "collectors/process/b.cpp": "#include <re2/re2.h>\n#include <yaml-cpp/yaml.h>\n",
    "bpf/a.cpp": '#include <bpf/libbpf.h>\n#include "bpf/a.skel.h"\n#include "metrics/a.hpp"\n',
    "http/a.cpp": "#include <boost/beast/http.hpp>\n#include <sys/socket.h>\n",
    "service/a.cpp": '#include <spdlog/spdlog.h>\n#include "http/a.hpp"\n#include "procfs/a.hpp"\n',
    "exporter/a.cpp": '#include <boost/asio.hpp>\n#include <CLI/CLI.hpp>\n#include "service/a.hpp"\n',
    "model_server/client/a.cpp": '#include "service/a.hpp"\n#include "http/a.hpp"\n',
    "tests/http/a.cpp": '#include "tests/a.hpp"\n#include "http/a.hpp"\n' + "\n" * MAX_LINES,
    "build/dev/a.cpp": '#include "nowhere.hpp"\n',
}

# (file, its text, the line and a part of the rule that must be reported)
FORBIDDEN = [
    ("metrics/upward.cpp", '\n#include "procfs/a.hpp"\n', 2, "metrics must not include procfs"),
    ("metrics/posix.cpp", "#include <unistd.h>\n", 1, "no system calls"),
    ("procfs/upward.cpp", '#include "collectors/a.hpp"\n', 1, "procfs must not include collectors"),
    ("netlink/sideways.cpp", '#include "procfs/a.hpp"\n', 1, "netlink must not include procfs"),
    ("procfs/log.cpp", "#include <spdlog/spdlog.h>\n", 1, "must not use the library"),
    ("procfs/yaml.cpp", "#include <yaml-cpp/yaml.h>\n", 1, "must not use the library"),
    ("bpf/upward.cpp", '#include "procfs/a.hpp"\n', 1, "bpf must not include procfs"),
    ("bpf/angle.cpp", "#include <bpf/process_watch.hpp>\n", 1, "must stand in quotes"),
    ("collectors/libbpf.cpp", "#include <bpf/libbpf.h>\n", 1, "must stand in quotes"),
    ("procfs/zip.cpp", "#include <libdeflate.h>\n", 1, "must not use the library"),
    ("collectors/boost.cpp", "#include <boost/asio.hpp>\n", 1, "must not use the library"),
    ("collectors/flags.cpp", "  #  include <CLI/CLI.hpp>\n", 1, "must not use the library"),
    ("collectors/prom.hpp", "#include <prometheus/counter.h>\n", 1, "must not use the library"),
    ("collectors/posix.cpp", "#include <sys/stat.h>\n", 1, "no system calls"),
    ("http/metrics.cpp", '#include "metrics/sink.hpp"\n', 1, "http must not include metrics"),
    ("http/log.cpp", "#include <spdlog/spdlog.h>\n", 1, "must not use the library"),
    ("service/upward.cpp", '#include "exporter/a.hpp"\n', 1, "service must not include exporter"),
    ("service/beast.cpp", "#include <boost/beast.hpp>\n", 1, "only http includes Boost.Beast"),
    ("model_server/proc.cpp", '#include "procfs/a.hpp"\n', 1, "must not include procfs"),
    ("exporter/beast.cpp", "#include <boost/beast.hpp>\n", 1, "only http includes Boost.Beast"),
    ("exporter/model.cpp", '#include "model_server/a.hpp"\n', 1, "must not include model_server"),
    ("model_server/up.cpp", '#include "exporter/a.hpp"\n', 1, "must not include exporter"),
    ("procfs/test.cpp", '#include "tests/support/a.hpp"\n', 1, "nobody includes tests/"),
    ("tests/bench.cpp", '#include "bench/a.hpp"\n', 1, "nobody includes bench/"),
    ("procfs/relative.cpp", '#include "file_reader.hpp"\n', 1, "from the top of the repository"),
    ("procfs/climb.cpp", '#include "../metrics/a.hpp"\n', 1, "from the top of the repository"),
    ("procfs/angle.cpp", "#include <metrics/a.hpp>\n", 1, "must stand in quotes"),
    ("http/long.cpp", "\n" * (MAX_LINES + 1), MAX_LINES + 1, "at most"),
    ("utils/a.hpp", "", 1, "no room"),
]


def self_test():
    """True when exactly the planted violations are found."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for name, text in [*ALLOWED.items(), *((name, text) for name, text, _, _ in FORBIDDEN)]:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        found = list(violations(root))

    def planted(violation):
        name, line, rule = violation
        return any((name, line) == (f[0], f[2]) and f[3] in rule for f in FORBIDDEN)

    unexpected = [v for v in found if not planted(v)]
    missed = {f[0] for f in FORBIDDEN} - {name for name, _, _ in found}
    for name, line, rule in unexpected:
        print(f"self-test: unexpected {name}:{line}: {rule}")
    for name in sorted(missed):
        print(f"self-test: missed {name}")
    return not unexpected and not missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--self-test", action="store_true", help="check the checker")
    if parser.parse_args().self_test:
        return 0 if self_test() else 1

    found = list(violations(Path(__file__).resolve().parent.parent))
    for name, line, rule in found:
        print(f"{name}:{line}: {rule}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
