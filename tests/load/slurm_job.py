"""The main job on a real Slurm: 2 nodes x 4 GPUs, eight pretend replicas, the OpenAI SDK. Prints what was seen.

    WEIR_BINARY=build/release/weir SDK_PYTHON=build/clients/venv/bin/python python3 tests/load/slurm_job.py [NAME …]

SDK_PYTHON is an interpreter that has the `openai` package. NAME: mixed, early, kill, exits (default: all)."""

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
HEADER = ["--nodes=2", "--gpus-per-node=4", "--cpus-per-gpu=2"]
MOCK = f"{WEIR} mock --listen {{host}}:{{port}} --model tiny --max-seqs 32 --ttft 20ms --itl 5ms"


def launch(serve, command, flags=""):
    return f"exec {WEIR} launch --model tiny {flags} --serve '{serve}' -- {command}\n"


def sdk(*arguments):
    return f"{SDK} {HERE}/sdk_load.py --url {{url}} " + " ".join(arguments)


def check_choices(text):
    """Every choice of the debug trace: the chosen one had the fewest outstanding of those that could be chosen."""
    choices = re.findall(r"choose backend=(\S+) outstanding=(\d+) fewest=(\d+) of \[(.*?)\]", text)
    wrong = 0
    for chosen, outstanding, fewest, states in choices:
        loads = dict(part.split("=") for part in states.split() if ":" not in part)
        if int(loads[chosen]) != min(map(int, loads.values())) or outstanding != fewest:
            wrong += 1
    return len(choices), wrong


def devices_of(job):
    gpus = {}
    for log in sorted(job.output_path.parent.glob("weir-logs/*")):
        match = re.search(r"gpus=(\S+)", log.read_text(errors="replace"))
        gpus[log.name] = match.group(1) if match else "?"
    return gpus


def finish(slurm, job, timeout=300):
    code = job.wait(timeout)
    print("   exit code", code, "| steps left:", job.steps(), "| processes left:", len(slurm.marked_processes()))
    return code


def show_mixed(slurm):
    print("== 2,000 mixed requests through the SDK at concurrency 256")
    job = slurm.sbatch(launch(MOCK, sdk("--requests 2000", "--concurrency 256", "--all-whole"),
                              "--log-level debug"), *HEADER)
    finish(slurm, job)
    text = job.output()
    print("  ", re.search(r'^\{"requests".*$', text, re.M).group(0))
    print("   choices in the trace, of them not the least loaded:", check_choices(text))
    print("   replica lines:", *re.findall(r"weir: replica .*: ready .*", text), sep="\n     ")
    print("   report:", *text[text.index("weir: COMMAND ended"):].splitlines(), sep="\n     ")


def show_early(slurm):
    print("== 1,000 clients while one of eight is ready and the others load for a minute")
    serve = MOCK.replace("mock ", "mock --load-time $([ {replica} = 0 ] && echo 0s || echo 60s) ")
    job = slurm.sbatch(launch(serve, sdk("--requests 1000", "--concurrency 1000", "--all-whole", "--timeout 200")), *HEADER)
    finish(slurm, job)
    text = job.output()
    print("  ", re.search(r'^\{"requests".*$', text, re.M).group(0))
    print("   ", *re.findall(r"weir: replica .*: ready .*", text)[:3], sep="\n     ")


def show_kill(slurm):
    print("== one replica killed with SIGKILL in the middle, one that hangs in start")
    serve = MOCK.replace("mock ", "mock $([ {replica} = 7 ] && echo --fault never_ready) ")
    job = slurm.sbatch(launch(serve, sdk("--requests 2000", "--concurrency 128", "--max-tokens 100"),
                              "--wait-ready 7 --start-timeout 60s"), *HEADER)
    job.wait_for_output(r"7 of 8 replicas ready", 60)
    time.sleep(3)
    victims = [pid for pid, line in slurm.marked_processes().items() if re.match(r"\S*weir\S* mock ", line)]
    os.kill(victims[0], signal.SIGKILL)
    finish(slurm, job)
    text = job.output()
    print("  ", re.search(r'^\{"requests".*$', text, re.M).group(0))
    print("   replica lines:", *re.findall(r"weir: replica .*(?:restart|ended|killed|back|ready after).*", text)[-6:], sep="\n     ")


def show_exits(slurm):
    print("== exit codes, and everything that ends a run")
    for code in (0, 7):
        job = slurm.sbatch(launch(MOCK, f"sh -c \"exit {code}\""), *HEADER)
        print(f"   COMMAND exits with {code}:")
        finish(slurm, job)
    job = slurm.sbatch(launch("echo no such model >&2; exit 3", "true", "--restarts 0"), *HEADER)
    print("   --serve cannot start:")
    finish(slurm, job)
    print("     ", *job.output().splitlines()[-12:], sep="\n     ")
    job = slurm.sbatch(launch(MOCK, "sleep 300"), *HEADER)
    job.wait_for_output(r"of 8 replicas ready", 60)
    begin = time.time()
    job.cancel()
    print("   scancel:")
    finish(slurm, job)
    wait_until(lambda: not slurm.marked_processes(), "all gone")
    print(f"     all gone {time.time() - begin:.1f} s after scancel:", *job.output().splitlines()[-4:], sep="\n     ")


def main():
    names = sys.argv[1:] or ["mixed", "early", "kill", "exits"]
    with SlurmCluster(nodes=2, gpus=4, cpus=16) as slurm:
        for name in names:
            globals()["show_" + name](slurm)


main()
