"""The main job: `weir launch` in real Slurm jobs, from sbatch to the exit code of COMMAND."""
# ctest: RUN_SERIAL TRUE

import os
import pathlib
import re
import shlex
import socket
import subprocess
import sys
import unittest

from slurm_cluster import SlurmCluster, kill, wait_until

WEIR = str(pathlib.Path(os.environ["WEIR_BINARY"]).resolve())
CLIENT = f"{sys.executable} {pathlib.Path(__file__).with_name('slurm_client.py')}"
TWO_BY_FOUR = ["--nodes=2", "--gpus-per-node=4", "--cpus-per-gpu=2"]
MOCK = f"echo devices=$CUDA_VISIBLE_DEVICES; exec {WEIR} mock --listen {{host}}:{{port}} --ttft 5ms --itl 1ms"


class SlurmLaunch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
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

    def launch(self, command, *options, serve=MOCK, header=TWO_BY_FOUR, env=None, prologue=""):
        """A job whose script ends in `exec weir launch … -- command`."""
        words = [WEIR, "launch", "--serve", serve, "--log-dir", "logs", *options]
        tail = f" -- {command}" if command else ""
        job = self.slurm.sbatch(f"{prologue}\nexec {shlex.join(words)}{tail}\n", *header, env=env)
        self.jobs.append(job)
        return job

    def place(self, job):
        return job.output_path.parent

    def lines_of_logs(self, job, pattern):
        texts = [path.read_text() for path in sorted((self.place(job) / "logs").glob("*.log"))]
        return [re.search(pattern, text, re.M) for text in texts]

    def marked(self, words):
        return [pid for pid, line in self.slurm.marked_processes().items() if line.startswith(words)]

    def assert_nothing_left(self, job):
        wait_until(lambda: not job.steps(), "no step left")
        wait_until(lambda: not self.slurm.marked_processes(), "no process left")

    # -- the main job

    def test_eight_replicas_on_eight_gpus_serve_every_request(self):
        job = self.launch(f"{CLIENT} {{url}} 400 32 0", "--wait-ready", "all")
        self.assertEqual(job.wait(), 0, job.output())
        self.assertIn("results {'ok': 400}", job.output())
        devices = [match.group(1) for match in self.lines_of_logs(job, r"^devices=(\S*)$")]
        self.assertEqual(sorted(devices), sorted("01230123"))
        backends = dict(eval(re.search(r"^backends (.*)$", job.output(), re.M).group(1)))  # our own client's words
        self.assertEqual(set(backends), {f"gpu0{n}-{i}" for n in (1, 2) for i in range(4)})
        self.assert_nothing_left(job)

    def test_the_exit_code_is_the_commands(self):
        job = self.launch(f"{CLIENT} {{url}} 10 4 7", header=["--nodes=1", "--gpus-per-node=1"])
        self.assertEqual(job.wait(), 7, job.output())
        self.assert_nothing_left(job)

    def test_the_command_starts_with_the_first_replica_while_others_load(self):
        slow = 'sleep $((WEIR_REPLICA * 3)); ' + MOCK
        job = self.launch(f"{CLIENT} {{url}} 40 40", serve=slow, header=["--nodes=1", "--gpus-per-node=4"])
        self.assertEqual(job.wait(), 0, job.output())
        self.assertIn("results {'ok': 40}", job.output())

    # -- what is around it

    def test_a_dead_proxy_and_no_runtime_directory_do_no_harm(self):
        with self.assertRaises(OSError):
            socket.getaddrinfo("gpu01", 80)
        job = self.launch(f"{CLIENT} {{url}} 20 4", header=["--nodes=2", "--gpus-per-node=1"],
                          prologue="unset XDG_RUNTIME_DIR",
                          env={"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"})
        self.assertEqual(job.wait(), 0, job.output())

    @unittest.skipIf(os.getuid() != 0, "only root can submit for another user; run by root in CI")
    def test_another_users_job_on_the_same_nodes_changes_nothing(self):
        other = self.slurm.sbatch("sleep 600", "--nodes=2", "--gpus-per-node=2", "--cpus-per-gpu=2", user="nobody")
        self.jobs.append(other)
        wait_until(lambda: other.state() == "RUNNING", "the other job runs")
        job = self.launch(f"{CLIENT} {{url}} 20 4", "--wait-ready", "all",
                          header=["--nodes=2", "--gpus-per-node=2", "--cpus-per-gpu=2"])
        self.assertEqual(job.wait(), 0, job.output())
        devices = [match.group(1) for match in self.lines_of_logs(job, r"^devices=(\S*)$")]
        self.assertEqual(sorted(devices), ["2", "2", "3", "3"])

    def status_for(self, user, url):
        return subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url + "/models"], user=user,
                              capture_output=True, text=True, timeout=60).stdout

    @unittest.skipIf(os.getuid() != 0, "only root can become another user; run by root in CI")
    def test_another_user_of_the_node_gets_nothing(self):
        job = self.launch("sleep 600", header=["--nodes=1", "--gpus-per-node=1"])
        url = job.wait_for_output(r"(http://127\.0\.0\.1:\d+/v1)").group(1)
        job.wait_for_output(r"replicas ready")
        replica = "http://" + job.wait_for_output(r"ready after .* at ([0-9.]+:\d+)").group(1) + "/v1"
        self.assertEqual([self.status_for("nobody", url), self.status_for("nobody", replica)], ["401", "401"])
        self.assertEqual(self.status_for(None, url), "200")

    def test_a_taken_port_is_survived(self):
        clash = '[ -e once ] || { touch once; echo "OSError: [Errno 98] address already in use"; exit 1; }; '
        job = self.launch(f"{CLIENT} {{url}} 5 1", serve=clash + MOCK, header=["--nodes=1", "--gpus-per-node=1"])
        self.assertEqual(job.wait(), 0, job.output())

    # -- how it ends

    def start_long_run(self, *options):
        job = self.launch("sleep 300", *options)
        job.wait_for_output(r"replicas ready")
        return job

    def test_scancel_ends_all_within_seconds(self):
        job = self.start_long_run()
        job.cancel()
        wait_until(job.is_over, "job over")
        self.assert_nothing_left(job)
        self.assertIn("SIGTERM", job.output())

    def test_a_killed_launcher_leaves_no_server(self):
        job = self.start_long_run("--wait-ready", "all")
        self.assertEqual(len(self.marked(f"{WEIR} mock")), 8)
        for pid in self.marked(f"{WEIR} launch"):
            kill(pid)
        wait_until(lambda: not self.marked(f"{WEIR} mock"), "all servers gone")
        for pid in self.marked("sleep 300"):  # COMMAND: nobody is left to end it, but Slurm with cgroups
            kill(pid)

    def test_a_crashed_replica_comes_back(self):
        job = self.launch("sleep 300", "--wait-ready", "all", header=["--nodes=1", "--gpus-per-node=2"])
        job.wait_for_output(r"replicas ready")
        kill(self.marked(f"{WEIR} mock")[0])
        job.wait_for_output(r"killed by signal 9")  # until then the dead one may still be listed
        wait_until(lambda: len(self.marked(f"{WEIR} mock")) == 2, "two servers again")

    def test_a_server_that_cannot_start_ends_the_job_with_its_last_words(self):
        job = self.launch("true", serve="echo no such model >&2; exit 3 # {port}")
        self.assertEqual(job.wait(), 125, job.output())
        self.assertIn("no such model", job.output())
        self.assert_nothing_left(job)

    def test_plan_prints_the_srun_lines_and_runs_nothing(self):
        job = self.launch("true", "--plan")
        self.assertEqual(job.wait(), 0, job.output())
        self.assertEqual(len(re.findall(r"srun .*--overlap .*--nodelist=gpu0[12]|srun .*--nodelist=gpu0[12] --overlap", job.output())), 8)
        self.assertNotIn("VLLM_API_KEY", job.output())


if __name__ == "__main__":
    unittest.main()
