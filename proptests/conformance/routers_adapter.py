#!/usr/bin/env python3
"""Serves the cases of the conformance runner `routers.py`: routes in its neutral form become one configuration.

usage: routers_adapter.py [--log FILE] CASES.json

The gateway is the binary that TOLLGATE names, else target/release/tollgate. Once it listens, this prints `ready`; SIGTERM
ends both. Routes that the gateway cannot express are omitted, as few as possible, and reported on standard error and in
FILE.

How the neutral form is translated:
  - Each group has its own hosts; versions, which no suite uses, are disabled.
  - A rest of the path becomes `P/{rest}/*`, because `P/*` would match `P` too; `P/` is added if the rest may be empty.
  - For a last parameter that may be empty, `P/` is added. No normal path has an empty segment within it.
  - If `P/` then occurs twice, the more specific route keeps it.
  - First-match order becomes precedence: in the suite that uses it, the more specific route comes first.
"""

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SERVICE = "recorder"
# The characters that a normal path contains unescaped; a `%` starts an escape.
PLAIN = "!$&'()*+,;=:@[]%"


class Fault(Exception):
    """Why the routes cannot be served, as a message for the user."""


class Inexpressible(Exception):
    """Why a configuration cannot express a route."""


class Told:
    """Reports what is omitted, one line each, and a summary."""

    def __init__(self, log):
        self._files = [sys.stderr] + ([log] if log else [])
        self.groups, self.routes, self.parts = set(), set(), set()

    def group(self, group, why):
        self.groups.add(group["id"])
        self._say(f"{group['id']} ({group['source']}) is omitted: {why}")

    def route(self, group, route, why):
        self.routes.add(name_of(group, route))
        self._say(f"{name_of(group, route)} is omitted: {why}")

    def part(self, group, route, why):
        self.parts.add(name_of(group, route))
        self._say(f"{name_of(group, route)} is served in part: {why}")

    def sum_up(self, groups, routes):
        self._say(
            f"omitted: {len(self.groups)} of {groups} groups, {len(self.routes)} of {routes} routes; "
            f"{len(self.parts)} are served in part"
        )

    def _say(self, line):
        for file in self._files:
            print(line, file=file, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=argparse.FileType("w"), help="also report omitted routes there")
    parser.add_argument("cases", type=Path)
    options = parser.parse_args()
    cases = json.loads(options.cases.read_text())
    binary = os.environ.get("TOLLGATE", REPOSITORY / "target/release/tollgate")
    told = Told(options.log)
    routes = drop_faulty(binary, cases, translate(cases, told), told)
    told.sum_up(len(cases["groups"]), sum(len(group["routes"]) for group in cases["groups"]))
    return serve(binary, cases["bind"], configuration(cases, routes))


def translate(cases, told):
    """All routes that can be expressed, as (group, neutral route, route of a configuration)."""
    return [(group, *route) for group in cases["groups"] for route in translate_group(group, told)]


def translate_group(group, told):
    for option, usual in {"ignoreTrailingSlash": False, "caseSensitive": True}.items():
        if group["options"].get(option, usual) != usual:
            told.group(group, f"its option `{option}`")
            return []
    ranked = []
    for route in group["routes"]:
        try:
            if group["order"] == "first-match":
                ranked.append(first_match(group, route, told))
            else:
                ranked += most_specific(group, route)
        except Inexpressible as why:
            told.route(group, route, why)
    return without_doubles(ranked)


def most_specific(group, route):
    """The routes for a route of segments, with those for empty parts; each with its rank."""
    hosts = [route.get("host", group["hosts"]["wildcard"])]
    for rank, pattern in patterns(route["segments"], group["param_min"]):
        yield route, rank, rendered(group, route, pattern, hosts)


def patterns(segments, param_min):
    """The patterns that together match the segments, each with its rank: 0 as written, 1 for an empty parameter, 2 for an
    empty rest."""
    *before, last = segments
    base = "".join(f"/{segment_of(place, segment)}" for place, segment in enumerate(before))
    if any(segment.get("lit") == "" for segment in before):
        raise Inexpressible("an empty segment within it, and a normal path has none")
    if "rest" in last:
        if last["min"] == 0 and not base:
            return [(0, "/*")]
        return [(0, f"{base}/{{rest}}/*")] + ([(2, f"{base}/")] if last["min"] == 0 else [])
    written = [(0, f"{base}/{segment_of(len(before), last)}")]
    return written + ([(1, f"{base}/")] if "param" in last and param_min == 0 else [])


