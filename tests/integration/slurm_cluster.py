"""A real Slurm on one machine for the length of a test: munged, slurmctld and one slurmd a node, with pretend GPUs, in a
directory of its own and on free ports. /etc/slurm is not touched; nothing is left afterwards. Needs the packages
slurm-wlm and munge; as root every job may run as any user, else all run as the caller.

    with SlurmCluster(nodes=2, gpus=4, cpus=16) as slurm:
        job = slurm.sbatch("srun hostname", "--nodes=2", "--gpus-per-node=4")
        job.wait(30)
        print(job.output())
"""

import contextlib
import getpass
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

NEEDED = ["munged", "slurmctld", "slurmd", "srun", "sbatch", "squeue", "scontrol", "scancel", "sinfo"]
PATIENCE = 180  # seconds that anything may take; nothing is measured
MARK = "WEIR_SLURM_FIXTURE"  # in the environment of everything that runs in the cluster

CONFIG = """\
ClusterName={cluster}
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ctl_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={dir}/munge.sock
CryptoType=crypto/munge
PlugStackConfig=/dev/null
StateSaveLocation={dir}/state
SlurmdSpoolDir={dir}/spool/%n
SlurmctldPidFile={dir}/slurmctld.pid
SlurmdPidFile={dir}/slurmd-%n.pid
SlurmctldLogFile={dir}/log/slurmctld.log
SlurmdLogFile={dir}/log/slurmd-%n.log
SlurmctldDebug=info
SlurmdDebug=info
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=100
GresTypes=gpu
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,bf_interval=1,sched_interval=2
KillWait={kill_wait}
SlurmdTimeout={slurmd_timeout}
MessageTimeout=15
TCPTimeout=5
InactiveLimit=0
MinJobAge=600
OverTimeLimit=0
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=01:00:00 OverSubscribe=NO State=UP
"""


class SlurmError(Exception):
    pass


def free_ports(count):
    """Ports that were free a moment ago, all different; below those the kernel gives to connections."""
    ports = []
    while len(ports) < count:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports


def kill(pid):
    """At once; who has ended meanwhile is as good."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wait_until(condition, what, timeout=PATIENCE):
    """The first true value of condition(); SlurmError when there is none in time."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise SlurmError(f"after {timeout} s still not: {what}")
        time.sleep(0.05)


class Job:
    """A batch job; its output (both streams) goes to a file."""

    def __init__(self, cluster, job_id, output_path):
        self.cluster = cluster
        self.id = job_id
        self.output_path = output_path

    def output(self):
        try:
            return self.output_path.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def fields(self):
        """`scontrol show job` as a dictionary."""
        for left in (2, 1, 0):  # a busy controller may let it time out
            answer = self.cluster.run(["scontrol", "-o", "show", "job", self.id], check=left == 0)
            if answer.returncode == 0:
                break
        text = answer.stdout
        return dict(word.split("=", 1) for word in text.split() if "=" in word)

    def state(self):
        return self.fields().get("JobState", "?")

    def exit_code(self):
        """Of the batch script, 128+n for a signal."""
        code, number = self.fields()["ExitCode"].split(":")
        return 128 + int(number) if int(number) else int(code)

    def is_over(self):
        return self.state() not in ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING")

    def wait(self, timeout=PATIENCE):
        try:
            wait_until(self.is_over, f"job {self.id} over", timeout)
        except SlurmError as error:
            raise SlurmError(f"{error}\n--- its output:\n{self.output()}") from None
        return self.exit_code()

    def wait_for_output(self, pattern, timeout=PATIENCE):
        """The match of a regular expression in the output."""
        try:
            return wait_until(lambda: re.search(pattern, self.output(), re.M), f"output has {pattern!r}", timeout)
        except SlurmError as error:
            raise SlurmError(f"{error}\n--- output:\n{self.output()}") from None

    def steps(self):
        """Ids of srun's steps that are there: not batch, not extern."""
        for left in (2, 1, 0):  # as above
            answer = self.cluster.run(["squeue", "-h", "-s", "-j", self.id, "-o", "%i"], check=False)
            if answer.returncode == 0 or "Invalid job id" in answer.stderr:
                break
            if left == 0:
                raise SlurmError(f"squeue ended with {answer.returncode}: {answer.stderr.strip()}")
        text = answer.stdout
        return [line for line in text.split() if line.rsplit(".", 1)[-1].isdigit()]

    def cancel(self, *options):
        self.cluster.run(["scancel", *options, self.id], check=False)


