#!/usr/bin/env python3
"""Is `weir bench` right? Its numbers against those of a server that records when it really sent (tests/support/timed_server).

    bench_truth.py WEIR [--server PROGRAM] [--rates 1000,10000,50000] [--seconds 10] [--cores 0,1] [--rounds 1]

Without --server it is compiled. The server runs on the first core, the tester on the second. A row for each rate of chunks
a second: p50 and p99 of TTFT and ITL, true and measured, and the tester's own CPU a chunk. Exit status 1 when a p50 is off by
more than 2 % or a p99 by more than 10 %, or a chunk costs more than 12 us, 4 when the tester itself says that it is not to be
trusted.
"""
import argparse
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile

FIRST_MS, GAP_MS, TOKENS = 100, 20, 150
MOST_OFF = {50: 0.02, 99: 0.10}
MOST_US = 12


def build_server(folder):
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "timed_server.cpp")
    program = os.path.join(folder, "timed_server")
    subprocess.run(["c++", "-std=c++20", "-O2", source, "-o", program], check=True)
    return program


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def read_log(path, by_index=True):
    """{request index: (time of its request, times of its tokens)}, in ms. A tester without our request ids has no indexes."""
    with open(path, "rb") as file:
        data = file.read()
    sent, at = {}, 0
    while at < len(data):
        index, count, read = struct.unpack_from("<IIq", data, at)
        times = struct.unpack_from(f"<{count}q", data, at + 16)
        at += 16 + 8 * count
        sent[index if by_index else len(sent)] = (read / 1e6, [time / 1e6 for time in times])
    return sent


def true_samples(sent):
    ttft = [times[0] - read for read, times in sent.values()]
    itl = [after - before for _, times in sent.values() for before, after in zip(times, times[1:])]
    return {"ttft": ttft, "itl": itl}


def measured_samples(path):
    ttft, itl, outcomes = [], [], {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            request = json.loads(line)
            outcomes[request["outcome"]] = outcomes.get(request["outcome"], 0) + 1
            if request["outcome"] == "ok":
                ttft.append(request["ttft_ms"])
                itl += request["gaps_ms"]
    return {"ttft": ttft, "itl": itl}, outcomes


def run(weir, server, rate, seconds, cores, folder, more):
    log, lines = os.path.join(folder, "sent"), os.path.join(folder, "requests.jsonl")
    timed = subprocess.Popen(["taskset", "-c", cores[0], server, log, str(FIRST_MS), str(GAP_MS), str(TOKENS)],
                             stdout=subprocess.PIPE, text=True)
    try:
        url = "http://127.0.0.1:" + timed.stdout.readline().strip()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        tester = subprocess.run(
            ["taskset", "-c", cores[1], weir, "bench", url, "--rate", f"{rate / TOKENS:g}", "--arrival", "constant", "--duration",
             f"{seconds}s", "--input-tokens", "8", "--output-tokens", str(TOKENS), "--jsonl", lines, *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds + 120, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    finally:
        timed.send_signal(signal.SIGTERM)
        timed.wait(timeout=60)
    if tester.returncode not in (0, 4):
        sys.exit(f"weir bench ended with {tester.returncode}:\n{tester.stdout}{tester.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return true_samples(read_log(log)), measured_samples(lines), cpu, tester


def report(rate, truth, measured, cpu, tester):
    """A row of the table; True if it is within the bounds."""
    samples, outcomes = measured
    cells, good = [], True
    for metric in ("ttft", "itl"):
        for percent in (50, 99):
            true, seen = percentile(truth[metric], percent), percentile(samples[metric], percent)
            off = seen / true - 1
            good = good and abs(off) <= MOST_OFF[percent]
            cells.append(f"{true:8.2f} {seen:8.2f} {off * 100:+6.1f} %")
    chunks = len(samples["itl"]) + len(samples["ttft"])
    trust = re.search(r"(?im)^.*trusted.*$", tester.stdout)
    print(f"{rate:>7} | " + " | ".join(cells) + f" | {cpu / chunks * 1e6:5.1f} us | {outcomes} | exit {tester.returncode} | "
          + (trust[0].strip() if trust else "?"), flush=True)
    return good and cpu / chunks * 1e6 <= MOST_US and set(outcomes) == {"ok"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weir")
    parser.add_argument("--server")
    parser.add_argument("--rates", default="1000,10000,50000")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--cores", default="0,1")
    parser.add_argument("--rounds", type=int, default=1)
    arguments, more = parser.parse_known_args()
    good, trusted = True, True
    built = tempfile.TemporaryDirectory()
    server = arguments.server or build_server(built.name)
    print("chunks/s | TTFT p50: true, seen, off | p99 | ITL p50 | p99 | CPU a chunk, start to end | outcomes | verdict")
    for _ in range(arguments.rounds):
        for rate in [int(text) for text in arguments.rates.split(",")]:
            with tempfile.TemporaryDirectory() as folder:
                truth, measured, cpu, tester = run(arguments.weir, server, rate, arguments.seconds,
                                                   arguments.cores.split(","), folder, more)
            good = report(rate, truth, measured, cpu, tester) and good
            trusted = trusted and tester.returncode == 0
    return 1 if not good else 0 if trusted else 4


if __name__ == "__main__":
    sys.exit(main())
