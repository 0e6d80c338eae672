#!/usr/bin/env python3
"""weir beside HAProxy, nginx and Caddy, in pairs, in one run: what ./dev bench does. See docs/benchmarks.md.

Exit: 0 measured; 1 a body was wrong or streams were merged: no result; 2 usage; 4 cannot tell: the peers were the
bottleneck or the machine was too noisy.
"""
import argparse
import contextlib
import dataclasses
import datetime
import fcntl
import json
import os
import pathlib
import platform
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pairs
import proxies
import table

INSIDE = "WEIR_BENCH_INSIDE"
TRIES = 2  # of a sample that others disturbed
SLICE = 100  # seconds after which others get their turn


@dataclasses.dataclass
class Scenario:
    name: str
    what: str
    flags: list
    seconds: float = 1.0  # relative to --seconds
    rate: float = 0       # events a second, of a paced one

    @property
    def is_paced(self):
        return self.rate > 0


SCENARIOS = [
    Scenario("json-1", "600 B POST, small JSON back, 1 kept connection", ["--work", "json", "--connections", "1"]),
    Scenario("json-16", "the same, 16 kept connections", ["--work", "json", "--connections", "16"]),
    Scenario("json-128", "the same, 128 kept connections", ["--work", "json", "--connections", "128"]),
    Scenario("stream", "256 streams, each an event of 205 bytes every 20 ms",
             ["--work", "stream", "--connections", "256", "--interval-ms", "20"], seconds=1.5, rate=12800),
    Scenario("upload", "1 MiB POST, 8 kept connections", ["--work", "upload", "--connections", "8"]),
    Scenario("churn", "600 B POST, a new connection each, 16 at once", ["--work", "json", "--connections", "16", "--churn"]),
]


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description="weir beside HAProxy, nginx and Caddy, in pairs, in one run")
    parser.add_argument("--rounds", type=int, default=16, metavar="N", help="each target once a round, in changing order (16)")
    parser.add_argument("--seconds", type=float, default=0.6, metavar="S", help="of one sample, and 0.3 before it (0.6)")
    parser.add_argument("--scenario", action="append", choices=[one.name for one in SCENARIOS], help="only this one (repeatable)")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this proxy, beside weir (repeatable)")
    parser.add_argument("--other-weir", metavar="PATH", help="another build of weir in the same run, to see what a change does")
    parser.add_argument("--json", metavar="FILE", help="every sample and what came out")
    parser.add_argument("--lock", action="append", metavar="FILE", help="held for two minutes at a time; builds that take it do not disturb (repeatable)")
    parser.add_argument("--pause", type=float, default=1.0, metavar="S", help="after each two minutes, for others (1)")
    parser.add_argument("--weir", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--peers", required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def enter_own_network():
    """Runs this script again in a network namespace of its own: no other traffic, no BBR, no ports in use. Returns inside."""
    if INSIDE in os.environ:
        return
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    os.execvpe("unshare", ["unshare", *user, "--net", sys.executable, "-B", *sys.argv], {**os.environ, INSIDE: "1"})


def prepare_network():
    """Loopback up; a congestion control without pacing, whose timers would be charged to whoever runs. Returns its name."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    wish = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control")
    for name in ("reno", "cubic"):  # a namespace may choose among those that are allowed, which cubic is not everywhere
        with contextlib.suppress(OSError):
            wish.write_text(name, encoding="ascii")
            break
    pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("10240 65535", encoding="ascii")
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        return client.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode("ascii")


class Peers:
    """The backend and the client, one thread of one process: while a client runs both poll, so that a proxy that sends to
    them pays for sending and not for waking a process on the other CPU, as it would not over a network."""

    def __init__(self, program, cpu):
        self.process = subprocess.Popen([program, "both", "--on", str(cpu), "--seconds", "900"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=proxies.go_first)
        self.port = int(self.said().split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def said(self):
        if not select.select([self.process.stdout], [], [], 60)[0]:
            raise RuntimeError("the load peers say nothing")
        return self.process.stdout.readline()

    def run(self, flags):
        """A run of the client with these flags: what it said, as an object."""
        self.process.stdin.write(" ".join(flags) + "\n")
        self.process.stdin.flush()
        return json.loads(self.said())


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) < 2:
            sys.exit("./dev bench: error: one CPU only\nhelp: the proxy and its peers need one each")
        self.proxy_cpu, self.peers_cpu = cpus[-1], cpus[0]
        self.targets = self.choose_targets()
        self.scenarios = [one for one in SCENARIOS if not options.scenario or one.name in options.scenario]
        self.rounds = {one.name: [] for one in self.scenarios}
        self.complaints = []

    def choose_targets(self):
        only = self.options.only
        others = [one for one in proxies.incumbents() if not only or one.name in only]
        unknown = set(only or []) - {one.name for one in others}
        if unknown:
            sys.exit(f"./dev bench: error: no proxy {' '.join(sorted(unknown))}\nhelp: haproxy, nginx or caddy")
        targets = [proxies.weir("weir", self.options.weir), *others]
        if self.options.other_weir:
            targets.insert(1, proxies.weir("other-weir", self.options.other_weir))
        return targets

    def run(self):
        with contextlib.ExitStack() as stack:
            locks = [stack.enter_context(open(one, "w", encoding="ascii")) for one in self.options.lock or []]
            began = None
            for number in range(self.options.rounds):
                if began is None:
                    for lock in locks:
                        fcntl.flock(lock, fcntl.LOCK_EX)
                    began = time.monotonic()
                print(f"round {number + 1} of {self.options.rounds}", file=sys.stderr, flush=True)
                self.run_round(number)
                if self.complaints:
                    return
                if time.monotonic() - began > SLICE and number + 1 < self.options.rounds:
                    for lock in locks:
                        fcntl.flock(lock, fcntl.LOCK_UN)
                    began = None
                    time.sleep(self.options.pause)

    def run_round(self, number):
        """Every proxy is started anew, so that the luck of one start is not the result."""
        with Peers(self.options.peers, self.peers_cpu) as peers:
            targets = [proxies.Direct(), *self.targets]
            try:
                for index, target in enumerate(targets):
                    target.start(self.folder, 10000 + index, peers.port, self.proxy_cpu)
                for index, scenario in enumerate(self.scenarios):
                    turn = (number + index) % len(targets)
                    order = targets[turn:] + targets[:turn]
                    if number % 2:
                        order.reverse()
                    self.rounds[scenario.name].append({one.name: self.sample(scenario, one, peers) for one in order})
            finally:
                for target in targets:
                    target.stop()

    def sample(self, scenario, target, peers):
        for _ in range(TRIES):
            sample = self.measure(scenario, target, peers)
            complaint = pairs.complaint_of(sample, scenario)
            if complaint:
                self.complaints.append(f"{scenario.name}, {target.name}: {complaint}")
                print(f"  {self.complaints[-1]}", file=sys.stderr)
            sample["doubt"] = pairs.doubt_of(sample, scenario) if target.name != "direct" and not complaint else complaint
            if complaint or not sample["doubt"]:
                break
            print(f"  {scenario.name}, {target.name}: {sample['doubt']}", file=sys.stderr)
        return sample

    def measure(self, scenario, target, peers):
        said = peers.run(["--port", str(target.port), "--warm-ms", "300",
                          "--run-ms", str(int(self.options.seconds * scenario.seconds * 1000)), *scenario.flags,
                          "--watch-cpu", str(self.proxy_cpu), *(part for pid in target.pids() for part in ("--watch", f"proxy={pid}"))])
        return digest(said)

    def result(self, congestion):
        if self.complaints:
            return {"complaints": self.complaints, "rounds": self.rounds}
        others = [one.name for one in self.targets if one.name in ("haproxy", "nginx")]
        return {"date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
                "machine": {**machine(), "congestion_control": congestion}, "seconds": self.options.seconds,
                "versions": {one.name: proxies.version(one) for one in self.targets},
                "scenarios": {one.name: {"what": one.what, **pairs.conclude(self.rounds[one.name], "weir", others)}
                              for one in self.scenarios},
                "rounds": self.rounds}


def digest(said):
    """One line of the client's, by request and by second."""
    seconds, count = max(said["seconds"], 1e-9), max(said["done"], 1)
    proxy = said["processes"].get("proxy", {"cpu_seconds": 0.0, "user_ticks": 0, "system_ticks": 0, "sleeps": 0, "preemptions": 0})
    ticks = proxy["user_ticks"] + proxy["system_ticks"]
    return {"failure": said["failure"], "done": said["done"], "reads": said["reads"], "seconds": seconds,
            "rate": said["done"] / seconds, "cpu_seconds": proxy["cpu_seconds"], "p50_us": said["p50_us"],
            "p99_us": said["p99_us"], "sleeps": proxy["sleeps"] / count,
            "user_part": proxy["user_ticks"] / ticks if ticks else 0.0,
            "preempted": proxy["preemptions"] / seconds,
            "proxy_share": proxy["cpu_seconds"] / seconds,
            "peers_share": max(0.0, 1 - said["idle_seconds"] / seconds),
            "others": max(0.0, (said["cpu_busy_seconds"] - proxy["cpu_seconds"]) / seconds)}


def machine():
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"cpu": model, "cpus": len(os.sched_getaffinity(0)), "kernel": platform.release()}


def main():
    options = arguments()
    enter_own_network()
    congestion = prepare_network()
    if congestion == "bbr":
        print("./dev bench: warning: BBR, whose timers are charged to whoever runs; reno is not allowed here", file=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        bench = Bench(options, folder)
        bench.run()
    if bench.complaints:
        print("./dev bench: error: no result: " + "\n  ".join(bench.complaints), file=sys.stderr)
    result = bench.result(congestion)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if bench.complaints:
        return 1
    print(table.text(result))
    unclear = [name for name, one in result["scenarios"].items() if one["verdict"] == "noise"]
    if unclear:
        print(f"./dev bench: cannot tell: {', '.join(unclear)}: too few good pairs or an interval too wide\n"
              "help: a quieter machine, or --rounds 20", file=sys.stderr)
    return 4 if unclear else 0


if __name__ == "__main__":
    sys.exit(main())