def segment_of(place, segment):
    """A literal or a parameter. Parameters are named by position, because names may be duplicate or invalid."""
    if "lit" in segment:
        return literal(segment["lit"])
    if segment.get("prefix") or segment.get("suffix"):
        raise Inexpressible("a parameter with a fixed prefix or suffix")
    return f"{{p{place}}}"


def literal(text):
    if text == "*":
        raise Inexpressible("a literal `*`")
    return quote(text, safe=PLAIN)


def without_doubles(ranked):
    """Removes derived patterns that a more specific route has too."""
    taken, kept = set(), []
    for route, rank, config in sorted(ranked, key=lambda route: route[1]):
        place = (*config["hosts"], re.sub(r"{\w+}", "{}", config["path_pattern"]))
        if rank > 0 and taken & {(place, route["method"]), (place, "*")}:
            continue
        taken.add((place, route["method"]))
        kept.append((route, config))
    return kept


def first_match(group, route, told):
    """A route of the Envoy suite: an exact path or a prefix, with headers and rewriting."""
    path = "/".join(map(literal, route["value"].split("/")))
    config = rendered(group, route, path if route["match"] == "exact" else path.rstrip("/") + "/*", route["hosts"])
    if route.get("headers"):
        config["headers"] = dict(map(header_constraint, route["headers"]))
    if route.get("rewrite_prefix"):
        config["rewrite_prefix"] = route["rewrite_prefix"]
    if route["match"] == "prefix" and path != "/":
        told.part(group, route, "the prefix stands for whole segments")
    if route.get("case_sensitive") is False:
        told.part(group, route, "it is matched as it is written, upper and lower case apart")
    if route.get("rewrite_host"):
        told.part(group, route, "`Host` stays, for it can be rewritten to a backend's address only")
    return route, 0, config


def header_constraint(header):
    if "exact" in header:
        return header["name"], header["exact"]
    if header.get("present"):
        return header["name"], {"present": True}
    raise Inexpressible("a header constraint that is a regular expression")


def rendered(group, route, pattern, hosts):
    config = {
        "path_pattern": pattern, "hosts": hosts, "service": SERVICE, "encoded_slashes": "keep",
        "request_headers": {"set": {"x-route-id": name_of(group, route)}},
    }
    if route["method"] != "*":
        config["methods"] = [route["method"]]
    return config


def name_of(group, route):
    return f"{group['id']}:{route['id']}"


def configuration(cases, routes):
    return json.dumps({
        "listen": cases["bind"], "workers": 1, "drain_timeout": "500ms", "versioning": {"derive": False},
        "services": {SERVICE: {"backends": [cases["backend"]]}}, "routes": [config for _, _, config in routes],
    })


def drop_faulty(binary, cases, routes, told):
    """Omits the routes in which `tollgate check` finds errors, until it finds none."""
    while errors := check(binary, configuration(cases, routes)):
        faulty = {}
        for error in errors:
            place = re.match(r"routes\[(\d+)\]", error["at"])
            if not place:
                raise Fault(f"{error['code']}: {error['message']}")
            faulty.setdefault(int(place[1]), f"{error['code']}: {error['message']}")
        for index, why in faulty.items():
            told.route(*routes[index][:2], why)
        routes = [route for index, route in enumerate(routes) if index not in faulty]
    return routes


def check(binary, text):
    told = subprocess.run([binary, "check", "--format", "json", "-"], input=text, capture_output=True, text=True)
    if told.returncode > 1:
        raise Fault(told.stderr.strip())
    return [fault for fault in json.loads(told.stdout)["files"][0]["faults"] if fault["severity"] == "error"]


def serve(binary, bind, text):
    """Runs the gateway until SIGTERM or until it exits."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    gateway = subprocess.Popen([binary, "serve", "--config", "-"], stdin=subprocess.PIPE, stdout=sys.stderr, text=True)
    try:
        gateway.stdin.write(text)
        gateway.stdin.close()
        wait_for_port(gateway, *bind.rsplit(":", 1))
        print("ready", flush=True)
        return gateway.wait()
    finally:
        gateway.terminate()
        gateway.wait()


def wait_for_port(process, host, port, seconds=20):
    """Waits until something listens on the port. Raises Fault if the process exits first, or on timeout."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Fault(f"the gateway ended with {process.returncode}")
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Fault(f"the gateway does not listen on {host}:{port} after {seconds} s")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Fault as fault:
        sys.exit(f"routers_adapter: {fault}")
