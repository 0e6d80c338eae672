"""Replicas in real Slurm jobs, without a balancer: where they run, how they are ended, what is left of them."""
# ctest: TIMEOUT 1800 RUN_SERIAL TRUE

import os
import pathlib
import re
import socket
import unittest

from slurm_cluster import SlurmCluster, SlurmError, kill, wait_until

SERVER = "exec python3 -m http.server {port} --bind {host}"
TWO_BY_FOUR = ["--nodes=2", "--gpus-per-node=4", "--cpus-per-gpu=2"]


def find_driver():
    """replica_driver of the build that WEIR_BINARY is from."""
    given = os.environ.get("WEIR_REPLICA_DRIVER")
    if given:
        return given
    binary = pathlib.Path(os.environ["WEIR_BINARY"]).resolve()
    for parent in binary.parents[:3]:
        if (parent / "tests" / "replica_driver").exists():
            return str(parent / "tests" / "replica_driver")
    raise FileNotFoundError(f"no tests/replica_driver beside {binary}; help: build everything, or set WEIR_REPLICA_DRIVER")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class SlurmReplicas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.driver = find_driver()
        cls.slurm = SlurmCluster(nodes=2, gpus=4, cpus=16)
        cls.slurm.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.slurm.__exit__(None, None, None)

    def setUp(self):
        self.jobs = []

    def tearDown(self):
        for job in self.jobs:
            job.cancel()
            wait_until(job.is_over, f"job {job.id} over")
        wait_until(lambda: not self.slurm.marked_processes(), "no process of the test left")

    def submit(self, options, serve=SERVER, arguments="", prologue="", env=None, user=None):
        """A job that runs the replicas until stop() or its end."""
        script = f"""{prologue}
while [ ! -e stop ]; do sleep 0.05; done | {self.driver} run --log-dir $PWD {arguments} --serve '{serve}'
echo driver ended with ${{PIPESTATUS[1]}}
"""
        job = self.slurm.sbatch(script, *options, env=env, user=user)
        self.jobs.append(job)
        return job

    def stop(self, job):
        (job.output_path.parent / "stop").touch()
        job.wait()

    def events(self, job, state):
        """(id, node, gpus, address, step) of each replica that came into the state."""
        pattern = rf"^replica (\S+) {state} node=(\S+) gpus=(\S*) at=(\S+) step=(\S*)"
        return re.findall(pattern, job.output(), re.M)

    def wait_ready(self, job, count):
        try:
            wait_until(lambda: len(self.events(job, "ready")) >= count, f"{count} replicas ready")
        except SlurmError as error:
            raise SlurmError(f"{error}\n{job.output()}") from None
        return self.events(job, "ready")

    def log(self, job, index):
        return next(job.output_path.parent.glob(f"weir.r{index}.*.log")).read_text()

    def servers(self):
        return [pid for pid, line in self.slurm.marked_processes().items() if line.startswith("python3 -m http.server")]

    # -- where they run

    def check_placement(self, options, arguments="", env=None):
        job = self.submit(options, "echo devices=$CUDA_VISIBLE_DEVICES; " + SERVER, arguments, env=env)
        ready = self.wait_ready(job, 8)
        places = {(node, gpus) for _, node, gpus, _, _ in ready}
        self.assertEqual(places, {(f"gpu0{n}", str(g)) for n in (1, 2) for g in range(4)}, options)
        for index in range(8):
            self.assertRegex(self.log(job, index), rf"(?m)^devices={index % 4}$")
        self.assertEqual(len({address for _, _, _, address, _ in ready}), 8)
        self.assertEqual(len(job.steps()), 8)
        self.stop(job)
        wait_until(lambda: not job.steps(), "all steps gone")
        # Steps that a slow controller lists for longer than a second after their end are cancelled to be sure.
        self.assertRegex(job.output(), r"(?m)^stopped cancelled=\d+ problem=$")

    def test_each_replica_has_a_gpu_of_its_own_under_every_header(self):
        for options in (
            TWO_BY_FOUR,
            ["--nodes=2", "--gres=gpu:4"],
            ["--nodes=2", "--gpus=8"],
            ["--nodes=2", "--gpus-per-node=4", "--mem=32G"],
            ["--nodes=2", "--gpus-per-node=4", "--ntasks-per-node=4", "--cpus-per-task=2"],
            ["--nodes=2", "--ntasks=8", "--gpus-per-task=1"],
            ["--nodes=2", "--gpus-per-node=4", "--exclusive"],
        ):
            with self.subTest(options=options):
                self.check_placement(options)

    def test_each_replica_has_a_gpu_of_its_own_when_the_node_does_not_see_the_binary(self):
        self.check_placement(TWO_BY_FOUR, "--weir-path /nonexistent/weir")

    def test_each_replica_has_a_gpu_of_its_own_when_sbatch_exported_nothing(self):
        options = TWO_BY_FOUR + ["--export=NONE"]
        job = self.slurm.sbatch(
            f"export PATH={self.slurm.env['PATH']} SLURM_CONF={self.slurm.env['SLURM_CONF']} "
            f"WEIR_SLURM_FIXTURE={self.slurm.dir}\n"
            f"while [ ! -e stop ]; do sleep 0.05; done | {self.driver} run --log-dir $PWD --serve '{SERVER}'", *options)
        self.jobs.append(job)
        self.assertEqual(len({(node, gpus) for _, node, gpus, _, _ in self.wait_ready(job, 8)}), 8)
        self.stop(job)

    def test_slurms_own_binding_gives_distinct_gpus_too(self):
        job = self.submit(TWO_BY_FOUR, arguments="--binding slurm")
        self.assertEqual(len({(node, gpus) for _, node, gpus, _, _ in self.wait_ready(job, 8)}), 8)
        self.stop(job)

    def test_the_second_job_on_a_node_uses_its_own_gpus(self):
        user = "nobody" if os.getuid() == 0 else None
        first = self.slurm.sbatch("sleep 600", "--nodes=2", "--gpus-per-node=2", "--cpus-per-gpu=2", user=user)
        self.jobs.append(first)
        wait_until(lambda: first.state() == "RUNNING", "the first job runs")
        job = self.submit(["--nodes=2", "--gpus-per-node=2", "--cpus-per-gpu=2"])
        places = {(node, gpus) for _, node, gpus, _, _ in self.wait_ready(job, 4)}
        self.assertEqual(places, {("gpu01", "2"), ("gpu01", "3"), ("gpu02", "2"), ("gpu02", "3")})
        self.stop(job)

    def test_replicas_of_two_gpus_get_neighbours(self):
        job = self.submit(TWO_BY_FOUR, arguments="--gpus-per-replica 2")
        places = {(node, gpus) for _, node, gpus, _, _ in self.wait_ready(job, 4)}
        self.assertEqual(places, {(n, g) for n in ("gpu01", "gpu02") for g in ("0,1", "2,3")})
        self.stop(job)

    def test_node_names_need_not_resolve(self):
        with self.assertRaises(OSError):
            socket.getaddrinfo("gpu01", 80)
        job = self.submit(["--nodes=1", "--gpus-per-node=1"])
        [(_, _, _, address, _)] = self.wait_ready(job, 1)
        self.assertRegex(address, r"^[0-9.]+:[0-9]+$")
        self.stop(job)

    # -- how they end

    def check_graceful_stop(self, arguments):
        serve = 'trap "echo asked to stop; sleep 1; echo stopped by itself; exit 0" TERM; python3 -m http.server {port} --bind {host} & while :; do wait; done'
        job = self.submit(["--nodes=1", "--gpus-per-node=1"], serve, arguments)
        self.wait_ready(job, 1)
        self.stop(job)
        self.assertIn("asked to stop\nstopped by itself", self.log(job, 0))

    def test_a_stop_is_sigterm_for_the_server_and_leaves_it_time(self):
        self.check_graceful_stop("")

    def test_a_stop_is_sigterm_for_the_server_under_the_script_too(self):
        self.check_graceful_stop("--weir-path /nonexistent/weir")

    def test_a_server_that_ignores_sigterm_is_killed_after_the_grace_time(self):
        for arguments in ("--grace 1", "--grace 1 --weir-path /nonexistent/weir"):
            with self.subTest(arguments=arguments):
                job = self.submit(["--nodes=1", "--gpus-per-node=1"], 'trap "" TERM; ' + SERVER, arguments)
                self.wait_ready(job, 1)
                self.stop(job)
                wait_until(lambda: not self.servers(), "all servers gone")

    def test_a_killed_launcher_leaves_no_server(self):
        for arguments in ("", "--weir-path /nonexistent/weir"):
            with self.subTest(arguments=arguments):
                job = self.submit(TWO_BY_FOUR, arguments=arguments, prologue="trap '' TERM")
                self.wait_ready(job, 8)
                self.assertEqual(len(self.servers()), 8)
                for pid, line in self.slurm.marked_processes().items():
                    if line.startswith(f"{self.driver} run"):
                        kill(pid)
                wait_until(lambda: not self.servers(), "all servers gone")
                wait_until(lambda: not job.steps(), "all steps gone")
                (job.output_path.parent / "stop").touch()

    def test_children_a_server_leaves_behind_go_with_it(self):
        serve = "setsid sleep 987 & sleep 986 & echo children started; sleep 1; exit 3"
        job = self.submit(["--nodes=1", "--gpus-per-node=1"], serve, "--restarts 0")
        job.wait_for_output(r"failed .*exited with code 3")
        wait_until(lambda: not [line for line in self.slurm.marked_processes().values() if line.startswith("sleep 98")],
                   "its children gone")
        self.stop(job)

    def test_scancel_is_taken_as_the_end_of_the_job(self):
        job = self.submit(TWO_BY_FOUR, arguments="--ignore-sigterm 1", prologue="trap '' TERM")
        self.wait_ready(job, 8)
        job.cancel()
        # Which of them it hears first is not certain: what its replicas got, or what srun says of the job.
        job.wait_for_output(r"job ending: (every replica got SIGTERM at once|.*the job's allocation is gone)")
        wait_until(lambda: not self.servers(), "all servers gone")

    # -- what goes wrong

    def test_a_taken_port_is_survived_by_trying_another(self):
        clash = ('n=$(cat tries 2>/dev/null || echo 0); echo $((n + 1)) > tries; [ $n -ge 2 ] || '
                 '{ echo "[Errno 98] address already in use"; exit 1; }; ')
        job = self.submit(["--nodes=1", "--gpus-per-node=1"], clash + SERVER)
        self.wait_ready(job, 1)
        ports = re.findall(r"loading .* at=\S+:(\d+)", job.output())
        self.assertEqual(len(set(ports)), 3, ports)
        job.wait_for_output(r"^replica \S+ ready .*restarts=0")
        self.stop(job)

    def test_a_crashed_server_is_started_again(self):
        job = self.submit(["--nodes=1", "--gpus-per-node=2"])
        self.wait_ready(job, 2)
        kill(self.servers()[0])
        self.wait_ready(job, 3)
        self.assertIn("killed by signal 9 (Killed); restart 1 of 3", job.output())
        self.stop(job)

    def test_a_step_that_lost_its_srun_is_cancelled_before_the_restart(self):
        job = self.submit(["--nodes=1", "--gpus-per-node=1"])
        self.wait_ready(job, 1)
        [server] = self.servers()
        for pid, line in self.slurm.marked_processes().items():  # srun and its shepherd, both
            if line.startswith("srun "):
                kill(pid)  # the one does not outlive the other for long
        self.wait_ready(job, 2)
        wait_until(lambda: not is_alive(server), "the server of the lost step is gone")
        self.stop(job)

    def test_a_replica_that_hangs_in_its_start_is_started_again(self):
        hang = "[ -e once ] || { touch once; exec sleep 985; }; "
        job = self.submit(["--nodes=1", "--gpus-per-node=1"], hang + SERVER, "--start-timeout 20")
        self.wait_ready(job, 1)
        self.assertIn("not ready after 20 s; restart 1 of 1", job.output())
        self.stop(job)

    def test_replicas_outlive_the_controller_and_restart_when_it_is_back(self):
        job = self.submit(["--nodes=1", "--gpus-per-node=2"])
        self.wait_ready(job, 2)
        self.slurm.stop_controller()
        try:
            kill(self.servers()[0])
            job.wait_for_output(r"srun could not start it")
            self.assertEqual(len(self.servers()), 1)
        finally:
            self.slurm.start_controller()
            wait_until(lambda: self.slurm.run(["sinfo"], check=False).returncode == 0, "the controller is back")
        self.wait_ready(job, 3)
        # slurmctld missed the end of the first step and lists it for a while: only the processes count here.
        (job.output_path.parent / "stop").touch()
        job.wait_for_output(r"^stopped ")
        wait_until(lambda: not self.servers(), "all servers gone")

    def test_a_command_that_cannot_start_ends_the_run_with_its_last_words(self):
        job = self.submit(TWO_BY_FOUR, "echo no such model >&2; exit 1")
        job.wait_for_output(r"^stopped cancelled=\d+ problem=$")
        self.assertIn("all failed", job.output())
        self.assertIn("  | no such model", job.output())
        self.stop(job)

    def test_the_loss_of_a_node_costs_its_replicas_only(self):
        job = self.submit(TWO_BY_FOUR + ["--no-kill"])
        self.wait_ready(job, 8)
        self.slurm.kill_node("gpu02")
        try:
            wait_until(lambda: len(re.findall(r"failed .*node gpu02 failed", job.output())) == 4,
                       "four replicas failed with their node")
            self.assertEqual(len([e for e in self.events(job, "failed") if e[1] == "gpu01"]), 0)
            self.stop(job)
        finally:
            self.slurm._kill_marked()
            self.slurm.start_node("gpu02")
            wait_until(self.slurm._are_all_idle, "the node is back")

    def test_the_key_is_in_no_command_line_and_no_log_but_the_servers_own(self):
        job = self.submit(["--nodes=1", "--gpus-per-node=1"], "echo key=$VLLM_API_KEY; " + SERVER)
        self.wait_ready(job, 1)
        key = re.search(r"key=([0-9a-f]{32,})", self.log(job, 0)).group(1)
        self.assertNotIn(key, job.output())
        for line in self.slurm.marked_processes().values():
            self.assertNotIn(key, line)
        self.stop(job)

    def test_replicas_reach_each_other_past_the_proxy(self):
        job = self.submit(["--nodes=2", "--gpus-per-node=1"], "echo no_proxy=$no_proxy; " + SERVER,
                          env={"http_proxy": "http://127.0.0.1:9", "no_proxy": "example.com"})
        self.wait_ready(job, 2)
        self.assertRegex(self.log(job, 0), r"no_proxy=example.com,localhost,127.0.0.1,::1,gpu01,gpu02")
        self.stop(job)


if __name__ == "__main__":
    unittest.main()
