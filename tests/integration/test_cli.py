"""The command line of the real binary: exit codes, what goes to stdout and what to stderr, and messages that help."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import BINARY, PATIENCE

ROOT = Path(__file__).resolve().parents[2]


def weir(*arguments, environment=None):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=PATIENCE * 3,
                          env={**os.environ, **(environment or {})})


class CommandLineTest(unittest.TestCase):
    def fails(self, code, *arguments):
        done = weir(*arguments)
        self.assertEqual(done.returncode, code, done)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def file(self, text):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = Path(directory.name) / "weir.json"
        path.write_text(text)
        return str(path)

    def test_a_wrong_word_gets_exit_code_2_and_the_right_word(self):
        self.assertEqual(self.fails(2, "sevre"),
                         'weir: error: unknown command "sevre"\nhelp: did you mean "weir serve"?\n')
        self.assertEqual(self.fails(2, "serve", "--polcy", "x"),
                         "weir: error: weir serve: unknown option --polcy\nhelp: did you mean --policy?\n")

    def test_every_mistake_of_the_flags_is_told_at_once(self):
        text = self.fails(2, "serve", "http://a:1", "--queue-timeout", "30", "--policy", "x")
        self.assertIn('--queue-timeout: "30" has no unit\nhelp: write "30s"', text)
        self.assertIn('--policy: unknown policy "x"', text)

    def test_a_bad_file_is_refused_with_places(self):
        path = self.file('{\n  "backends": ["http://a:1"],\n  "polcy": 1,\n  "queue": {"limit": -1}\n}\n')
        for command in (("serve", "-c", path), ("check", path)):
            text = self.fails(2, *command)
            self.assertIn(f'weir: error: unknown key "polcy"\n  at {path}:3:3\nhelp: did you mean "policy"?\n', text)
            self.assertIn(f"  at {path}:4:22\n", text)
            self.assertIn(f"2 mistakes in {path}", text)

    def test_a_file_that_is_not_there_is_refused(self):
        self.assertIn("cannot read /no/such.json: No such file", self.fails(2, "serve", "-c", "/no/such.json"))

    def test_without_a_backend_nothing_starts(self):
        self.assertIn("there is no backend", self.fails(2, "serve"))
        self.assertIn("--to http://HOST:PORT", self.fails(2, "reverse-proxy"))

    def test_an_address_that_is_taken_is_a_run_time_failure(self):
        import socket
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            text = self.fails(1, "serve", "http://127.0.0.1:1", "--listen", f"127.0.0.1:{port}", "--admin", "off")
            self.assertIn("weir: error: ", text)
            self.assertIn(str(port), text)

    def test_results_go_to_stdout(self):
        for arguments in (("--help",), ("serve", "--help"), ("launch", "-h"), ("version",), ("explain", "queue_full"),
                          ("check", "--print")):
            done = weir(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
            self.assertTrue(done.stdout)

    def test_a_result_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, "--help"], stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)

    def test_the_shipped_files_are_what_the_program_prints(self):
        self.assertEqual(weir("check", "--print-example").stdout, (ROOT / "config/example.json").read_text())
        self.assertEqual(weir("check", "--print-schema").stdout, (ROOT / "config/weir.schema.json").read_text())
        self.assertIn(weir("check", "--print-docs").stdout, (ROOT / "docs/configuration.md").read_text())

    def test_the_shipped_files_are_valid(self):
        for name in ("example", "minimal"):
            self.assertEqual(weir("check", "-c", str(ROOT / f"config/{name}.json")).returncode, 0, name)
        json.loads((ROOT / "config/weir.schema.json").read_text())

    def test_what_check_prints_is_valid_again(self):
        printed = weir("check", "-c", str(ROOT / "config/example.json"), "--print").stdout
        json.loads(printed)  # without comments
        again = weir("check", "-c", self.file(printed), "--print")
        self.assertEqual((again.returncode, again.stdout), (0, printed))

    def test_secrets_are_not_printed(self):
        path = self.file('{"backends": [{"url": "http://a:1", "api_key": "${env:WEIR_TEST_KEY}"}]}')
        done = weir("check", path, "--print", environment={"WEIR_TEST_KEY": "sk-secret"})
        self.assertEqual(done.returncode, 0)
        self.assertNotIn("sk-secret", done.stdout + done.stderr)
        self.assertIn("the environment has no WEIR_TEST_KEY", weir("check", path).stderr)

    def test_what_caddy_has_and_weir_does_not_need_is_said(self):
        text = self.fails(2, "reverse-proxy", "--insecure", "-r", "--from", "http://localhost:1", "--to", "https://x")
        self.assertIn("--insecure has no effect", text)
        self.assertIn("--disable-redirects has no effect", text)

    def test_a_command_is_only_for_launch(self):
        self.assertIn('takes no "--"', self.fails(2, "serve", "http://a:1", "--", "x"))


if __name__ == "__main__":
    unittest.main()
