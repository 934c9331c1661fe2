"""The way to the provider in a company: its own issuer of certificates, its proxy, a certificate of ours.

A real nginx with certificates made here stands before the provider's stand-in, a real tinyproxy on the way to it.
"""

import base64
import json
import signal
import socket
import subprocess
import unittest

import running

CONFIGURATION = """
provider:
  base_url: {base_url}
  auth: {{token: {token}}}
{provider}
endpoints:
{endpoints}
database: {folder}/{name}.db
policies:
  - events: ["*"]
    schedule: [0s, 1s, 1s]
"""

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
{servers}
}}
"""

SERVER = """
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/{certificate}.pem;
        ssl_certificate_key {folder}/{certificate}.key;
        {more}
        location / {{
            proxy_pass {sandbox};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-Proto https;
        }}
    }}
"""


def listens(port):
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


class Certificates:
    """An issuer and what it issues, in a folder."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca = here\n[here]\ndir = {folder}\ndatabase = {folder}/index.txt\nnew_certs_dir = {folder}\n"
            "serial = $dir/serial\ndefault_md = sha256\npolicy = any\ncopy_extensions = copy\nunique_subject = no\n"
            "[any]\ncommonName = supplied\n")
        (folder / "index.txt").touch()
        (folder / "serial").write_text("1000\n")
        self.issuer("ca", "Company CA")
        self.issuer("other-ca", "Another CA")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60, cwd=self.folder)

    def issuer(self, name, subject):
        self.openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
            "-subj", f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.pem")

    def issue(self, name, host, issuer="ca", dates=("20200101000000Z", "20990101000000Z")):
        self.openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={host}",
            "-addext", f"subjectAltName=DNS:{host}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.openssl(
            "ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", f"{issuer}.pem", "-keyfile", f"{issuer}.key",
            "-startdate", dates[0], "-enddate", dates[1], "-in", f"{name}.csr", "-out", f"{name}.pem")


class NetworkTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        nginx = running.installed("NGINX_PROGRAM", "nginx", "/usr/sbin/nginx")
        running.installed("OPENSSL_PROGRAM", "openssl")
        cls.bench = running.Bench()
        cls.addClassCleanup(cls.bench.close)
        cls.folder = cls.bench.folder
        cls.bench.start_sandbox("--failures", "3", "--successes", "0")
        cls.sandbox = cls.bench.sandbox
        certificates = Certificates(cls.folder)
        certificates.issue("good", "localhost")
        certificates.issue("expired", "localhost", dates=("20200101000000Z", "20210101000000Z"))
        certificates.issue("early", "localhost", dates=("20980101000000Z", "20990101000000Z"))
        certificates.issue("elsewhere", "webhooks.example.com")
        certificates.issue("unknown", "localhost", issuer="other-ca")
        certificates.issue("client", "redeliver")
        certificates.issue("expired-client", "redeliver", dates=("20200101000000Z", "20210101000000Z"))
        cls.ports = {name: running.free_port() for name in ["good", "expired", "early", "elsewhere", "unknown", "mutual"]}
        asks = f"ssl_client_certificate {cls.folder}/ca.pem; ssl_verify_client on;"
        servers = "".join(
            SERVER.format(
                port=port, folder=cls.folder, certificate="good" if name == "mutual" else name,
                more=asks if name == "mutual" else "", sandbox=cls.sandbox["provider"])
            for name, port in cls.ports.items())
        (cls.folder / "nginx.conf").write_text(NGINX.format(folder=cls.folder, servers=servers))
        cls.bench.start([nginx, "-p", cls.folder, "-c", cls.folder / "nginx.conf"], "nginx")
        running.wait_until("nginx listens", lambda: listens(cls.ports["mutual"]))

    def configure(self, server, **provider):
        """The path of a configuration that reaches the provider through one of the servers."""
        name = self.id().rsplit(".", 1)[-1]
        lines = "".join(f"  {key}: {value}\n" for key, value in provider.items())
        endpoints = "".join(f'  - id: "{endpoint}"\n' for endpoint in self.sandbox["endpoints"])
        path = self.folder / f"{name}.yaml"
        path.write_text(CONFIGURATION.format(
            base_url=f"https://localhost:{self.ports[server]}", token=self.sandbox["token"], provider=lines,
            endpoints=endpoints, folder=self.folder, name=name))
        return path

    def once(self, path):
        return subprocess.run(
            [running.redeliver(), "run", "--once", "--config", path], capture_output=True, text=True, timeout=60,
            cwd=self.folder, env=running.environment())

    def assert_read(self, path):
        run = self.once(path)
        self.assertEqual(run.returncode, 0, run.stderr)

    def assert_refused(self, path, *sayings):
        run = self.once(path)
        self.assertEqual(run.returncode, 69, run.stderr)
        for saying in sayings:
            self.assertIn(saying, run.stderr)

    def roots(self, name="ca"):
        return self.folder / f"{name}.pem"

    # Certificates of the provider

    def test_a_certificate_of_the_named_issuer_is_accepted(self):
        self.assert_read(self.configure("good", ca_file=self.roots()))

    def test_without_its_issuer_a_certificate_is_refused_and_ca_file_is_named(self):
        self.assert_refused(self.configure("good"), "certificate_issuer_unknown", "provider.ca_file")

    def test_a_certificate_of_another_issuer_is_refused(self):
        self.assert_refused(
            self.configure("unknown", ca_file=self.roots()), "certificate_issuer_unknown", "provider.ca_file")

    def test_an_expired_certificate_is_refused_and_called_expired(self):
        self.assert_refused(
            self.configure("expired", ca_file=self.roots()), "certificate_expired", "the provider has to renew it")

    def test_a_certificate_of_the_future_is_refused_and_the_clock_named(self):
        self.assert_refused(
            self.configure("early", ca_file=self.roots()), "certificate_not_yet_valid", "clock")

    def test_a_certificate_for_another_host_is_refused_and_base_url_named(self):
        self.assert_refused(
            self.configure("elsewhere", ca_file=self.roots()), "certificate_of_another_host", "base_url")

    # A certificate of ours

    def test_a_provider_that_asks_for_a_certificate_accepts_ours(self):
        self.assert_read(self.configure(
            "mutual", ca_file=self.roots(), client_certificate=self.folder / "client.pem",
            client_key=self.folder / "client.key"))

    def test_a_provider_that_asks_for_a_certificate_and_gets_none_is_told_apart_from_a_refused_token(self):
        self.assert_refused(
            self.configure("mutual", ca_file=self.roots()), "does not accept our certificate",
            "provider.client_certificate")

    def test_an_expired_certificate_of_ours_is_named(self):
        self.assert_refused(
            self.configure(
                "mutual", ca_file=self.roots(), client_certificate=self.folder / "expired-client.pem",
                client_key=self.folder / "expired-client.key"),
            "does not accept our certificate", "provider.client_certificate")

    # A proxy

    def proxy(self, credentials=None):
        """Starts a proxy; its address."""
        program = running.installed("TINYPROXY_PROGRAM", "tinyproxy")
        port = running.free_port()
        path = self.folder / f"tinyproxy-{port}.conf"
        path.write_text(
            f"Port {port}\nListen 127.0.0.1\nTimeout 30\nAllow 127.0.0.1\nMaxClients 20\n"
            + (f"BasicAuth {credentials[0]} {credentials[1]}\n" if credentials else ""))
        self.bench.start([program, "-d", "-c", path], f"tinyproxy-{port}")
        running.wait_until("the proxy listens", lambda: listens(port))
        return f"http://127.0.0.1:{port}"

    def secret(self, name, text):
        path = self.folder / name
        path.write_text(text + "\n")
        return path

    def test_the_provider_is_reached_through_a_proxy(self):
        self.assert_read(self.configure("good", ca_file=self.roots(), proxy=self.proxy()))

    def test_the_provider_is_reached_through_a_proxy_that_wants_credentials(self):
        self.assert_read(self.configure(
            "good", ca_file=self.roots(), proxy=self.proxy(("anna", "pass-1")),
            proxy_credentials_file=self.secret("right", "anna:pass-1")))

    def test_wrong_credentials_for_a_proxy_are_named_and_never_shown(self):
        path = self.configure(
            "good", ca_file=self.roots(), proxy=self.proxy(("anna", "pass-1")),
            proxy_credentials_file=self.secret("wrong", "anna:pass-2"))
        self.assert_refused(path, "provider.proxy_credentials_file")
        run = self.once(path)
        for secret in ["pass-2", base64.b64encode(b"anna:pass-2").decode()]:
            self.assertNotIn(secret, run.stdout + run.stderr)

    def test_a_proxy_that_wants_credentials_and_gets_none_is_named(self):
        self.assert_refused(
            self.configure("good", ca_file=self.roots(), proxy=self.proxy(("anna", "pass-1"))), "proxy_credentials",
            "provider.proxy_credentials_file")

    def test_a_proxy_that_does_not_answer_is_named(self):
        self.assert_refused(
            self.configure("good", ca_file=self.roots(), proxy=f"http://127.0.0.1:{running.free_port()}"),
            "proxy_unreachable", "provider.proxy")

    def test_behind_a_proxy_too_an_expired_certificate_is_called_expired(self):
        self.assert_refused(
            self.configure("expired", ca_file=self.roots(), proxy=self.proxy()), "certificate_expired")

    # The daemon

    def test_a_renewed_file_takes_effect_with_a_reload(self):
        path = self.configure("good", ca_file=self.folder / "renewed.pem")
        (self.folder / "renewed.pem").write_bytes(self.roots("other-ca").read_bytes())
        daemon = self.bench.start([running.redeliver(), "run", "--config", path], "renewing")
        running.wait_until("it is refused", lambda: "certificate_issuer_unknown" in daemon.log.read_text())
        (self.folder / "renewed.pem").write_bytes(self.roots().read_bytes())
        daemon.process.send_signal(signal.SIGHUP)
        running.wait_until("the log is read", lambda: self.last_poll(path) is not None)
        self.assertEqual(daemon.stop(), 0)

    def last_poll(self, path):
        run = subprocess.run(
            [running.redeliver(), "status", "--json", "--config", path], capture_output=True, text=True, timeout=30,
            env=running.environment())
        return json.loads(run.stdout)["endpoints"][0]["last_poll"]

    # What `redeliver check` says

    def check(self, **provider):
        path = self.configure("good", **provider)
        run = subprocess.run(
            [running.redeliver(), "check", "--config", path], capture_output=True, text=True, timeout=30,
            env=running.environment())
        return run.returncode, run.stdout + run.stderr

    def assert_fault(self, saying, **provider):
        status, said = self.check(**provider)
        self.assertNotEqual(status, 0)
        self.assertIn(saying, said)

    def test_what_cannot_be_used_is_a_fault_of_the_configuration(self):
        client = {"client_certificate": self.folder / "client.pem", "client_key": self.folder / "client.key"}
        self.assertEqual(self.check(**client)[0], 0)
        self.assert_fault("holds no certificate", ca_file=self.folder / "nginx.conf")
        self.assert_fault("holds no certificate", ca_file=self.folder / "missing.pem")
        self.assert_fault("does not belong to the certificate", **client | {"client_key": self.folder / "good.key"})
        self.assert_fault("holds no private key", **client | {"client_key": self.folder / "client.pem"})
        self.assert_fault("needs provider.client_key", client_certificate=self.folder / "client.pem")
        self.assert_fault("needs provider.client_certificate", client_key=self.folder / "client.key")
        self.assert_fault("such as http://proxy.example.com:3128", proxy="https://proxy.example.com:3128")
        self.assert_fault("must not contain a user or password", proxy="http://anna:secret@proxy.example.com:3128")
        self.assert_fault("needs provider.proxy", proxy_credentials_file=self.secret("pair", "a:b"))
        self.assert_fault(
            "user:password in one line", proxy="http://proxy.example.com:3128",
            proxy_credentials_file=self.secret("single", "alone"))


if __name__ == "__main__":
    unittest.main()
