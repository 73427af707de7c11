#!/usr/bin/python3
"""The Debian packages: lintian has nothing to say, and in a booted Debian they install, serve, and
go, as packages do.

Environment:
  RESOURCE_EXPORTER  the binary, in the build directory of the release preset
  MODEL_SERVER       that of the model server, beside it
  CACHE_DIR          where the container's root is kept between runs
"""

import os
import tempfile
import unittest
from pathlib import Path

from booted_service import BINARY, BootedContainer
from container import output_of, run

SERVER = Path(os.environ["MODEL_SERVER"]).resolve()
PACKAGES = ("resource-exporter", "model-server")
UNITS = {
    "resource-exporter": ("resource_exporter.service",),
    "model-server": ("model_server.socket", "model_server.service"),
}
SETTINGS = {
    "resource-exporter": ("/etc/default/resource_exporter",),
    "model-server": ("/etc/default/model_client", "/etc/default/model_server"),
}
CHANGED = "ARGS=\n"
PAGES = {
    "resource-exporter": "http://127.0.0.1:8888/metrics",
    "model-server": "http://127.0.0.1:8080/metrics",
}


def make_packages(directory):
    """Name -> file, of those that cpack makes of the release build."""
    config = BINARY.parent / "CPackConfig.cmake"
    output_of("cpack", f"--config={config}", "-B", directory)
    return {path.name.partition("_")[0]: path for path in Path(directory).glob("*.deb")}


class PackageTest(BootedContainer):
    """The packages of the release build, and a Debian that has neither of them at first."""

    LENT_LIBRARIES_OF = (SERVER,)

    @classmethod
    def setUpClass(cls):
        directory = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.packages = make_packages(directory)
        super().setUpClass()

    @classmethod
    def files_in(cls, stage):
        return {path: f"/packages/{name}.deb" for name, path in cls.packages.items()}

    def test_lintian_has_nothing_to_say(self):
        done = run("lintian", "--fail-on=error,warning", *self.packages.values())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_exporter_depends_on_nothing_of_opencv(self):
        depends = {
            name: output_of("dpkg-deb", "--field", path, "Depends")
            for name, path in self.packages.items()
        }
        self.assertIn("libopencv-dnn", depends["model-server"])
        self.assertNotIn("opencv", depends["resource-exporter"])
        # Some of them are linked in; the rest is what every small C++ program needs.
        self.assertLessEqual(len(depends["resource-exporter"].split(", ")), 8, depends)

    def test_life_of_a_package(self):
        for name in PACKAGES:
            with self.subTest(name):
                self.install(name)
                self.assert_units_are(name, "enabled", "active")
                self.change_settings(name)
                before = self.main_pid(name)
                self.install(name)  # What an upgrade does.
                self.assert_units_are(name, "enabled", "active")
                self.assertNotEqual(self.main_pid(name), before)

                self.dpkg("--remove", name)
                self.assert_units_are(name, "masked", "inactive")
                self.assertIsNone(self.container.get(PAGES[name]))
                self.assertTrue(self.settings_are_changed(name))
                self.install(name)
                self.assert_units_are(name, "enabled", "active")
                self.assertTrue(self.settings_are_changed(name))

                self.systemctl("disable", "--now", *UNITS[name])
                self.install(name)
                self.assert_units_are(name, "disabled", "inactive")
                self.dpkg("--purge", name)
                self.assert_nothing_is_left(name)

    def dpkg(self, action, *arguments):
        # Of OpenCV the container has the libraries, and not the packages.
        return self.container.run("dpkg", "--force-depends", action, *arguments)

    def install(self, name):
        self.dpkg("--install", f"/packages/{name}.deb")

    def state(self, name, what):
        """A word for each unit of the package."""
        script = f"systemctl is-{what} {' '.join(UNITS[name])} || true"  # It fails for all but one.
        return self.container.run("sh", "-c", script).split()

    def assert_units_are(self, name, enabled, active):
        self.assertEqual(set(self.state(name, "enabled")), {enabled})
        self.wait_for(active, lambda: set(self.state(name, "active")) == {active})
        if active == "active":
            self.wait_for("a page", lambda: self.container.get(PAGES[name]))

    def main_pid(self, name):
        return self.systemctl("show", "--value", "--property=MainPID", UNITS[name][-1])

    def change_settings(self, name):
        for path in SETTINGS[name]:
            self.assertRegex(self.container.run("cat", path), "(?m)^#ARGS=")
            self.write(path, CHANGED)

    def settings_are_changed(self, name):
        return all(self.container.run("cat", path) == CHANGED for path in SETTINGS[name])

    def assert_nothing_is_left(self, name):
        owned = name.replace("-", "_")
        found = self.container.run(
            "find", "/etc", "/lib/systemd/system", "/usr/bin", "/usr/share", "/var/lib/systemd",
            "-name", f"*{owned}*", "-o", "-name", f"*{name}*", "-o", "-lname", f"*{owned}*",
        )  # fmt: skip
        self.assertEqual(found, "")


if __name__ == "__main__":
    unittest.main()
