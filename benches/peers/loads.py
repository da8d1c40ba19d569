"""The loads: h2load, wrk, and plain sockets for what these cannot do.

Each returns a Load: how many requests succeeded and failed, and the results of other checks.
"""

import json
import math
import re
import socket
import ssl
from dataclasses import dataclass, field

from machine import Fault

PATH = "/api/orders/123"
SMALL_BYTES, BULK_BYTES = 100, 1_000_000


@dataclass
class Load:
    succeeded: int = 0
    failed: int = 0
    body_bytes: int | None = 0
    seconds: float = 0.0
    faults: list = field(default_factory=list)

    def __add__(self, other):
        return Load(
            self.succeeded + other.succeeded, self.failed + other.failed, self.body_bytes + other.body_bytes,
            self.seconds + other.seconds, self.faults + [fault for fault in other.faults if fault not in self.faults],
        )


def h2load(work, url, requests, connections, *options):
    """A fixed number of requests over persistent connections; HTTP/2 unless `--h1` is given."""
    command = ["h2load", "-n", requests, "-c", connections, *options]
    if url.startswith("https:"):
        # One cipher and one group, so that every proxy does the same work.
        command += ["--tls13-ciphers", "TLS_AES_128_GCM_SHA256", "--groups", "X25519"]
    output = work.run("h2load", [*command, url])
    done = _find(r"requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed", output)
    load = Load(succeeded=int(_find(r"status codes: (\d+) 2xx", output)[0]))
    load.failed = requests - load.succeeded
    if int(done[0]) != load.succeeded:
        load.faults.append(f"h2load took {done[0]} for successes, of which {load.succeeded} were 2xx")
    load.body_bytes = int(_find(r"headers \(space savings [^)]*\), \S+ \((\d+)\) data", output)[0])
    load.seconds = _seconds(_find(r"finished in ([\d.]+)(us|ms|s)", output))
    if url.startswith("https:"):
        protocol, cipher = _find(r"TLS Protocol: (\S+)\s+Cipher: (\S+)", output)
        if (protocol, cipher) != ("TLSv1.3", "TLS_AES_128_GCM_SHA256"):
            load.faults.append(f"it speaks {protocol} with {cipher}")
    if "--h1" not in options and "Application protocol: h2" not in output:
        load.faults.append("it does not speak HTTP/2")
    return load


def h2load_bursts(work, url, requests, connections, *options):
    """A connection for each request: many short runs of h2load, which never resumes TLS sessions."""
    total = Load()
    for _ in range(max(1, requests // connections)):
        total += h2load(work, url, connections, connections, *options)
    return total


def h2load_at_rate(work, url, requests, connections, rate):
    """Requests at a fixed rate; returns the Load and the 99th percentile of the response time, in microseconds."""
    log = work.folder / "h2load-requests.log"
    load = h2load(work, url, requests, connections, "--h1", "--rps", rate // connections, "--log-file", log)
    times = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines())
    log.unlink()
    if len(times) != requests:
        raise Fault(f"h2load logs {len(times)} of {requests} requests")
    if requests / load.seconds < 0.95 * rate:
        load.faults.append(f"only {requests / load.seconds:.0f} requests a second were sent")
    return load, times[math.ceil(len(times) * 0.99) - 1]


def wrk(work, url, seconds, connections):
    """A new connection for each request, `connections` at a time; each request has `Connection: close`."""
    output = work.run(
        "wrk", ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-H", "Connection: close", url])
    load = Load(body_bytes=None, seconds=seconds)
    total = int(_find(r"(\d+) requests in", output)[0])
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    refused = int(refused[1]) if refused else 0
    load.succeeded = total - refused
    load.failed = refused + (sum(map(int, errors.groups())) if errors else 0)
    return load


class IdleConnections:
    """Idle connections that have had one response each."""

    def __init__(self, port):
        self._port, self._sockets = port, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self._sockets:
            connection.close()

    def open(self, count):
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", self._port), timeout=10)
            self._sockets.append(connection)
            ask(connection, "GET", PATH)

    def closed(self):
        """How many connections the peer has closed."""
        closed = 0
        for connection in self._sockets:
            connection.setblocking(False)
            try:
                closed += connection.recv(1, socket.MSG_PEEK) == b""
            except BlockingIOError:
                pass
            except OSError:
                closed += 1
        return closed


def check(port, tls=False):
    """Four requests on one connection, read strictly: load tools accept wrong framing."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["http/1.1"])
        connection = context.wrap_socket(connection)
        if connection.version() != "TLSv1.3":
            raise Fault(f"it speaks {connection.version()}")
    with connection:
        for method, path, body, expected in (
            ("GET", PATH, b"", SMALL_BYTES),
            ("POST", PATH, b"x" * 10_000, SMALL_BYTES),
            ("GET", "/bulk", b"", BULK_BYTES),
            ("GET", PATH, b"", SMALL_BYTES),
        ):
            answer = ask(connection, method, path, body)
            if len(answer) != expected:
                raise Fault(f"{method} {path} has a body of {len(answer)} bytes instead of {expected}")


def ask(connection, method, path, body=b""):
    """Sends one request and returns the body. The response must be a 200 with one Content-Length and no extra byte."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n".encode() + body)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _receive(connection)
    head, _, rest = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    lengths = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("content-length:")]
    if not status.startswith("HTTP/1.1 200 ") or len(lengths) != 1:
        raise Fault(f"{method} {path} has the response {status!r} with {len(lengths)} Content-Length fields")
    if any(line.lower().startswith("transfer-encoding:") for line in lines):
        raise Fault(f"{method} {path} has a response with Content-Length and Transfer-Encoding")
    parts, missing = [rest], int(lengths[0]) - len(rest)
    while missing > 0:
        parts.append(_receive(connection))
        missing -= len(parts[-1])
    if missing < 0:
        raise Fault(f"{method} {path} has a response with {-missing} extra bytes")
    return b"".join(parts)


def origin_counts(port):
    """The counters of the backend: `connections`, `requests` and `body_bytes`."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        return json.loads(ask(connection, "GET", "/counts"))


def _receive(connection):
    part = connection.recv(1 << 18)
    if not part:
        raise Fault("the connection ended in the middle of a response")
    return part


def _find(pattern, output):
    found = re.search(pattern, output)
    if not found:
        raise Fault(f"the load tool does not say {pattern!r}")
    return found.groups()


def _seconds(value):
    return float(value[0]) * {"us": 1e-6, "ms": 1e-3, "s": 1}[value[1]]
