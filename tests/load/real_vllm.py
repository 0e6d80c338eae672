"""Two real vLLM servers as the replicas of `weir launch` in a real Slurm job, and the OpenAI SDK without retries: a calm
round, then one server killed in the middle of a round, then the other told to stop. Called by tests/real_vllm.sh.

Environment: WEIR_BINARY, SDK_PYTHON (an interpreter with `openai`), VLLM_SERVE (a command line with {host} and {port} that
serves the model `tiny`), REQUESTS, CONCURRENCY."""

import json
import os
import pathlib
import re
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from slurm_cluster import SlurmCluster, wait_until  # noqa: E402

WEIR = str(pathlib.Path(os.environ["WEIR_BINARY"]).resolve())
SDK = os.environ["SDK_PYTHON"]
REQUESTS = int(os.environ.get("REQUESTS", "200"))
CONCURRENCY = int(os.environ.get("CONCURRENCY", "16"))
ROUNDS = [("calm", None), ("SIGKILL of one", signal.SIGKILL), ("SIGTERM of one", signal.SIGTERM)]


def command_file(slurm):
    """COMMAND: a round of chats each, both replicas ready before it."""
    lines = ["set -u"]
    for number, _ in enumerate(ROUNDS):
        lines += [
            f"{WEIR} status --instance $PPID --wait-ready 2 > /dev/null || exit 9",
            f"echo begin {number}",
            f"{SDK} {HERE}/sdk_load.py --url $1 --requests {REQUESTS} --concurrency {CONCURRENCY} --max-tokens 64"
            f" --timeout 120 --journal {slurm.dir}/journal-{number}",
            f"echo end {number} with $?",
            "sleep 3",
        ]
    path = slurm.dir / "command.sh"
    path.write_text("\n".join(lines) + "\n")
    return path


def servers(slurm):
    """Process ids of the two API servers."""
    return [pid for pid, line in slurm.marked_processes().items()
            if "vllm serve" in line and "run_vllm" not in line and "/sh -c" not in line and "--port" in line]


def table_row(slurm, number, name, when):
    rows = [json.loads(line) for line in (slurm.dir / f"journal-{number}").read_text().splitlines()]
    kinds = {}
    for row in rows:
        # An answer that had not begun when the signal came is one that must not fail.
        key = " ".join(filter(None, row["outcome"]))
        kinds[key] = kinds.get(key, 0) + 1
    late = max((row["end"] - when for row in rows if when and row["begin"] < when), default=0)
    print(f"| {name} | {len(rows)} | " + ", ".join(f"{count} {key}" for key, count in sorted(kinds.items())) +
          (f" | {late:.1f} s" if when else " | - |"), flush=True)


def main():
    with SlurmCluster(nodes=1, gpus=2, cpus=16) as slurm:
        flags = "--model tiny --replicas 2 --wait-ready all --start-timeout 15m"
        job = slurm.sbatch(f"exec {WEIR} launch {flags} --serve '{os.environ['VLLM_SERVE']}' -- sh "
                           f"{command_file(slurm)} {{url}}\n", "--nodes=1", "--gpus-per-node=2")
        print("| round | chats | what the SDK saw | longest after the signal |\n|---|---|---|---|", flush=True)
        killed = []
        for number, (name, kind) in enumerate(ROUNDS):
            job.wait_for_output(f"^begin {number}$", 900)
            when = None
            if kind is not None:
                journal = slurm.dir / f"journal-{number}"
                wait_until(lambda: journal.exists() and journal.read_text().count("\n") > REQUESTS / 4, 120, "a quarter done")
                time.sleep(0.2)  # answers end in batches: just behind one, all others would be in their prefill
                victim = next(pid for pid in sorted(servers(slurm)) if pid not in killed)
                killed.append(victim)
                os.kill(victim, kind)
                when = time.time()
            job.wait_for_output(f"^end {number} with", 600)
            table_row(slurm, number, name, when)
        code = job.wait(180)
        print("exit code", code, "| steps left:", job.steps())
        wait_until(lambda: not slurm.marked_processes(), 30, "no process of the job left")
        print(*re.findall(r"^weir: .*|^  \S.*", job.output(), re.M)[-24:], sep="\n")


main()
