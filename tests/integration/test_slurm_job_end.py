"""The end of a Slurm job as `weir launch` sees it: scancel without exec in front, and --drain-before."""
# ctest: RUN_SERIAL TRUE

import shlex
import sys
import unittest

from launched import BINARY, HERE, SANITIZER
from slurm_cluster import SlurmCluster, wait_until


class SlurmJobEndTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.slurm = SlurmCluster(nodes=1, gpus=2, cpus=8)
        cls.slurm.__enter__()
        cls.addClassCleanup(cls.slurm.__exit__, None, None, None)

    def run_job(self, command, *flags, prefix="exec", options=()):
        serve = f"exec {sys.executable} {HERE}/pretend_server.py --host {{host}} --port {{port}}"
        words = [BINARY, "launch", "--log-dir", "logs", "--serve", serve, *flags, "--", *command]
        job = self.slurm.sbatch(f"{prefix} {shlex.join(words)}", "--gpus-per-node=2", *options)
        self.addCleanup(self.check_gone, job)
        return job

    def check_gone(self, job):
        job.cancel()
        wait_until(job.is_over, f"job {job.id} over")
        wait_until(lambda: not self.slurm.marked_processes(), "no process of the test left")
        self.assertIsNone(SANITIZER.search(job.output()), job.output())

    def test_scancel_without_exec_ends_everything_and_the_missing_exec_was_said(self):
        job = self.run_job(["sleep", "600"], prefix="")
        job.wait_for_output("replicas ready")
        self.assertIn("write `exec weir launch", job.output())
        job.cancel()
        job.wait()

    def test_exec_is_not_asked_for_when_it_is_there(self):
        job = self.run_job(["true"])
        job.wait()
        self.assertEqual(job.exit_code(), 0, job.output())
        self.assertNotIn("exec", job.output())

    def test_the_command_hears_of_the_jobs_end_before_it_comes(self):
        code = ("import signal, sys, time\n"
                "signal.signal(signal.SIGTERM, lambda *_: (print('saved', flush=True), sys.exit(5)))\ntime.sleep(600)")
        job = self.run_job([sys.executable, "-c", code], "--drain-before", "75s", options=["--time=2"])
        job.wait()
        self.assertEqual(job.exit_code(), 5, job.output())
        self.assertIn("saved", job.output())


if __name__ == "__main__":
    unittest.main()
