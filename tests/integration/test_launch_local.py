"""`weir launch --local`: replicas of this machine, one URL, COMMAND, and nothing left behind."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
import unittest

from launched import PATIENCE, LaunchTest, pretend, python

ASK = """
import json, os, sys, urllib.request
def ask(stream=False):
    body = json.dumps({"model": "pretend", "stream": stream, "messages": []}).encode()
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body,
        {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode(), answer.headers["X-Weir-Backend"]
"""
TELL = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ), sys.stdin.read()]))"
SLEEP = "import time; print('sleeping', flush=True); time.sleep(600)"


class CommandTest(LaunchTest):
    def test_ends_with_the_code_of_its_command(self):
        for code in (0, 7):
            with self.subTest(code=code):
                run = self.launch("--replicas", "2", command=python(f"raise SystemExit({code})"))
                self.assertEqual(run.wait(), code, run.err)
                self.assertIn(f"COMMAND ended with code {code}", run.err)

    def test_passes_arguments_byte_exact_and_fills_in_placeholders(self):
        odd = ["[1,2]", "", "%%", "--x", "--", "a b", "$HOME", "{}", "{port}", "é\n"]
        filled = ["{url}", "--m={model}", "{concurrency}", "{replicas}"]
        run = self.launch("--replicas", "2", "--model", "pretend", command=python(TELL, *odd, *filled))
        self.assertEqual(run.wait(), 0, run.err)
        arguments, environment, _ = json.loads(run.out)
        self.assertEqual(arguments, odd + [environment["OPENAI_BASE_URL"], "--m=pretend", "128", "2"])

    def test_gives_its_command_the_url_the_key_and_standard_input(self):
        with subprocess.Popen(["echo", "hello"], stdout=subprocess.PIPE) as echo:
            run = self.launch("--replicas", "1", command=python(TELL), stdin=echo.stdout,
                              environment={"OPENAI_API_KEY": "sk-mine", "no_proxy": "corp"})
            self.assertEqual(run.wait(), 0, run.err)
        _, environment, stdin = json.loads(run.out)
        self.assertEqual(stdin, "hello\n")
        self.assertRegex(environment["OPENAI_BASE_URL"], r"^http://127\.0\.0\.1:\d+/v1$")
        self.assertRegex(environment["OPENAI_API_KEY"], r"^[0-9a-f]{64}$")
        self.assertTrue(environment["NO_PROXY"].startswith("corp,localhost,127.0.0.1"), environment["NO_PROXY"])
        self.assertIn("COMMAND gets OPENAI_API_KEY of this run in place of yours", run.err)
        self.assertNotIn(environment["OPENAI_API_KEY"], run.err)

    def test_leaves_the_users_key_alone_when_asked_to(self):
        run = self.launch("--replicas", "1", "--client-env", "off", command=python(TELL),
                          environment={"OPENAI_API_KEY": "sk-mine"})
        self.assertEqual(run.wait(), 0, run.err)
        self.assertEqual(json.loads(run.out)[1]["OPENAI_API_KEY"], "sk-mine")

    def test_refuses_a_command_that_does_not_exist_before_anything_is_started(self):
        run = self.launch("--replicas", "1", command=["no-such-program-here"])
        self.assertEqual(run.wait(), 125)
        self.assertIn('cannot run COMMAND "no-such-program-here": it is not on the PATH', run.err)
        self.assertFalse(os.path.exists(f"{self.directory}/logs"))


class TrafficTest(LaunchTest):
    def test_carries_requests_past_a_dead_proxy_and_reports_them(self):
        code = ASK + "import collections; print(collections.Counter(ask(i % 2 == 0)[1] for i in range(20)))"
        report = f"{self.directory}/report.json"
        # One worker: with several a request may come while another's worker has yet to give its place back.
        run = self.launch("--replicas", "2", "--wait-ready", "all", "--workers", "1", "--report", report, command=python(code),
                          environment={"http_proxy": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"})
        self.assertEqual(run.wait(), 0, run.err)
        self.assertIn("'local-0': 10", run.out)
        self.assertIn("'local-1': 10", run.out)
        self.assertRegex(run.err, r"requests +20 \(10 streamed\): 20 succeeded, 0 failed")
        with open(report) as file:
            told = json.load(file)
        self.assertEqual(told["requests"]["succeeded"], 20)
        self.assertEqual(told["tokens"]["out"], 60)
        self.assertEqual([replica["requests"] for replica in told["replicas"]], [10, 10])
        self.assertEqual(told["end"]["exit_code"], 0)

    def test_starts_its_command_with_the_first_ready_replica_and_lets_requests_wait(self):
        # The second replica loads for an hour.
        serve = f"if [ {{replica}} = 1 ]; then exec sleep 3600; fi; {pretend()}"
        run = self.launch("--replicas", "2", serve=serve, command=python(ASK + "print(ask()[1])"))
        self.assertEqual(run.wait(), 0, run.err)
        self.assertEqual(run.out.strip(), "local-0")

    def test_lets_requests_wait_for_a_replica_that_is_still_loading(self):
        run = self.launch("--replicas", "1", "--wait-ready", "0", serve=pretend("--load-time 2"),
                          command=python(ASK + "print(ask()[1])"))
        self.assertEqual(run.wait(), 0, run.err)
        self.assertEqual(run.out.strip(), "local-0")

    def test_brings_a_killed_replica_back_while_requests_go_on(self):
        code = ASK + """
import time
seen = []
end = time.time() + 150
while time.time() < end and len(seen) < 3:
    pid = json.loads(ask()[0])["choices"][0]["message"]["content"]
    if pid not in seen:
        seen.append(pid)
        if len(seen) == 2:
            os.kill(int(pid), 9)
    time.sleep(0.02)
sys.exit(0 if len(seen) == 3 else 3)
"""
        run = self.launch("--replicas", "2", "--wait-ready", "all", command=python(code))
        self.assertEqual(run.wait(), 0, run.err)
        self.assertRegex(run.err, r"1 restarts")
        self.assertRegex(run.err, r"succeeded, 0 failed")

    @unittest.skipUnless(os.geteuid() == 0, "needs a second user")
    def test_gives_another_user_nothing_without_the_key(self):
        run = self.launch("--replicas", "1", command=None)
        url = run.wait_for(r"serving at (\S+)").group(1)
        code = f"""
import encodings.idna, os, sys, urllib.request, urllib.error
os.setgid({os.getegid()} if sys.argv[1] == "0" else 65534); os.setuid(int(sys.argv[1]))
try:
    print(urllib.request.urlopen("{url}/models").status)
except urllib.error.HTTPError as error:
    print(error.code)
"""
        for user, status in (("0", "200"), ("65534", "401")):
            told = subprocess.run([sys.executable, "-c", code, user], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(told.stdout.strip(), status, told.stderr)
        run.send(signal.SIGTERM)
        self.assertEqual(run.wait(), 0)


class EndTest(LaunchTest):
    def test_says_why_a_serve_line_cannot_start_and_is_gone_at_once(self):
        run = self.launch("--replicas", "2", serve=pretend("--die-at-start 3"), command=["true"])
        self.assertEqual(run.wait(), 125)
        self.assertIn("exited with code 3", run.err)
        self.assertIn("| cannot load the model: out of memory", run.err)
        self.assertIn("replicas failed", run.err)

    def test_starts_a_replica_anew_that_took_too_long(self):
        mark = f"{self.directory}/tried"
        serve = f"if [ ! -e {mark} ]; then touch {mark}; exec sleep 600; fi; {pretend()}"
        run = self.launch("--replicas", "1", "--start-timeout", "10s", serve=serve, command=["true"])
        self.assertEqual(run.wait(), 0, run.err)
        self.assertIn("not ready after 10 s", run.err)

    def test_outlives_its_terminal_under_nohup(self):
        run = self.launch("--replicas", "1", command=None, wrap=["nohup"])
        run.wait_for("serving at")
        run.send(signal.SIGHUP)
        time.sleep(1)
        self.assertIsNone(run.process.poll(), run.err)
        run.send(signal.SIGTERM)
        self.assertEqual(run.wait(), 0, run.err)

    def test_gives_up_waiting_for_all_when_one_cannot_come(self):
        serve = f"if [ {{replica}} = 1 ]; then echo no; exit 4; fi; {pretend()}"
        run = self.launch("--replicas", "2", "--wait-ready", "all", "--restarts", "0", serve=serve, command=["true"])
        self.assertEqual(run.wait(), 125)

    def test_sigterm_ends_its_command_first_and_then_the_replicas(self):
        code = ("import signal, sys, time\n"
                "signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\nprint('up', flush=True)\ntime.sleep(600)")
        run = self.launch("--replicas", "2", command=python(code))
        self.wait_for_output(run, "up")
        run.send(signal.SIGTERM)
        self.assertEqual(run.wait(), 9, run.err)
        self.assertIn("SIGTERM: ending", run.err)

    def test_says_143_when_its_command_died_of_the_sigterm(self):
        run = self.launch("--replicas", "1", command=python(SLEEP))
        self.wait_for_output(run, "sleeping")
        run.send(signal.SIGTERM)
        self.assertEqual(run.wait(), 143, run.err)

    def test_sigint_reaches_its_command(self):
        run = self.launch("--replicas", "1", command=python(SLEEP))
        self.wait_for_output(run, "sleeping")
        run.send(signal.SIGINT)
        self.assertEqual(run.wait(), 130, run.err)
        self.assertIn("KeyboardInterrupt", run.err)

    def test_kills_a_command_that_will_not_end_and_its_children(self):
        code = ("import signal, subprocess, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                "subprocess.Popen(['sleep', '600'])\nprint('up', flush=True)\ntime.sleep(600)")
        run = self.launch("--replicas", "1", command=python(code))
        self.wait_for_output(run, "up")
        run.send(signal.SIGTERM)
        self.assertEqual(run.wait(), 137, run.err)

    def test_can_be_told_to_stop_while_replicas_load(self):
        run = self.launch("--replicas", "2", serve=pretend("--load-time 600"), command=["true"])
        run.wait_for("loading at")
        run.send(signal.SIGINT)
        self.assertEqual(run.wait(), 130, run.err)

    def test_takes_down_servers_that_ignore_sigterm(self):
        run = self.launch("--replicas", "1", serve=pretend("--ignore-sigterm"), command=["true"])
        self.assertEqual(run.wait(), 0, run.err)

    def test_leaves_no_server_behind_when_it_is_killed_itself(self):
        run = self.launch("--replicas", "2", command=None)
        run.wait_for("serving at")
        end = time.monotonic() + PATIENCE
        while len(run.servers()) < 2:  # one is enough to serve
            self.assertLess(time.monotonic(), end, run.err)
            time.sleep(0.05)
        run.send(signal.SIGKILL)
        run.process.wait()
        run.wait_until_gone()

    def test_serves_until_told_to_stop_without_a_command(self):
        run = self.launch("--replicas", "1", command=None)
        run.wait_for(r"serving at http://127.0.0.1:\d+/v1 until told to stop")
        run.send(signal.SIGTERM)
        self.assertEqual(run.wait(), 0, run.err)

    def wait_for_output(self, run, text):
        end = time.monotonic() + PATIENCE
        while True:
            has_ended = run.process.poll() is not None  # before the look: what it said last counts
            if text in run.out:
                return
            self.assertFalse(has_ended, run.err)
            self.assertLess(time.monotonic(), end, run.err)
            time.sleep(0.02)


class TerminalTest(LaunchTest):
    """COMMAND on a terminal: it may read it, and Ctrl-C is its own."""

    def on_terminal(self, code, *flags):
        controller, terminal = pty.openpty()
        self.addCleanup(os.close, controller)
        # The terminal becomes the controlling one of a small shell-like parent, with the run in its foreground.
        take = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
        run = self.launch("--replicas", "1", *flags, command=python(code), stdin=terminal, stdout=terminal,
                          stderr=terminal, environment={"TERM": "xterm"}, wrap=[sys.executable, "-c", take])
        os.close(terminal)
        return run, controller

    def read_until(self, controller, text):
        seen = ""
        end = time.monotonic() + PATIENCE
        while text not in seen:
            self.assertLess(time.monotonic(), end, seen)
            more = self.read_for(controller, 0.2)
            if more is None:
                break
            seen += more
        return seen

    @staticmethod
    def read_for(controller, seconds):
        """What comes first within that time; None: the terminal is closed."""
        if not select.select([controller], [], [], seconds)[0]:
            return ""
        try:
            return os.read(controller, 65536).decode(errors="replace")
        except OSError:
            return None

    def test_lets_its_command_read_the_terminal(self):
        run, controller = self.on_terminal("print('<' + input('name? ') + '>')")
        self.read_until(controller, "name? ")
        os.write(controller, b"ada\n")
        self.assertIn("<ada>", self.read_until(controller, "<ada>"))
        self.read_until(controller, "COMMAND ended with code 0")
        self.assertEqual(run.wait(), 0)

    def test_ctrl_c_ends_command_and_run(self):
        run, controller = self.on_terminal(SLEEP)
        self.read_until(controller, "sleeping")
        os.write(controller, b"\x03")
        self.assertIn("KeyboardInterrupt", self.read_until(controller, "time lost"))
        self.assertEqual(run.wait(), 130)

    def test_a_command_may_survive_ctrl_c_but_not_two(self):
        # Not print: it may be interrupted in the middle of a print.
        code = ("import os, signal, time\nsignal.signal(signal.SIGINT, lambda *_: os.write(1, b'still here'))\n"
                "print('sleeping', flush=True)\ntime.sleep(600) or time.sleep(600)")
        run, controller = self.on_terminal(code)
        self.read_until(controller, "sleeping")
        os.write(controller, b"\x03")
        self.read_until(controller, "still here")
        self.assertIsNone(run.process.poll())
        # weir takes two that come before it has looked for one: pressed again, with a pause, until it has ended. What it
        # says may be lost: on Ctrl-C a terminal drops the output that waits.
        end = time.monotonic() + PATIENCE
        while run.process.poll() is None:
            self.assertLess(time.monotonic(), end, run.err)
            os.write(controller, b"\x03")
            pause = time.monotonic() + 1.5
            while run.process.poll() is None and time.monotonic() < pause:
                self.read_for(controller, 0.1)
        self.assertNotEqual(run.wait(), 0)


class PlanTest(LaunchTest):
    def test_prints_what_it_would_run_and_runs_nothing(self):
        run = self.launch("--replicas", "2", "--plan", serve="touch ran {port}", command=["echo", "{url} {replicas}"])
        self.assertEqual(run.wait(), 0, run.err)
        self.assertIn("2 replicas on this machine", run.out)
        self.assertEqual(run.out.count("touch ran"), 2)
        self.assertIn("'http://127.0.0.1:PORT/v1 2'", run.out)
        self.assertEqual(run.processes(), {})

    def test_asks_for_a_job_on_a_slurm_machine(self):
        srun = f"{self.directory}/srun"
        with open(srun, "w") as file:
            file.write("#!/bin/sh\n")
        os.chmod(srun, 0o755)
        run = self.launch("--replicas", "2", local=False, command=["true"],
                          environment={"PATH": f"{self.directory}:{os.environ['PATH']}"})
        self.assertEqual(run.wait(), 2)
        self.assertIn("help: submit with sbatch, or --local", run.err)

    def test_asks_how_many_replicas_where_there_is_no_gpu(self):
        run = self.launch(command=["true"], environment={"CUDA_VISIBLE_DEVICES": ""})
        self.assertEqual(run.wait(), 2)
        self.assertIn("--replicas N", run.err)


if __name__ == "__main__":
    unittest.main()
