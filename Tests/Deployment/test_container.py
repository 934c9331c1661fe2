"""The container files, as far as they can be tried where no container engine runs.

Linters read them, their configurations are checked by the program itself, and the last stages of the Dockerfile are made
in a chroot: Debian's minbase, the RUN steps, the program at its place, the user, the environment, a root that is read-only,
no capability. What is not tried here: pulling the base images, the build stage, the network and volumes of an engine, a cluster.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import tempfile
import unittest
import urllib.request

import running_web as running

setUpModule = running.packages

DOCKERFILE = running.ROOT / "deploy/container/Dockerfile"
COMPOSE = running.ROOT / "deploy/container/compose.yaml"
KUBERNETES = running.ROOT / "deploy/kubernetes/redeliver.yaml"
WORKER = running.ROOT / "deploy/container/redeliver.yaml"
PROMETHEUS = running.ROOT / "deploy/prometheus"

# Where the base of the chroot is kept from one run to the next.
BASE = pathlib.Path(os.environ.get("DEPLOYMENT_CHROOT", running.ROOT / ".build/deployment-chroot"))

YAMLLINT = """
extends: default
rules:
  document-start: disable
  line-length: {max: 130}
  braces: {max-spaces-inside: 0}
"""


def stages():
    """The Dockerfile's stages: name, base and instructions, with continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    found = {}
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if not line.strip():
            continue
        word, rest = line.split(None, 1)
        if word == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", rest.strip()).groups()
            found[name] = (base, [])
        else:
            found[name][1].append((word, rest.strip()))
    return found


def of(stage, word):
    """What the instruction says in that stage or in those that it rests on, the last one first."""
    base, instructions = stages()[stage]
    own = [rest for name, rest in reversed(instructions) if name == word]
    return own + (of(base, word) if base in stages() else [])


def documents():
    import yaml
    return {document["kind"]: document for document in yaml.safe_load_all(KUBERNETES.read_text())}


def services():
    import yaml
    return yaml.safe_load(COMPOSE.read_text())["services"]


