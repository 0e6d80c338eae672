#!/usr/bin/env python3
"""The result files of `weir bench` under the programs that read those of `vllm bench serve`. Not part of CI: needs vLLM.

    VLLM_REAL_DIR=… python3 tests/load/vllm_reads_ours.py RUN.json [--theirs VLLM.json] [--plot]

RUN.json        of `weir bench --out RUN.json --detailed`
--theirs        a file of the real `vllm bench serve --save-result --save-detailed`: every key of it has to be in ours, of its type
--plot          `vllm bench sweep plot`, too: needs pandas, matplotlib and seaborn on PYTHONPATH

The programs: vLLM's timeline (benchmarks/plot.py), the reader and the table of its sweeps (benchmarks/sweep/plot.py), its writer of the
PyTorch benchmark format (benchmarks/lib/utils.py), and what it computes itself (numpy) from the arrays.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Runs in vLLM's environment: argv = RUN.json
INSIDE = r"""
import argparse, json, os, sys
from pathlib import Path
os.environ["SAVE_TO_PYTORCH_BENCHMARK_FORMAT"] = "1"
import numpy as np
from vllm.benchmarks.lib.utils import convert_to_pytorch_benchmark_format
from vllm.benchmarks.plot import construct_timeline_data
from vllm.benchmarks.sweep.plot import PlotFilters, _convert_inf_nan_strings, _get_metric, _json_load_bytes

ours = json.load(open(sys.argv[1]))
requests = [dict(start_time=s, ttft=t, itl=i, latency=t + sum(i), prompt_len=p, output_tokens=o)
            for s, t, i, p, o in zip(ours["start_times"], ours["ttfts"], ours["itls"], ours["input_lens"], ours["output_lens"])]
rows = construct_timeline_data(requests, [0.025, 0.05], ["fast", "middle", "slow"])
print(f"timeline: {len(rows)} segments of {len(requests)} requests")
assert len(rows) == len(requests) + sum(len(i) for i in ours["itls"])

names = [f"{s}_{m}_ms" for m in ("ttft", "tpot", "itl") for s in ("median", "mean", "std", "p99")]
records = convert_to_pytorch_benchmark_format(argparse.Namespace(model=ours["model_id"]), {n: [ours[n]] for n in names},
                                              {k: v for k, v in ours.items() if k not in names})
print(f"PyTorch benchmark format: {len(records)} records")
assert len(records) == len(names)

summary = Path(sys.argv[1]).with_name("summary.json")
summary.write_text(json.dumps([ours, ours]))
for record in _convert_inf_nan_strings(_json_load_bytes(summary)):
    for name in (*names, "request_throughput", "output_throughput", "request_rate", "max_concurrency"):
        value = _get_metric(record, name)
        assert value is None or isinstance(value, (int, float)), (name, value)
print("sweep reader: every metric found")

good = [i for i, error in enumerate(ours["errors"]) if not error]
def check(name, values):
    for percent, key in ((50, "median"), (99, "p99")):
        wanted = float(np.percentile(values, percent)) * 1000
        assert abs(ours[f"{key}_{name}_ms"] - wanted) <= 1e-6 * max(1, wanted), (name, key, wanted)
    assert abs(ours[f"std_{name}_ms"] - float(np.std(values)) * 1000) < 1e-6
    assert abs(ours[f"mean_{name}_ms"] - float(np.mean(values)) * 1000) < 1e-6
check("ttft", [ours["ttfts"][i] for i in good])
check("itl", [gap for i in good for gap in ours["itls"][i]])
check("e2el", [ours["latencies"][i] for i in good])
check("tpot", [(ours["latencies"][i] - ours["ttfts"][i]) / (ours["output_lens"][i] - 1) for i in good if ours["output_lens"][i] > 1])
print("numpy: mean, std, median and p99 of TTFT, ITL, TPOT and E2EL are what ours says")
"""


def kind(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return {int: "number", float: "number", str: "string", list: "list", dict: "object"}[type(value)]


def compare_keys(ours, theirs):
    """Keys of theirs that are missing in ours or of another type; null and "inf" stand for a number."""
    mistakes = []
    for key, value in theirs.items():
        if key not in ours:
            mistakes.append(f"{key} is missing")
        elif kind(ours[key]) != kind(value) and "null" not in (kind(ours[key]), kind(value)) and "inf" not in (str(ours[key]), str(value)):
            mistakes.append(f"{key} is {kind(ours[key])}, vLLM's is {kind(value)}")
        elif isinstance(value, list) and value and ours[key] and kind(ours[key][0]) != kind(value[0]):
            mistakes.append(f"{key} is a list of {kind(ours[key][0])}, vLLM's of {kind(value[0])}")
    return mistakes


def draw_sweep(venv, run):
    """`vllm bench sweep plot` over a folder with our file: it ends with a picture."""
    with tempfile.TemporaryDirectory() as folder:
        with open(run, encoding="utf-8") as file:
            ours = json.load(file)
        (Path(folder) / "weir").mkdir()
        (Path(folder) / "weir" / "summary.json").write_text(json.dumps([ours]))
        subprocess.run([f"{venv}/bin/vllm", "bench", "sweep", "plot", folder, "--var-x", "request_rate", "--var-y", "p99_ttft_ms",
                        "--curve-by", "model_id"], check=True, timeout=600, stdout=subprocess.DEVNULL)
        pictures = list(Path(folder).glob("*.png"))
        print(f"vllm bench sweep plot: a picture of {pictures[0].stat().st_size} bytes" if pictures else "vllm bench sweep plot: no picture")
        return bool(pictures)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--theirs")
    parser.add_argument("--plot", action="store_true")
    options = parser.parse_args()
    venv = os.path.join(os.environ["VLLM_REAL_DIR"], "venv")
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "run.json")
        shutil.copy(options.run, copy)
        subprocess.run([f"{venv}/bin/python", "-c", INSIDE, copy], check=True, timeout=600)
    if options.theirs:
        with open(options.run, encoding="utf-8") as file, open(options.theirs, encoding="utf-8") as other:
            ours, theirs = json.load(file), json.load(other)
        mistakes = compare_keys(ours, theirs)
        print("\n".join(mistakes) or f"keys: all {len(theirs)} of vLLM's file are in ours")
        if mistakes:
            return 1
    if options.plot and not draw_sweep(venv, options.run):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
