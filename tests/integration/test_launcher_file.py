"""A run that publishes itself, and a balancer elsewhere that follows the file."""

import json
import os
import re
import signal
import stat
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from harness import free_port
from launched import BINARY, PATIENCE, SANITIZER, LaunchTest, pretend


class Follower:
    """`weir serve --discover FILE`."""

    def __init__(self, path, directory):
        self.log_path = tempfile.mktemp(dir=directory, prefix="serve-")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--listen", f"127.0.0.1:{free_port()}", "--admin", "off", "--discover", path],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.url = self.wait_for(r"listening on (http://\S+)").group(1)

    @property
    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def wait_for(self, pattern):
        end = time.monotonic() + PATIENCE
        while True:
            has_ended = self.process.poll() is not None  # before the look: what it said last counts
            if found := re.search(pattern, self.log):
                return found
            if time.monotonic() > end or has_ended:
                raise AssertionError(f"never said {pattern!r}, but:\n{self.log}")
            time.sleep(0.02)

    def chat(self):
        """(status, backend)"""
        body = json.dumps({"model": "pretend", "messages": []}).encode()
        request = urllib.request.Request(self.url + "/v1/chat/completions", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.headers["X-Weir-Backend"]
        except urllib.error.HTTPError as error:
            return error.code, None

    def wait_for_status(self, status):
        end = time.monotonic() + PATIENCE
        while (answer := self.chat())[0] != status:
            if time.monotonic() > end:
                raise AssertionError(f"still {answer}; log:\n{self.log}")
            time.sleep(0.1)
        return answer

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        assert not SANITIZER.search(self.log), self.log
        return code


class LauncherFileTest(LaunchTest):
    def follow(self, path):
        follower = Follower(path, self.directory)
        self.addCleanup(lambda: follower.process.poll() is None and follower.process.kill())
        return follower

    def write(self, text, mode=0o600):
        path = f"{self.directory}/list"
        with open(path + ".new", "w") as file:
            file.write(text)
        os.chmod(path + ".new", mode)
        os.rename(path + ".new", path)
        return path

    def published(self, path):
        with open(path) as file:
            return json.load(file)

    def test_a_balancer_elsewhere_follows_the_run_from_its_start_to_its_end(self):
        path = f"{self.directory}/run.json"
        follower = self.follow(path)
        self.assertEqual(follower.chat()[0], 503)
        run = self.launch("--replicas", "2", "--model", "pretend", "--publish", path, command=None)
        run.wait_for("serving at")
        self.assertEqual(follower.wait_for_status(200)[1][:6], "local-")
        run.send(signal.SIGTERM)
        self.assertEqual(run.wait(), 0, run.err)
        follower.wait_for_status(503)
        self.assertEqual(follower.stop(), 0)

    def test_the_file_is_for_its_owner_only_and_says_what_runs(self):
        path = f"{self.directory}/run.json"
        run = self.launch("--replicas", "2", "--model", "pretend", "--wait-ready", "all", "--publish", path, command=None)
        run.wait_for("serving at")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        told = self.published(path)
        self.assertEqual(told["model"], "pretend")
        self.assertRegex(told["api_key"], "^[0-9a-f]{64}$")
        end = time.monotonic() + PATIENCE
        while [replica["state"] for replica in told["replicas"]] != ["ready", "ready"]:
            self.assertLess(time.monotonic(), end, told)
            told = self.published(path)
        self.assertEqual({replica["host"] for replica in told["replicas"]}, {"127.0.0.1"})
        run.send(signal.SIGTERM)
        run.wait()
        told = self.published(path)
        self.assertTrue(told["ended"])
        self.assertEqual(told["api_key"], "")

    def test_a_path_that_cannot_be_written_is_told_before_anything_starts(self):
        run = self.launch("--replicas", "1", "--publish", f"{self.directory}/none/run.json", command=["true"])
        self.assertEqual(run.wait(), 125)
        self.assertIn("cannot publish to", run.err)

    def test_lines_are_followed_when_they_change(self):
        one = self.launch("--replicas", "1", "--publish", f"{self.directory}/one.json", command=None,
                          serve=f"unset VLLM_API_KEY; {pretend()}")
        one.wait_for("serving at")
        replica = self.published(f"{self.directory}/one.json")["replicas"][0]
        path = self.write("# nothing yet\n")
        follower = self.follow(path)
        self.assertEqual(follower.chat()[0], 503)
        self.write(f"# the server\nhttp://127.0.0.1:{replica['port']}/v1 id=mine\n")
        self.assertEqual(follower.wait_for_status(200)[1], "mine")
        self.write("http://127.0.0.1:notaport\n")
        follower.wait_for(r"list:1:1: ")
        self.assertEqual(follower.chat()[0], 200)
        self.assertEqual(follower.stop(), 0)
        one.send(signal.SIGTERM)
        one.wait()

    def test_a_file_that_others_may_write_is_not_believed(self):
        follower = self.follow(self.write("127.0.0.1:9\n", mode=0o666))
        follower.wait_for("others may write it; help: chmod go-w")
        self.assertEqual(follower.stop(), 0)