class LinterTests(unittest.TestCase):
    def tool(self, name):
        for place in (*(place / name for place in running.PYTHON_PROGRAMS), shutil.which(name)):
            if place and os.access(place, os.X_OK):
                return place
        self.skipTest(f"{name} is not installed (Tests/Deployment/requirements.txt, or Debian's package)")

    def passes(self, *arguments, **options):
        done = running.run(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_hadolint_finds_nothing_in_the_dockerfile(self):
        self.passes(self.tool("hadolint"), "--failure-threshold", "style", DOCKERFILE)

    def test_yamllint_finds_nothing_in_any_file(self):
        files = sorted({COMPOSE, KUBERNETES, WORKER, PROMETHEUS / "prometheus.yml",
                        running.ROOT / "deploy/datasette/metadata.yaml"})
        self.passes(self.tool("yamllint"), "--strict", "-d", YAMLLINT, *files)

    def test_the_compose_file_keeps_to_the_specification(self):
        # Either knows the schema; neither needs an engine for this.
        docker = shutil.which("docker")
        if docker and running.run(docker, "compose", "version").returncode == 0:
            command = [docker, "compose"]
        else:
            command = [self.tool("docker-compose")]
        self.passes(*command, "-f", COMPOSE, "config", "--quiet")

    def test_kubernetes_schemas_take_the_manifest_as_it_is(self):
        tool = self.tool("kubernetes-validate")
        for version in ("1.29", "1.33"):
            self.passes(tool, "--strict", "-k", version, KUBERNETES)

    def test_prometheus_takes_its_configuration_with_the_rules(self):
        promtool = self.tool("promtool")
        rules = PROMETHEUS / "redeliver.rules.yml"
        if not rules.exists():
            self.skipTest("deploy/prometheus/redeliver.rules.yml is not there yet")
        self.assertIn("1 rule files", self.passes(promtool, "check", "config", PROMETHEUS / "prometheus.yml"))


class ManifestTests(unittest.TestCase):
    """What no schema knows: that the files fit each other and the program."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="redeliver-manifests-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def test_every_file_that_compose_mounts_or_builds_from_is_there(self):
        for name, service in services().items():
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith(".") and not (COMPOSE.parent / source).resolve().exists():
                    # Written beside these; a checkout without them cannot be judged.
                    self.skipTest(f"{source} of {name} is not there yet")
            if "build" in service:
                context = (COMPOSE.parent / service["build"]["context"]).resolve()
                self.assertEqual(context, running.ROOT)
                self.assertIn(service["build"]["target"], stages())
                self.assertTrue((context / service["build"]["dockerfile"]).exists())

    def test_the_sandbox_of_compose_makes_the_ids_and_the_token_of_the_worker(self):
        arguments = list(services()["sandbox"]["command"])
        arguments[arguments.index("--port") + 1] = "0"
        sandbox = running.Sandbox(*arguments)
        self.addCleanup(sandbox.stop)
        import yaml
        worker = yaml.safe_load(WORKER.read_text())
        self.assertEqual([endpoint["id"] for endpoint in worker["endpoints"]], sandbox.said["endpoints"])
        self.assertEqual(worker["provider"]["auth"]["token"], sandbox.said["token"])
        port = services()["sandbox"]["command"][services()["sandbox"]["command"].index("--port") + 1]
        self.assertEqual(worker["provider"]["base_url"], f"http://127.0.0.1:{port}")

    def test_grafana_finds_its_dashboard_and_its_prometheus(self):
        import yaml
        grafana = services()["grafana"]
        provisioning = running.ROOT / "deploy/grafana/provisioning"
        if not provisioning.exists():
            self.skipTest("deploy/grafana/provisioning is not there yet")
        places = [volume.split(":")[1] for volume in grafana["volumes"]]
        self.assertIn("/etc/grafana/provisioning", places)
        for file in (provisioning / "dashboards").iterdir():
            for provider in yaml.safe_load(file.read_text())["providers"]:
                self.assertIn(provider["options"]["path"] + "/redeliver.json", places)
        for file in (provisioning / "datasources").iterdir():
            for source in yaml.safe_load(file.read_text())["datasources"]:
                self.assertEqual(source["url"], "http://localhost:9090")
        # So localhost is Prometheus, and its ports are Grafana's too.
        self.assertEqual(grafana["network_mode"], "service:prometheus")
        self.assertIn("127.0.0.1:3000:3000", services()["prometheus"]["ports"])

    def test_only_loopback_of_the_host_is_published(self):
        for name, service in services().items():
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), f"{name}: {port}")

    def test_the_configuration_in_kubernetes_has_no_fault(self):
        text = documents()["ConfigMap"]["data"]["config.yaml"]
        token = self.folder / "token"
        token.write_text(documents()["Secret"]["stringData"]["token"])
        mounts = {mount["name"]: mount["mountPath"] for mount in self.worker()["volumeMounts"]}
        self.assertIn(f"{mounts['token']}/token", text)
        self.assertIn(f"database: {mounts['database']}/", text)
        self.assertIn(f"textfile: {mounts['textfile']}/", text)
        file = self.folder / "config.yaml"
        file.write_text(text.replace(f"{mounts['token']}/token", str(token)))
        done = running.run(running.redeliver(), "check", "--config", file)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def worker(self):
        return documents()["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]

    def test_one_worker_runs_and_nothing_in_its_pod_may_more_than_it_needs(self):
        spec = documents()["StatefulSet"]["spec"]
        pod = spec["template"]["spec"]
        user = int(of("redeliver", "USER")[0].split(":")[0])
        self.assertEqual(spec["replicas"], 1)
        self.assertEqual(spec["volumeClaimTemplates"][0]["spec"]["accessModes"], ["ReadWriteOnce"])
        self.assertEqual((pod["securityContext"]["runAsUser"], pod["securityContext"]["fsGroup"]), (user, user))
        self.assertTrue(pod["securityContext"]["runAsNonRoot"])
        self.assertIs(pod["automountServiceAccountToken"], False)
        self.assertIs(pod["enableServiceLinks"], False)
        for container in pod["containers"]:
            security = container["securityContext"]
            self.assertTrue(security["readOnlyRootFilesystem"])
            self.assertIs(security["allowPrivilegeEscalation"], False)
            self.assertEqual(security["capabilities"], {"drop": ["ALL"]})

    def test_a_stop_may_take_longer_than_a_call(self):
        keys = (running.ROOT / "docs" / "configuration.md").read_text()
        seconds = int(re.search(r"`provider.request_timeout` \|.*?\| `(\d+)s` \|", keys)[1])
        self.assertGreater(documents()["StatefulSet"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"], seconds + 10)
        self.assertGreater(int(services()["worker"]["stop_grace_period"].removesuffix("s")), seconds + 10)

    def test_a_variable_of_a_service_is_passed_over(self):
        # What Kubernetes sets for a Service that is called redeliver-api.
        file = self.folder / "config.yaml"
        file.write_text(WORKER.read_text())
        done = running.run("env", "REDELIVER_API_PORT=tcp://10.0.0.1:80", running.redeliver(), "check", "--config", file)
        self.assertNotIn("REDELIVER_API_PORT", done.stderr)


class ChrootTests(unittest.TestCase):
    """The last stages of the Dockerfile, step by step, without an engine."""

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("a chroot needs root")
        for tool in ("debootstrap", "unshare", "setpriv"):
            if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
                raise unittest.SkipTest(f"{tool} is not installed")
        cls.make_base()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="redeliver-chroot-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.root = cls.folder / "root"
        running.run("cp", "-a", BASE, cls.root, seconds=120, check=True)
        for step in reversed(of("redeliver", "RUN")):
            done = running.run("env", "-u", "TMPDIR", "chroot", cls.root, "sh", "-c", step, seconds=300)
            if done.returncode != 0:
                raise AssertionError(f"{step}\n{done.stdout}{done.stderr}")
        cls.copy_the_program()

    @classmethod
    def make_base(cls):
        """Debian as debian:12-slim has it, but for its documentation."""
        if (BASE / "etc/debian_version").exists():
            return
        base = stages()["runtime"][0]
        assert base == "debian:12-slim", f"which release is {base}?"
        half = BASE.with_name(BASE.name + ".making")
        shutil.rmtree(half, ignore_errors=True)
        half.parent.mkdir(parents=True, exist_ok=True)
        done = running.run("debootstrap", "--variant=minbase", "bookworm", half, seconds=500)
        if done.returncode != 0:
            raise AssertionError(done.stdout[-2000:] + done.stderr[-2000:])
        half.rename(BASE)

    @classmethod
    def copy_the_program(cls):
        options, source, target = of("redeliver", "COPY")[0].split()
        assert (options, source) == ("--from=build", "/src/.build/redeliver")
        shutil.copy(running.redeliver(), cls.root / target.lstrip("/"))
        assert json.loads(of("redeliver", "ENTRYPOINT")[0]) == [target]

    def setUp(self):
        self.state = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        for name, place in (("database", "var/lib/redeliver"), ("textfile", "var/lib/node_exporter/textfile")):
            # As an engine does with an empty volume: it takes the owner and the mode of the image's folder.
            running.run("cp", "-a", self.root / place, self.state / name, check=True)
        self.port = running.free_port()
        arguments = list(services()["sandbox"]["command"])
        arguments[arguments.index("--port") + 1] = "0"
        self.sandbox = running.Sandbox(*arguments)
        self.addCleanup(self.sandbox.stop)
        config = WORKER.read_text().replace("http://127.0.0.1:8080", self.sandbox.said["provider"])
        (self.state / "config.yaml").write_text(config)
        # An engine makes the place of what it mounts.
        (self.root / "etc/redeliver").mkdir(exist_ok=True)
        (self.root / "etc/redeliver/config.yaml").touch()

    def contained(self, *command):
        """The command as the image's user in the chroot: root read-only, no capability, volumes and configuration mounted."""
        user, group = of("redeliver", "USER")[0].split(":")
        variables = [variable.replace("9464", str(self.port)) for variable in of("redeliver", "ENV")]
        script = f"""
            mount --make-rprivate /
            mount --bind {self.root} {self.root}
            mount -o remount,bind,ro {self.root}
            mount -t proc proc {self.root}/proc
            mount --bind {self.state}/database {self.root}/var/lib/redeliver
            mount --bind {self.state}/textfile {self.root}/var/lib/node_exporter/textfile
            mount --bind -o ro {self.state}/config.yaml {self.root}/etc/redeliver/config.yaml
            exec chroot {self.root} setpriv --reuid {user} --regid {group} --clear-groups --no-new-privs \\
                --bounding-set=-all --inh-caps=-all env -i PATH=/usr/bin:/bin \\
                {shlex.join(variables)} {shlex.join(command)}
        """
        return ["unshare", "--mount", "sh", "-euc", script]

    def arrived(self):
        with urllib.request.urlopen(self.sandbox.said["provider"] + "/_ledger", timeout=10) as answer:
            return json.load(answer)["summary"]["arrived"]

    def check_files(self):
        """Its user owns what it made, bodies are for its group only, and node_exporter's user may read the metrics."""
        database = (self.state / "database/redeliver.db").stat()
        metrics = (self.state / "textfile/redeliver.prom").stat()
        self.assertEqual((database.st_uid, database.st_gid, database.st_mode & 0o777), (10001, 10001, 0o640))
        self.assertEqual(metrics.st_mode & 0o777, 0o644)

    def test_turns_as_from_cron_deliver(self):
        # So many failures at once open the circuits in the first turn; the trial that closes one is due in a later turn.
        def turn():
            done = running.run(*self.contained(
                "/usr/bin/redeliver", "run", "--once", "--config", "/etc/redeliver/config.yaml"), seconds=60)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            return self.arrived() > 0
        running.wait_until(turn, 60, "a delivery")
        self.check_files()

    def test_nothing_else_in_the_image_can_be_written(self):
        for place in ("/", "/etc/redeliver", "/usr/bin/redeliver", "/tmp"):
            with self.subTest(place=place):
                done = running.run(*self.contained("sh", "-c", f"test -w {place}"))
                self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertIn("CapBnd:\t0000000000000000", running.run(*self.contained("cat", "/proc/self/status")).stdout)

    def test_the_daemon_is_healthy_by_the_images_own_check_and_stops_at_its_stop_signal(self):
        command = json.loads(of("redeliver", "ENTRYPOINT")[0]) + json.loads(of("redeliver", "CMD")[0])
        daemon = running.Process(self.contained(*command), self.state / "daemon.log")
        self.addCleanup(daemon.stop)
        check = json.loads(re.search(r"CMD (\[.*\])$", of("redeliver", "HEALTHCHECK")[0])[1])
        check = [word.replace("9464", str(self.port)) for word in check]

        def healthy():
            self.assertTrue(daemon.runs(), daemon.text())
            return running.run(*self.contained(*check)).returncode == 0
        running.wait_until(healthy, 30, "a healthy daemon")
        running.wait_until(lambda: self.arrived() >= 100, 60, "what the receiver that is up has missed")
        status = running.run(*self.contained("/usr/bin/redeliver", "status"))
        self.assertEqual(status.returncode, 0, status.stderr)
        self.check_files()
        daemon.child.send_signal(getattr(signal, of("redeliver", "STOPSIGNAL")[0]))
        self.assertEqual(daemon.child.wait(50), 0, daemon.text())
        # Without the daemon the check says so.
        self.assertNotEqual(running.run(*self.contained(*check)).returncode, 0)


if __name__ == "__main__":
    unittest.main()
