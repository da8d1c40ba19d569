"""The machine: its two cores, the CPU time of processes, and the cleanup of every process that was started.

A figure is the CPU time of a proxy's whole process tree, as the kernel counts it in nanoseconds. The time of other work
on the proxy's core is measured too, to separate disturbed rounds from quiet ones.
"""

import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROXY_CORE, LOAD_CORE = 0, 1
TICKS = os.sysconf("SC_CLK_TCK")


class Fault(Exception):
    """Why something cannot be measured, as a message for the user."""


class Work:
    """A temporary folder and child processes. Leaving the `with` block removes the folder and kills the processes."""

    def __enter__(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: exit(128 + number))
        self.folder = Path(tempfile.mkdtemp(prefix="tollgate-peers-"))
        self.running = []
        self._ports = set()
        return self

    def __exit__(self, *_):
        # A second Ctrl-C must not interrupt the cleanup.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for process in list(self.running):
            self.stop(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, command, core, stdout=None):
        """Starts a process on one core, as the leader of a new process group; its output goes to a log."""
        log = self.folder / f"{name}.log"
        with log.open("ab") as sink:
            process = subprocess.Popen(
                ["taskset", "-c", str(core), *map(str, command)],
                stdin=subprocess.DEVNULL, stdout=stdout or sink, stderr=sink, start_new_session=True,
            )
        process.log = log
        self.running.append(process)
        return process

    def stop(self, process):
        """Kills a process and its whole group, including orphaned children."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        if process in self.running:
            self.running.remove(process)

    def run(self, name, command, core=LOAD_CORE, seconds=120):
        """Runs a command and returns its output. Raises Fault if it fails or times out."""
        process = self.start(name, command, core, stdout=subprocess.PIPE)
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Fault(f"{name} did not end within {seconds} s") from None
        finally:
            self.stop(process)
        if process.returncode != 0:
            raise Fault(f"{name} ended with {process.returncode}: {last_line(process.log)}")
        return output.decode(errors="replace")

    def free_port(self):
        """A free port that this object has not returned before."""
        while True:
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", 0))
                port = listener.getsockname()[1]
            if port not in self._ports:
                self._ports.add(port)
                return port


def wait_for_port(process, port, seconds=30):
    """Waits until something listens on the port. Raises Fault if the process exits first, or on timeout."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Fault(f"it ended with {process.returncode}: {last_line(process.log)}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Fault(f"it does not listen after {seconds} s: {last_line(process.log)}")


def last_line(log):
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it says nothing"


def take_all_files():
    """Raises the limit of open files to the maximum, for this process and its children, and returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > 65000:
        hard = 65000
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def process_tree(root):
    """The ids of a process and its descendants."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path("/proc", entry, "stat").read_text()
            except OSError:
                continue
            # The name, in parentheses, may contain any character; state and parent follow it.
            parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
    tree, grown = {root}, True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in tree} - tree
        tree |= children
        grown = bool(children)
    return tree


def thread_times(root):
    """Nanoseconds on a CPU of each thread of a process tree, by process and thread."""
    times = {}
    for pid in process_tree(root):
        try:
            threads = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        for thread in threads:
            try:
                text = Path(f"/proc/{pid}/task/{thread}/schedstat").read_text()
            except OSError:
                continue
            times[pid, int(thread)] = int(text.split()[0])
    return times


def resident_kb(root):
    """The resident memory of a process tree; shared pages count once per process."""
    total = 0
    for pid in process_tree(root):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        for line in status.splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total


def busy_seconds(core):
    """How long a core has been busy, for any reason, including the host of a virtual machine.

    This is not the total time minus the idle time: on a virtual machine each wake-up of an idle core takes tens of
    microseconds that count as neither, so a proxy that wakes often would appear disturbed.
    """
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, _, _, interrupt, soft_interrupt, steal = map(int, line.split()[1:9])
            return (user + nice + system + interrupt + soft_interrupt + steal) / TICKS
    raise Fault(f"there is no core {core}")


@dataclass
class Meter:
    """The CPU time of a process tree within a `with` block. `disturbed` is the share of that time in which something
    else used the proxy's core: other processes, interrupts, or the host of a virtual machine."""

    root: int
    cpu_ns: int = 0
    seconds: float = 0.0
    disturbed: float = 0.0
    lost_threads: int = 0

    def __enter__(self):
        self._before = thread_times(self.root)
        self._begun, self._busy = time.monotonic(), busy_seconds(PROXY_CORE)
        return self

    def __exit__(self, *_):
        after = self._settled()
        busy = busy_seconds(PROXY_CORE) - self._busy
        self.seconds = time.monotonic() - self._begun
        self.cpu_ns = sum(ns - self._before.get(thread, 0) for thread, ns in after.items())
        # The time of a thread that has ended since the first sample is lost.
        self.lost_threads = len(self._before.keys() - after.keys())
        self.disturbed = max(0.0, (busy - self.cpu_ns / 1e9) / self.seconds)

    def _settled(self):
        """The times once they stop growing: work after the last response, such as closing connections, belongs to the
        requests. Some proxies are never idle; then the last sample counts."""
        times = thread_times(self.root)
        for _ in range(10):
            time.sleep(0.01)
            before, times = times, thread_times(self.root)
            if sum(times.values()) - sum(before.values()) < 20_000:
                break
        return times
