"""The columns of the table: the load of each, its amount, and the checks on a run."""

from dataclasses import asdict, dataclass, field

import loads
from machine import Fault, Meter, resident_kb

UPLOAD_SMALL, UPLOAD_BIG = 10_000, 1_000_000
RATE = 5_000


@dataclass
class Run:
    """One run of one proxy: `figures` by column, its result, and how much other work disturbed it."""

    figures: dict = field(default_factory=dict)
    succeeded: int = 0
    failed: int = 0
    cpu_ns: int = 0
    seconds: float = 0.0
    disturbed: float = 0.0
    upstream_connections: int = 0
    faults: list = field(default_factory=list)

    def to_json(self):
        return asdict(self)


@dataclass(frozen=True)
class Column:
    """`amount` is the number of requests or connections of a run, or of seconds for wrk; `load` generates them."""

    key: str
    title: str
    needs: str
    amount: int
    quick: int
    at_once: int
    load: callable
    upload_bytes: int = 0
    answer_bytes: int = loads.SMALL_BYTES
    check_tls: bool = False
    fresh: bool = False

    def run(self, site, proxy, amount):
        """Measures one run. Raises Fault if that is impossible."""
        before = loads.origin_counts(site.origin)
        run = self.load(self, site, proxy, amount)
        after = loads.origin_counts(site.origin)
        # The connection of the first query is itself counted.
        run.upstream_connections = after["connections"] - before["connections"] - 1
        seen = after["requests"] - before["requests"]
        if not run.succeeded <= seen <= run.succeeded + run.failed + self.slack():
            run.faults.append(f"{run.succeeded} requests succeeded, and the backend saw {seen}")
        uploaded = after["body_bytes"] - before["body_bytes"]
        if run.failed == 0 and uploaded != seen * self.upload_bytes:
            run.faults.append(f"the backend saw {uploaded} bytes of {seen * self.upload_bytes}")
        if "http" in proxy.peer.can and run.upstream_connections > self.at_once + 0.05 * run.succeeded:
            run.faults.append(f"{run.upstream_connections} connections to the backend: they are not kept")
        return run

    def slack(self):
        """wrk aborts its last requests: the backend has received them, but wrk does not count them."""
        return self.at_once if self.load is new_connections else 0


def finish(column, meter, load):
    """The cost of a load: CPU time divided by successful requests."""
    run = Run(succeeded=load.succeeded, failed=load.failed, cpu_ns=meter.cpu_ns, seconds=meter.seconds)
    run.disturbed, run.faults = meter.disturbed, list(load.faults)
    if load.succeeded == 0:
        raise Fault("no request succeeded")
    if meter.lost_threads:
        run.faults.append(f"{meter.lost_threads} threads ended, and with them what they did")
    if load.body_bytes is not None and load.failed == 0 and load.body_bytes != load.succeeded * column.answer_bytes:
        run.faults.append(f"{load.body_bytes} bytes came back for {load.succeeded} requests")
    run.figures[column.key] = meter.cpu_ns / 1000 / load.succeeded
    return run


def kept(path, *options, secure=False, h2c=False):
    """h2load over persistent connections."""

    def run(column, site, proxy, amount):
        port = proxy.tls if secure else proxy.h2c if h2c else proxy.plain
        url = f"{'https' if secure else 'http'}://127.0.0.1:{port}{path}"
        upload = ["-d", upload_file(site.work, column.upload_bytes)] if column.upload_bytes else []
        with Meter(proxy.process.pid) as meter:
            load = loads.h2load(site.work, url, amount, *options, *upload)
        return finish(column, meter, load)

    return run


def new_connections(column, site, proxy, amount):
    url = f"http://127.0.0.1:{proxy.plain}{loads.PATH}"
    with Meter(proxy.process.pid) as meter:
        load = loads.wrk(site.work, url, amount, column.at_once)
    return finish(column, meter, load)


def handshakes(column, site, proxy, amount):
    url = f"https://127.0.0.1:{proxy.tls}{loads.PATH}"
    with Meter(proxy.process.pid) as meter:
        load = loads.h2load_bursts(site.work, url, amount, column.at_once, "--h1")
    return finish(column, meter, load)


def at_rate(column, site, proxy, amount):
    url = f"http://127.0.0.1:{proxy.plain}{loads.PATH}"
    with Meter(proxy.process.pid) as meter:
        load, p99_us = loads.h2load_at_rate(site.work, url, amount, column.at_once, RATE)
    run = finish(column, meter, load)
    run.figures["p99"] = p99_us
    return run


def idle(column, site, proxy, amount):
    """Memory instead of time: the memory of idle connections."""
    amount = min(amount, site.files - 1000)
    with loads.IdleConnections(proxy.plain) as connections, Meter(proxy.process.pid) as meter:
        connections.open(100)
        before = resident_kb(proxy.process.pid)
        connections.open(amount)
        after = resident_kb(proxy.process.pid)
        closed = connections.closed()
    load = loads.Load(succeeded=amount + 100, failed=closed, body_bytes=None)
    if closed:
        load.faults.append(f"{closed} of {amount + 100} idle connections were closed")
    run = finish(column, meter, load)
    run.figures = {column.key: (after - before) / amount}
    return run


def upload_file(work, size):
    file = work.folder / f"upload-{size}"
    if not file.exists():
        file.write_bytes(b"x" * size)
    return file


COLUMNS = [
    Column("kept64", "64 conns", "plain", 60_000, 6_000, 64, kept(loads.PATH, 64, "--h1")),
    Column("kept512", "512 conns", "plain", 60_000, 12_000, 512, kept(loads.PATH, 512, "--h1")),
    Column("new", "new conn each", "http", 2, 1, 64, new_connections),
    Column("post10k", "POST 10 kB", "plain", 40_000, 4_000, 64, kept(loads.PATH, 64, "--h1"), UPLOAD_SMALL),
    Column("post1m", "POST 1 MB", "plain", 1_600, 160, 8, kept(loads.PATH, 8, "--h1"), UPLOAD_BIG),
    Column("get1m", "GET 1 MB", "plain", 1_600, 160, 8, kept("/bulk", 8, "--h1"), 0, loads.BULK_BYTES),
    Column("handshake", "TLS handshake + request", "tls", 1_536, 256, 64, handshakes, check_tls=True),
    Column("tls", "TLS kept", "tls", 40_000, 4_000, 64, kept(loads.PATH, 64, "--h1", secure=True), check_tls=True),
    Column("h2c", "h2c 10x100", "h2c", 60_000, 6_000, 1_000, kept(loads.PATH, 10, "-m", 100, h2c=True)),
    Column("h2", "h2 TLS 10x100", "tls", 60_000, 6_000, 1_000, kept(loads.PATH, 10, "-m", 100, secure=True)),
    Column("idle", "KB per idle conn", "http", 2_000, 500, 8, idle, fresh=True),
    Column("rate", "5,000/s", "plain", 20_000, 5_000, 50, at_rate),
]
# From the same runs as `rate`.
P99_TITLE = "p99 us at 5,000/s"