class SlurmCluster:
    def __init__(self, nodes=2, gpus=4, cpus=16, prefix="gpu", gpu_type="", kill_wait=5, slurmd_timeout=15):
        missing = [program for program in NEEDED if shutil.which(program, path=self._path()) is None]
        if missing:
            raise SlurmError(f"missing {' '.join(missing)}; help: apt-get install slurm-wlm munge")
        self.names = [f"{prefix}{i + 1:02d}" for i in range(nodes)]
        self.gpus, self.cpus, self.gpu_type = gpus, cpus, gpu_type
        self.kill_wait, self.slurmd_timeout = kill_wait, slurmd_timeout
        self.dir = None
        self.env = None
        self._munged = self._slurmctld = None
        self._slurmds = {}
        self._count = 0

    @staticmethod
    def _path():
        return os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"

    # -- life

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="weir-slurm-", dir="/tmp"))
        os.chmod(self.dir, 0o755)  # jobs of other users read the configuration
        try:
            self._write_files()
            self._start()
        except BaseException:
            self._print_logs()
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        if self.env and self._slurmctld and self._slurmctld.poll() is None:
            self.run(["scancel", "--full", *self._job_ids()], check=False)
            self._kill_marked()
        for process in [*self._slurmds.values(), self._slurmctld, self._munged]:
            self._end(process)
        self._kill_marked()
        self._kill_shepherds()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _write_files(self):
        for name in ("state", "spool", "log", "dev", "jobs", "munge"):
            (self.dir / name).mkdir()
        for name in self.names:
            (self.dir / "spool" / name).mkdir()
        os.chmod(self.dir / "jobs", 0o1777)
        os.chmod(self.dir / "munge", 0o700)
        key = self.dir / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        for i in range(self.gpus):  # a device by its type; its number is the name's
            (self.dir / "dev" / f"gpu{i}").symlink_to("/dev/null")
        ports = free_ports(len(self.names) + 1)
        gres = f" Gres=gpu:{self.gpu_type + ':' if self.gpu_type else ''}{self.gpus}" if self.gpus else ""
        lines = [
            f"NodeName={name} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} CPUs={self.cpus} "
            f"RealMemory=64000{gres}"
            for name, port in zip(self.names, ports[1:])
        ]
        self._write("slurm.conf", CONFIG.format(
            cluster=f"weir{os.getpid()}", ctl_port=ports[0], user=getpass.getuser(), dir=self.dir,
            kill_wait=self.kill_wait, slurmd_timeout=self.slurmd_timeout, nodes="\n".join(lines)))
        kind = f" Type={self.gpu_type}" if self.gpu_type else ""
        self._write("gres.conf", "".join(
            f"NodeName={name} Name=gpu{kind} File={self.dir}/dev/gpu[0-{self.gpus - 1}]\n" for name in self.names)
            if self.gpus else "")
        # Named, so that slurmd does not look for /sys/fs/cgroup, which a bare root may lack; nothing here uses it.
        self._write("cgroup.conf", "CgroupPlugin=cgroup/v1\n")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM", "SBATCH", "SRUN"))}
        self.env.update(SLURM_CONF=str(self.dir / "slurm.conf"), PATH=self._path())
        self.env[MARK] = str(self.dir)

    def _write(self, name, text):
        (self.dir / name).write_text(text)

    def _spawn(self, name, argv):
        env = {key: value for key, value in self.env.items() if key != MARK}
        with open(self.dir / "log" / f"{name}.out", "ab") as log:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                                    start_new_session=True, cwd=self.dir)

    def _start(self):
        self._munged = self._spawn("munged", [
            "munged", "--foreground", "--force", f"--socket={self.dir}/munge.sock", f"--key-file={self.dir}/munge/key",
            f"--pid-file={self.dir}/munge/pid", f"--log-file={self.dir}/munge/log", f"--seed-file={self.dir}/munge/seed",
            "--num-threads=2"])
        wait_until((self.dir / "munge.sock").exists, "munged answers")
        self.start_controller()
        for name in self.names:
            self.start_node(name)
        wait_until(self._are_all_idle, "all nodes idle")

    def start_controller(self):
        self._slurmctld = self._spawn("slurmctld", ["slurmctld", "-D", "-i"])

    def stop_controller(self):
        self._end(self._slurmctld)

    def start_node(self, name):
        self._slurmds[name] = self._spawn(f"slurmd-{name}", ["slurmd", "-D", "-N", name])

    def kill_node(self, name):
        """The slurmd is gone at once; what ran below it lives on."""
        self._slurmds[name].kill()
        self._slurmds[name].wait()

    def _are_all_idle(self):
        answer = self.run(["sinfo", "-h", "-N", "-o", "%T"], check=False)
        return answer.returncode == 0 and answer.stdout.split() == ["idle"] * len(self.names)

    @staticmethod
    def _end(process):
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _job_ids(self):
        return self.run(["squeue", "-h", "-o", "%i"], check=False).stdout.split()

    def _print_logs(self):
        for log in sorted((self.dir / "log").glob("*")):
            text = log.read_text(errors="replace").splitlines()[-15:]
            print(f"--- {log.name}", *text, sep="\n")

    # -- use

    def run(self, argv, check=True, env=None, user=None, timeout=PATIENCE, **options):
        """A command against this cluster."""
        answer = subprocess.run(argv, env={**self.env, **(env or {})}, text=True, capture_output=True, timeout=timeout,
                                user=user, stdin=subprocess.DEVNULL, **options)
        if check and answer.returncode != 0:
            raise SlurmError(f"{' '.join(argv)} ended with {answer.returncode}: {answer.stderr.strip()}")
        return answer

    def sbatch(self, script, *options, env=None, user=None):
        """Submits a bash script; the job's directory is its own."""
        self._count += 1
        place = self.dir / "jobs" / str(self._count)
        place.mkdir(mode=0o777)
        os.chmod(place, 0o777)
        path = place / "job.sh"
        path.write_text("#!/bin/bash\n" + script)
        path.chmod(0o755)
        output = place / "out"
        # Some options, --gpus=8 among them, cannot be put behind others of the script: given here.
        answer = self.run(["sbatch", "--parsable", f"--output={output}", f"--chdir={place}", *options, str(path)],
                          env=env, user=user)
        return Job(self, answer.stdout.strip().split(";")[0], output)

    def marked_processes(self):
        """pid -> command line of everything that was started inside the cluster's jobs and still runs."""
        wanted = f"{MARK}={self.dir}".encode()
        found = {}
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
        return found

    def _kill_shepherds(self):
        """slurmstepd outlives a slurmd that was killed; its environment is wiped, its directory is ours."""
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.readlink(entry / "cwd").startswith(str(self.dir)):
                    if (entry / "cmdline").read_bytes().startswith(b"slurmstepd"):
                        os.kill(int(entry.name), signal.SIGKILL)
            except OSError:
                continue

    def _kill_marked(self):
        for _ in range(100):
            left = self.marked_processes()
            if not left:
                return
            for pid in left:
                kill(pid)
            time.sleep(0.05)
