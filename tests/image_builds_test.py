#!/usr/bin/python3
"""What compiles in the Dockerfiles, without compiling: their lines of cmake, on what their context
holds, and the packages that they install.

Environment: SOURCE_DIR, the top of the repository.
"""

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ["SOURCE_DIR"])
IGNORED = [line for line in (SOURCE / ".dockerignore").read_text().splitlines()
           if line and not line.startswith("#")]


def stages_of(dockerfile):
    """Of each stage its instructions: (name, rest of the line)."""
    text = (SOURCE / dockerfile).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    stages = []
    for name, rest in (line.split(maxsplit=1) for line in lines):
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, rest))
    return stages


def commands_of(stages, start):
    """The shell commands of all stages that begin so."""
    commands = [command.strip() for stage in stages for name, rest in stage if name == "RUN"
                for command in rest.split("&&")]
    return [command for command in commands if re.match(start, command)]


def is_ignored(path):
    """Whether .dockerignore keeps this path, relative to the top, out of the context."""
    return any(fnmatch.fnmatch(path.name, pattern.removeprefix("**/"))
               if pattern.startswith("**/") else str(path) == pattern for pattern in IGNORED)


def copy_context(to):
    def ignored(directory, names):
        below = Path(directory).relative_to(SOURCE)
        return [name for name in names if is_ignored(below / name)]

    shutil.copytree(SOURCE, to, ignore=ignored)


def packages_in(section):
    """The names in that section of packages.txt, which must be there."""
    [names] = re.findall(rf"^\[{section}\]\n(.*?)(?=^\[|\Z)", (SOURCE / "packages.txt").read_text(),
                         re.DOTALL | re.MULTILINE)
    return {name for line in names.splitlines() if (name := line.partition("#")[0].strip())}


class _Image:
    """A Dockerfile that builds programs."""

    DOCKERFILE = ""

    @classmethod
    def setUpClass(cls):
        cls.stages = stages_of(cls.DOCKERFILE)

    def shell(self, command, directory=SOURCE):
        done = subprocess.run(["sh", "-c", command], cwd=directory, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_its_lines_of_cmake_build_what_it_installs(self):
        configure, build = commands_of(self.stages, "cmake ")
        [install] = commands_of(self.stages, "install ")
        programs = re.findall(r" build/release/(\S+)", install)
        self.assertTrue(programs)
        with tempfile.TemporaryDirectory() as directory:
            context = Path(directory) / "context"
            copy_context(context)
            self.shell(configure, context)
            plan = self.shell(build + " -- -n", context)
        for program in programs:
            self.assertRegex(plan, rf"(?m)Linking CXX executable {program}$")

    def test_what_it_copies_is_in_the_context(self):
        copied = [shlex.split(rest)[:-1] for stage in self.stages for name, rest in stage
                  if name == "COPY" and not rest.startswith("--from=")]
        self.assertTrue(copied)
        for path in map(Path, sum(copied, [])):
            self.assertTrue((SOURCE / path).exists(), path)
            self.assertFalse([part for part in (path, *path.parents) if is_ignored(part)], path)

    def test_the_packages_of_its_programs_are_debians(self):
        [install] = commands_of(self.stages, "apt-get install ")
        names = [word for word in shlex.split(install)[2:] if not word.startswith("-")]
        self.assertTrue(names)
        self.shell(shlex.join(["dpkg-query", "--show", *names]))

    def test_it_compiles_with_the_packages_of_its_sections(self):
        [command] = commands_of(self.stages, "sed .* packages.txt")
        listing, _, install = command.rpartition("|")
        self.assertRegex(install.strip(), r"^xargs apt-get install ")
        sections = re.findall(r"\\\[(\w+)\\\]", listing)
        self.assertIn("build", sections)
        found = self.shell(listing).split()
        self.assertEqual(set(found), set().union(*map(packages_in, sections)))
        self.shell(shlex.join(["dpkg-query", "--show", *found]))


class ExporterTest(_Image, unittest.TestCase):
    DOCKERFILE = "Dockerfile"


class ModelServerTest(_Image, unittest.TestCase):
    DOCKERFILE = "model_server/Dockerfile"


if __name__ == "__main__":
    unittest.main()
