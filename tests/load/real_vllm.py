"""Two real vLLM servers as the replicas of `weir launch` in a real Slurm job, and the OpenAI SDK without retries: a calm
round, then rounds in whose middle one server is told to stop or killed, in turns. Called by tests/real_vllm.sh; ends with 1
where a chat that had not begun failed, one ended short in silence, or one waited longer than 10 s after the signal.

Environment: WEIR_BINARY, SDK_PYTHON (an interpreter with `openai`), VLLM_SERVE (a command line with {host} and {port} that
serves the model `tiny`), REQUESTS (160), CONCURRENCY (16), REPEAT (of SIGTERM and of SIGKILL: 1)."""

import collections
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
REQUESTS = int(os.environ.get("REQUESTS", "160"))
CONCURRENCY = int(os.environ.get("CONCURRENCY", "16"))
REPEAT = int(os.environ.get("REPEAT", "1"))
ROUNDS = [("calm", None)] + [("SIGKILL of one", signal.SIGKILL), ("SIGTERM of one", signal.SIGTERM)] * REPEAT
LONGEST = 10.0  # seconds that a chat may wait after the signal


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
    """Prints it; whether the round was as it must be."""
    rows = [json.loads(line) for line in (slurm.dir / f"journal-{number}").read_text().splitlines()]
    kinds, first = collections.Counter(), collections.Counter()
    for row in rows:
        kinds[" ".join(filter(None, row["outcome"]))] += 1
        first[row["outcome"][0]] += 1
    # Refused: an error before the first event, so of an answer that had not begun.
    failed, short = first["refused"] + first["hung"], first["short"]
    # The work of the dead one is done again by the other: what counts is how long its own chats wait for more.
    late = max((row["end"] - when for row in rows if when and row["begin"] < when), default=0)
    print(f"| {name} | {len(rows)} | " + ", ".join(f"{count} {key}" for key, count in sorted(kinds.items())) +
          f" | {failed} | {short} | " + (f"{late:.1f} s |" if when else "- |"), flush=True)
    return len(rows) == REQUESTS and failed == 0 and short == 0 and late < LONGEST


def main():
    with SlurmCluster(nodes=1, gpus=2, cpus=16) as slurm:
        flags = "--model tiny --replicas 2 --wait-ready all --start-timeout 15m --restarts 20"
        job = slurm.sbatch(f"exec {WEIR} launch {flags} --serve '{os.environ['VLLM_SERVE']}' -- sh "
                           f"{command_file(slurm)} {{url}}\n", "--nodes=1", "--gpus-per-node=2")
        print("| round | chats | what the SDK saw | not begun and failed | short in silence | longest after the signal |\n"
              "|---|---|---|---|---|---|", flush=True)
        is_well = True
        for number, (name, kind) in enumerate(ROUNDS):
            job.wait_for_output(f"^begin {number}$", 900)
            when = None
            if kind is not None:
                journal = slurm.dir / f"journal-{number}"
                wait_until(lambda: journal.exists() and journal.read_text().count("\n") > REQUESTS / 4, "a quarter done", 120)
                time.sleep(0.2)  # answers end in batches: just behind one, all others would be in their prefill
                os.kill(sorted(servers(slurm))[number % 2], kind)
                when = time.time()
            job.wait_for_output(f"^end {number} with", 600)
            is_well = table_row(slurm, number, name, when) and is_well
        code = job.wait(180)
        print("exit code", code, "| steps left:", job.steps())
        wait_until(lambda: not slurm.marked_processes(), "no process of the job left")
        print(*re.findall(r"^weir: .*|^  \S.*", job.output(), re.M)[-24:], sep="\n")
    return 0 if is_well else 1


sys.exit(main())
