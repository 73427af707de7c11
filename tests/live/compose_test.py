#!/usr/bin/python3
"""docker-compose.yml as users start it, by Debian's docker-compose and with podman as the engine.

No registry is asked. Our images are those of the Dockerfiles, but for what compiles: programs that
are built already are put into the same runtime stage. Prometheus and Alertmanager are Debian's, in
images of the names that the file has; there is no Grafana to be had.

Environment:
  RESOURCE_EXPORTER, MODEL_SERVER, MODEL_CLIENT  the programs of the release preset
  SOURCE_DIR                                     the top of the repository
  CACHE_DIR                                      where a Debian's root is kept between runs
"""

import concurrent.futures
import json
import os
import re
import shutil
import unittest
import urllib.parse
from pathlib import Path

import yaml
from container import debian_root, output_of, run
from exporter_process import wait_for
from podman import Podman, reason_to_skip

SOURCE = Path(os.environ["SOURCE_DIR"])
FILE = SOURCE / "docker-compose.yml"
SERVICES = yaml.safe_load(FILE.read_text())["services"]
STARTED = [name for name in SERVICES if name != "grafana"]
OURS = {
    "resource_exporter": ("Dockerfile", ["RESOURCE_EXPORTER"]),
    "model_server": ("model_server/Dockerfile", ["MODEL_SERVER", "MODEL_CLIENT"]),
}
DEBIANS = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}
BASE = "docker.io/library/debian:bookworm-slim"


def wrong_of(compose_file):
    """What docker-compose finds wrong in a file; None when nothing is."""
    done = run("docker-compose", f"--file={compose_file}", "config", "--quiet")
    return done.stderr if done.returncode else None


class FileTest(unittest.TestCase):
    def test_it_is_valid(self):
        self.assertIsNone(wrong_of(FILE))

    def test_no_service_has_a_privilege_or_can_write_but_its_data(self):
        for name, service in SERVICES.items():
            with self.subTest(name):
                self.assertIs(service.get("read_only", False), name != "grafana")
                self.assertEqual(service.get("cap_drop"), ["ALL"])
                self.assertIn("no-new-privileges:true", service.get("security_opt", []))

    def test_an_unknown_key_would_be_found(self):
        wrong = FILE.with_name(f"{FILE.name}.{os.getpid()}")
        self.addCleanup(wrong.unlink)
        wrong.write_text(FILE.read_text().replace("read_only:", "readonly:", 1))
        self.assertIn("'readonly'", wrong_of(wrong))


class PackagesTest(unittest.TestCase):
    """Each image installs the packages of the libraries that its programs are linked with."""

    def test_each_library_has_its_package_and_no_package_is_idle(self):
        for image, (dockerfile, programs) in OURS.items():
            runtime = (SOURCE / dockerfile).read_text().partition(" AS build")[0]
            installed = set(re.findall(r"\blib[a-z][\w.+-]+", runtime))
            needed = set()
            for program in programs:
                dynamic = run("readelf", "--dynamic", os.environ[program]).stdout
                needed.update(re.findall(r"\[lib([\w+-]+)\.so", dynamic))
            needed -= {"c", "gcc_s", "m", "stdc++", "fmt"}  # In every Debian; spdlog's own.
            with self.subTest(image):
                self.assertEqual(
                    {re.match(r"lib([a-z-]+?)-?[\d.]*$", name).group(1) for name in installed},
                    {name.replace("_", "-") for name in needed})


class StackTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if reason := reason_to_skip():
            raise unittest.SkipTest(reason)
        cls.podman = cls.enterClassContext(Podman())
        binary = Path(os.environ["RESOURCE_EXPORTER"]).resolve()
        cls.podman.import_root(debian_root(Path(os.environ["CACHE_DIR"]), binary), BASE)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            built = [pool.submit(cls.build_ours, name) for name in OURS]
            built += [pool.submit(cls.build_debians, name) for name in DEBIANS]
            for image in built:
                image.result()
        cls.podman.serve()
        cls.addClassCleanup(cls.take_down)
        cls.compose("up", "-d", "--no-build", *STARTED)
        wait_for("every target is up", cls.are_all_up, 60.0, lambda: cls.compose("logs"), 0.2)

    @classmethod
    def build_ours(cls, image):
        dockerfile, programs = OURS[image]
        cls.podman.build(f"{image}_runtime", "--target=runtime", f"--file={SOURCE / dockerfile}",
                         SOURCE)
        names = [Path(os.environ[program]).name for program in programs]
        cls.build_with(image, f"FROM {image}_runtime\nCOPY {' '.join(names)} /usr/bin/\n",
                       {name: os.environ[program] for name, program in zip(names, programs)})

    @classmethod
    def build_debians(cls, name):
        """Like the one that the project publishes: the same places, the same user."""
        cls.build_with(
            f"docker.io/{SERVICES[name]['image']}",
            f"FROM {BASE}\nCOPY {name} /bin/\nCOPY share /usr/share/prometheus/\n"
            f"RUN install -d -o nobody -g nogroup /{name}\n"
            f'USER nobody\nENTRYPOINT ["/bin/{name}"]\n',
            {name: shutil.which(DEBIANS[name]), "share": "/usr/share/prometheus"})

    @classmethod
    def build_with(cls, image, dockerfile, files):
        context = cls.podman.directory / image.replace("/", ".")
        context.mkdir()
        (context / "Dockerfile").write_text(dockerfile)
        for name, path in files.items():
            output_of("cp", "--recursive", path, context / name)
        cls.podman.build(image, context)

    @classmethod
    def compose(cls, *arguments):
        """docker-compose with the file as it is, but for the pace of Prometheus' scrapes."""
        often = cls.podman.directory / "prometheus.yml"
        often.write_text(re.sub(r"(scrape_interval|scrape_timeout): \w+", r"\1: 2s",
                                (SOURCE / "prometheus.yml").read_text()))
        services = {name: {"cgroup_parent": cls.podman.cgroup_parent} for name in STARTED}
        services["prometheus"]["volumes"] = [f"{often}:/etc/prometheus/prometheus.yml:ro"]
        override = cls.podman.directory / "override.yml"
        override.write_text(json.dumps({"services": services}))  # JSON is YAML, too.
        return cls.podman.compose(f"--file={FILE}", f"--file={override}", "--project-name=test",
                                  *arguments)

    @classmethod
    def query(cls, expression):
        """The result of an instant query; empty while Prometheus does not answer."""
        parameter = urllib.parse.quote(expression)
        body = cls.podman.get(f"http://127.0.0.1:9090/api/v1/query?query={parameter}")
        return json.loads(body)["data"]["result"] if body else []

    @classmethod
    def are_all_up(cls):
        jobs = yaml.safe_load((SOURCE / "prometheus.yml").read_text())["scrape_configs"]
        targets = {target for job in jobs for config in job["static_configs"]
                   for target in config["targets"]}
        up = {result["metric"]["instance"] for result in cls.query("up == 1")}
        return targets == up and len(cls.query("resource_exporter_upstream_up == 1")) == 2

    @classmethod
    def take_down(cls):
        """As users do; after it nothing may be left."""
        cls.compose("down", "--volumes")
        lists = ("container list --all --quiet", "volume list --quiet",
                 "network ls --format={{.Name}}")
        left = [name for command in lists for name in cls.podman.ask(*command.split())]
        if left != ["podman"]:  # The network that podman always has.
            raise AssertionError(f"left behind: {left}")

    def process_of(self, service):
        """Its process: a directory of /proc that the host of the containers sees."""
        [pid] = self.podman.ask("inspect", "--format={{.State.Pid}}", f"test_{service}_1")
        return Path("/proc") / pid

    def status_of(self, service):
        """What /proc/PID/status says of its process, by name."""
        lines = self.podman.inside("cat", self.process_of(service) / "status").splitlines()
        return dict(line.split(":\t", 1) for line in lines)

    def test_prometheus_has_the_host_and_the_model(self):
        for job, family in (
            ("Resource_monitoring", "cpu_percent"),
            ("Resource_monitoring", "node_cpu_seconds_total"),
            ("Resource_monitoring", "namedprocess_namegroup_num_procs"),
            ("BTS_model", "model_info"),
            ("BTS_model", "model_requests_total"),
        ):
            with self.subTest(family):
                self.assertTrue(self.query(f'{family}{{job="{job}"}}'))

    def test_the_client_is_answered(self):
        self.assertTrue(wait_for("a prediction", lambda: self.query("model_requests_total > 0"),
                                 30.0, lambda: self.compose("logs"), 0.2))

    def test_prometheus_has_found_alertmanager_and_the_rules(self):
        found = self.podman.get("http://127.0.0.1:9090/api/v1/alertmanagers")
        self.assertEqual([manager["url"] for manager in
                          json.loads(found)["data"]["activeAlertmanagers"]],
                         ["http://localhost:9093/api/v2/alerts"])
        self.assertIsNotNone(self.podman.get("http://127.0.0.1:9093/-/ready"),
                             self.compose("logs", "alertmanager"))
        rules = json.loads(self.podman.get("http://127.0.0.1:9090/api/v1/rules"))["data"]["groups"]
        self.assertEqual({Path(group["file"]).name for group in rules},
                         {path.name for path in (SOURCE / "rules").glob("*.yml")})

    def test_nobody_of_ours_has_a_privilege_or_can_write(self):
        for service in ("resource_exporter", "model_server", "model_client"):
            with self.subTest(service):
                status = self.status_of(service)
                self.assertEqual(status["Uid"].split(), ["65534"] * 4)
                self.assertEqual({status[f"Cap{which}"] for which in ("Bnd", "Eff", "Prm")},
                                 {"0" * 16})
                self.assertEqual(status["NoNewPrivs"], "1")
                mountinfo = self.process_of(service) / "mountinfo"
                mounts = self.podman.inside("cat", mountinfo).splitlines()
                [root] = [mount for mount in mounts if mount.split()[4] == "/"]
                self.assertIn("ro", root.split()[5].split(","))

    def test_the_exporter_sees_processes_outside_its_container(self):
        page = self.podman.get("http://127.0.0.1:8888/metrics")
        for group in ("podman", "resource_expor", "model_server"):
            self.assertIn(f'namedprocess_namegroup_num_procs{{groupname="{group}', page)

    def test_only_the_model_server_has_opencv(self):
        for service, has_it in (("resource_exporter", False), ("model_server", True)):
            libraries = self.podman.inside("ls", self.process_of(service) /
                                           "root/usr/lib/x86_64-linux-gnu")
            self.assertEqual("libopencv" in libraries, has_it, service)


if __name__ == "__main__":
    unittest.main()
