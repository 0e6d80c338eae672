#!/usr/bin/env python3
"""Load testers against the same faults: what each calls a success, and what it measures. Not part of CI: needs the testers.

    testers_side_by_side.py --weir WEIR [--vllm PROGRAM] [--aiperf PROGRAM] [--tokenizer DIR]
                            [--kinds none,clean_end,…] [--sigint] [--rates 1000,5000 --timed-server PROGRAM]

--vllm       `vllm` of an environment in which `vllm bench serve` runs
--aiperf     `aiperf` of PyPI
--tokenizer  a folder with the tokenizer of a model, for those two; nothing is downloaded
--kinds      of tests/load/faulty_server.py; default all. --requests (40), --rate (20 a second), every 4th request is broken
--sigint     also: a run of a minute, interrupted after so many requests
--rates      also: p50 and p99 against the server that writes down when it sent (tests/support/timed_server.cpp, compiled),
             for --seconds (10) each, in chunks a second; the server on the first core of --cores (0,1), the tester on the second

Prints tables in Markdown. One tester at a time; loads are small, but for --rates.
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import bench_truth
from faulty_server import KINDS, NEVER_BROKEN

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 180  # seconds that a tester may take beyond its load
TOKENS, FIRST_MS, GAP_MS = 30, 100, 10
SIGINT_AFTER = 40  # requests begun
# Nothing is asked of any network; a folder is enough for a tokenizer.
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


def percentile(values, percent):
    return bench_truth.percentile(values, percent) if values else None


class Result:
    """What a tester says of its run; None where it says nothing."""

    def __init__(self, status, good=None, lost="", tokens=None, throughput=None, **ms):
        self.status, self.good, self.lost, self.tokens, self.throughput, self.ms = status, good, lost, tokens, throughput, ms


class Tester:
    def __init__(self, name, program, options):
        self.name, self.program, self.options = name, program, options

    def run(self, url, load, folder, prefix=(), interrupt=None):
        """`interrupt`: called in its own time, returns when the tester is to get SIGINT."""
        environment = {key: value for key, value in os.environ.items() if key != "OPENAI_API_KEY"} | self.environment()
        with open(os.path.join(folder, "log"), "w", encoding="utf-8") as log:
            process = subprocess.Popen([*prefix, *self.command(url, load, folder)], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                if interrupt is not None:
                    interrupt(process)
                    os.killpg(process.pid, signal.SIGINT)
                status = process.wait(load["seconds"] + PATIENCE)
            except subprocess.TimeoutExpired:
                status = "hangs"
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        try:
            return self.read(folder, status)
        except (FileNotFoundError, KeyError) as problem:
            return Result(status, lost=f"no result ({problem.__class__.__name__})")

    def environment(self):
        return {}

    def text(self, folder):
        with open(os.path.join(folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()


class Weir(Tester):
    def command(self, url, load, folder):
        return [self.program, "bench", url, "--rate", f"{load['rate']:g}", "--arrival", "constant", "--requests", str(load["requests"]),
                "--input-tokens", "8", "--output-tokens", str(load["tokens"]), "--out", folder, "--progress", "off"]

    def read(self, folder, status):
        with open(os.path.join(folder, "run.json"), encoding="utf-8") as file:
            run = json.load(file)
        counts, latency = run["weir"]["requests"], run["weir"]["latency_ms"]
        lost = ", ".join(f"{counts[kind]} {kind}" for kind in ("truncated", "failed", "rejected", "unfinished") if counts.get(kind))
        if not run["weir"]["tester"]["trusted"]:
            lost += (", " if lost else "") + "NOT TRUSTED"
        ms = {f"{name}{percent}": latency[name][f"p{percent}"] for name in ("ttft", "itl", "tpot") for percent in (50, 99)
              if name in latency}
        return Result(status, run["completed"], lost, run["total_output_tokens"], run["output_throughput"], **ms)


class Vllm(Tester):
    def environment(self):
        return OFFLINE

    def command(self, url, load, folder):
        return [self.program, "bench", "serve", "--backend", "openai-chat", "--base-url", url, "--endpoint", "/v1/chat/completions",
                "--model", "tiny", "--tokenizer", self.options.tokenizer, "--dataset-name", "random", "--random-input-len", "8",
                "--random-output-len", str(load["tokens"]), "--num-prompts", str(load["requests"]), "--request-rate", f"{load['rate']:g}",
                "--burstiness", "inf", "--ignore-eos", "--save-result", "--result-dir", folder, "--result-filename", "vllm.json",
                "--percentile-metrics", "ttft,tpot,itl,e2el", "--metric-percentiles", "50,99", "--disable-tqdm"]

    def read(self, folder, status):
        with open(os.path.join(folder, "vllm.json"), encoding="utf-8") as file:
            run = json.load(file)
        ms = {f"{name}{percent}": run[f"p{percent}_{name}_ms"] for name in ("ttft", "itl", "tpot") for percent in (50, 99)}
        return Result(status, run["completed"], f"{run['failed']} failed" if run["failed"] else "", run["total_output_tokens"],
                      run["output_throughput"], **ms)


class Aiperf(Tester):
    # With HF_HUB_OFFLINE aiperf takes a folder for the name of a repository and ends with a HookError; its "builtin" tokenizer
    # wants to be downloaded.
    def environment(self):
        return {"HF_HUB_OFFLINE": "", "TRANSFORMERS_OFFLINE": "", "DO_NOT_TRACK": "1"}

    def command(self, url, load, folder):
        return [self.program, "profile", "-m", "tiny", "--url", url, "--endpoint-type", "chat", "--streaming", "--tokenizer", self.options.tokenizer,
                "--request-rate", f"{load['rate']:g}", "--arrival-pattern", "constant", "--request-count", str(load["requests"]),
                "--isl", "8", "--osl", str(load["tokens"]), "--extra-inputs", "ignore_eos:true",
                "--artifact-dir", folder, "--ui", "none", "--no-gpu-telemetry", "--no-server-metrics"]

    def read(self, folder, status):
        with open(os.path.join(folder, "profile_export_aiperf.json"), encoding="utf-8") as file:
            run = json.load(file)
        names = {"ttft": "time_to_first_token", "itl": "inter_chunk_latency", "tpot": "inter_token_latency"}
        ms = {f"{short}{percent}": run[name][f"p{percent}"] for short, name in names.items() for percent in (50, 99) if name in run}

        def value(name):
            return (run.get(name) or {}).get("avg")

        failed = int(value("error_request_count") or 0)
        lost = f"{failed} failed" if failed else ""
        mismatch = (value("osl_mismatch_count") or 0) if "osl_mismatch_count" in run else 0
        if mismatch:
            lost += (", " if lost else "") + f"a warning of {int(mismatch)} lengths"
        if run.get("was_cancelled"):
            lost += (", " if lost else "") + "marked as cancelled"
        late = len(re.findall(r"taking too long to run", self.text(folder)))
        if late:
            lost += (", " if lost else "") + f"{late} lines of its log say that it was late"
        return Result(status, int(value("request_count") or 0), lost, value("total_output_tokens"), value("output_token_throughput"), **ms)


class FaultyServer:
    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "faulty_server.py")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.url = "http://127.0.0.1:" + self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def order(self, kind):
        data = json.dumps({"kind": kind, "tokens": TOKENS, "first_ms": FIRST_MS, "gap_ms": GAP_MS}).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + "/fault", data), timeout=60) as reply:
            reply.read()

    def truth(self):
        with urllib.request.urlopen(self.url + "/truth", timeout=60) as reply:
            return json.load(reply)


def number(value, digits=1):
    return "–" if value is None else f"{value:,.{digits}f}"


def print_row(*cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def cells_of(result):
    """Successes and losses; tokens; latencies; exit status."""
    good = "–" if result.good is None else str(result.good)
    ms = [" / ".join(number(result.ms.get(f"{name}{percent}"), 1) for percent in (50, 99)) for name in ("ttft", "itl", "tpot")]
    return [good, result.lost or "–", number(result.tokens, 0), number(result.throughput, 0), *ms, str(result.status)]


def truth_cells(truth):
    """In the order of cells_of."""
    ms = [" / ".join(number(percentile(truth[name], percent), 1) for percent in (50, 99)) for name in ("ttft_ms", "gaps_ms")]
    lost = ", ".join(f"{truth[kind]} {kind}" for kind in ("broken", "unfinished") if truth[kind])
    throughput = truth["whole_tokens"] / truth["seconds"] if truth["seconds"] > 0 else None
    return [str(truth["whole"]), lost or "–", number(truth["whole_tokens"], 0), number(throughput, 0), *ms, "", ""]


HEADS = ["success", "besides", "tokens", "tok/s", "TTFT p50 / p99", "gaps p50 / p99", "TPOT p50 / p99", "exit"]


def print_heads(*first):
    print_row(*first, *HEADS)
    print_row(*["---"] * (len(first) + len(HEADS)))


def run_kinds(testers, server, options):
    load = {"rate": options.rate, "requests": options.requests, "tokens": TOKENS, "seconds": options.requests / options.rate}
    print_heads("fault", "who")
    counts = {}
    for kind in options.kinds.split(","):
        truths = []
        for tester in testers:
            server.order(kind)
            with tempfile.TemporaryDirectory() as folder:
                result = tester.run(server.url, load, folder)
            truths.append(server.truth())
            counts[kind, tester.name] = (result, truths[-1])
            print_row(kind, "truth", *truth_cells(truths[-1]))
            print_row("", tester.name, *cells_of(result))
    print("\nBroken streams that count as successes:\n", flush=True)
    print_row("what happens", *[tester.name for tester in testers])
    print_row(*["---"] * (1 + len(testers)))
    for kind in options.kinds.split(","):
        if kind not in NEVER_BROKEN:
            cells = [miscounted(*counts[kind, tester.name]) for tester in testers]
            print_row(KINDS[kind], *cells)


def miscounted(result, truth):
    if result.good is None:
        return "no result"
    return f"{result.good - truth['whole']} of {truth['broken']}, exit {result.status}"


def run_interrupted(testers, server, options):
    load = {"rate": options.rate, "requests": int(60 * options.rate), "tokens": TOKENS, "seconds": 60}

    def interrupt(process):
        while process.poll() is None and server.truth()["whole"] < SIGINT_AFTER:
            time.sleep(0.1)

    print()
    print_heads("SIGINT", "who")
    for tester in testers:
        server.order("none")
        with tempfile.TemporaryDirectory() as folder:
            result = tester.run(server.url, load, folder, interrupt=interrupt)
        print_row(f"after {SIGINT_AFTER} answers", "truth", *truth_cells(server.truth()))
        print_row("", tester.name, *cells_of(result))


def run_rate(tester, program, rate, options):
    cores = options.cores.split(",")
    tokens = bench_truth.TOKENS
    requests = round(rate / tokens * options.seconds)
    load = {"rate": rate / tokens, "requests": requests, "tokens": tokens, "seconds": options.seconds}
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "sent")
        server = subprocess.Popen(["taskset", "-c", cores[0], program, log, str(bench_truth.FIRST_MS), str(bench_truth.GAP_MS), str(tokens)],
                                  stdout=subprocess.PIPE, text=True)
        try:
            url = "http://127.0.0.1:" + server.stdout.readline().strip()
            result = tester.run(url, load, folder, prefix=["taskset", "-c", cores[1]])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
            server.stdout.close()
        truth = bench_truth.true_samples(bench_truth.read_log(log, by_index=False))
    cells = []
    for name in ("ttft", "itl"):
        for percent in (50, 99):
            true, seen = percentile(truth[name], percent), result.ms.get(f"{name}{percent}")
            off = "–" if seen is None or not true else f"{(seen / true - 1) * 100:+.1f} %"
            cells.append(f"{number(true)} → {number(seen)} ({off})")
    tpot = number(result.ms.get("tpot50"))
    print_row(f"{rate:,}", tester.name, *cells, tpot, str(result.good), result.lost or "–", str(result.status))


def run_rates(testers, options):
    print()
    print_row("chunks/s", "who", "TTFT p50", "TTFT p99", "gaps p50", "gaps p99", "TPOT p50", "success", "besides", "exit")
    print_row(*["---"] * 10)
    with tempfile.TemporaryDirectory() as built:
        program = options.timed_server or bench_truth.build_server(built)
        for rate in [int(text) for text in options.rates.split(",")]:
            for tester in testers:
                run_rate(tester, program, rate, options)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir")
    parser.add_argument("--vllm")
    parser.add_argument("--tokenizer")
    parser.add_argument("--aiperf")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--sigint", action="store_true")
    parser.add_argument("--rates")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--cores", default="0,1")
    parser.add_argument("--timed-server")
    options = parser.parse_args()
    if (options.vllm or options.aiperf) and not options.tokenizer:
        parser.error("--vllm and --aiperf need --tokenizer")
    testers = [kind(name, os.path.abspath(program), options) for name, program, kind in
               (("weir", options.weir, Weir), ("vllm", options.vllm, Vllm), ("aiperf", options.aiperf, Aiperf)) if program]
    unknown = [kind for kind in options.kinds.split(",") if kind and kind not in KINDS]
    if unknown or not testers:
        parser.error(f"unknown kind {unknown[0]}" if unknown else "give a tester")
    with FaultyServer() as server:
        if options.kinds:
            run_kinds(testers, server, options)
        if options.sigint:
            run_interrupted(testers, server, options)
    if options.rates:
        run_rates(testers, options)


if __name__ == "__main__":
    main()
