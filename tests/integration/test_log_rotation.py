"""SIGHUP: the access log is opened anew after log rotation; and the other meaning, that a terminal was closed."""

import json
import os
import pty
import re
import signal
import unittest
from pathlib import Path

from harness import BINARY, ProxyTest, eventually, free_port
from scripted_backend import answers


def ids(path):
    """X-Request-Ids of the whole lines of an access log; none when there is no such file."""
    return [json.loads(line)["id"] for line in path.read_text().split("\n")[:-1]] if path.exists() else []


class Rotation(ProxyTest):
    def setUp(self):
        super().setUp()
        self.home = Path(self.directory.name) / "log"
        self.home.mkdir()
        self.log = self.home / "access.log"

    def start(self, *flags):
        return self.weir(self.backend(answers()), flags=flags or [f"--access-log={self.log}"])

    def ask(self, weir, name):
        self.assertEqual(weir.ask(fields=["X-Request-Id: " + name]).status, 200)

    def hang_up(self, weir, count, text):
        weir.signal(signal.SIGHUP)
        eventually(lambda: len(re.findall(text, weir.log)) == count, f"{text} is logged {count} times")

    def test_lines_go_to_a_new_file_under_the_old_name(self):
        weir = self.start()
        self.ask(weir, "before")
        eventually(lambda: ids(self.log) == ["before"], "the first line is there")
        for round_ in range(3):
            self.log.rename(self.home / f"access.log.{round_}")
            self.ask(weir, f"moved-{round_}")  # whichever of the two it goes to
            self.hang_up(weir, round_ + 1, "is opened anew")
            self.ask(weir, f"after-{round_}")
            eventually(lambda: f"after-{round_}" in ids(self.log), "the new file has the new line")

        def written():
            return sorted(sum((ids(path) for path in self.home.glob("access.log*")), []))

        asked = sorted(["before"] + [f"{word}-{round_}" for round_ in range(3) for word in ("moved", "after")])
        eventually(lambda: len(written()) >= len(asked), "every line is written")  # each behind its answer
        self.assertEqual(written(), asked)
        self.assertEqual(self.log.stat().st_mode & 0o777, 0o640 & ~current_umask())

    def test_where_no_new_file_can_be_made_the_old_one_stays_in_use(self):
        weir = self.start()
        self.ask(weir, "before")
        eventually(lambda: ids(self.log) == ["before"], "the first line is there")
        moved = self.home.rename(self.home.with_name("elsewhere"))
        self.hang_up(weir, 1, "the old file stays in use")
        self.assertIn(f"cannot write the access log {self.log}: No such file or directory", weir.log)
        self.ask(weir, "after")
        eventually(lambda: ids(moved / "access.log") == ["before", "after"], "both lines are in the old file")

    def test_without_a_file_it_serves_on(self):
        weir = self.start("--access-log=off")
        self.hang_up(weir, 1, "nothing to open anew")
        self.ask(weir, "after")

    def test_a_terminal_that_is_closed_ends_what_was_started_in_it(self):
        said = Path(self.directory.name) / "said"
        port = free_port()  # ours, and of nobody else meanwhile
        pid, terminal = pty.fork()
        if pid == 0:  # a session of its own, with the terminal
            try:
                file = os.open(said, os.O_WRONLY | os.O_CREAT)
                os.dup2(file, 1)
                os.dup2(file, 2)
                os.execv(BINARY, [BINARY, "http://127.0.0.1:1", "--listen", f"127.0.0.1:{port}", "--admin", "off"])
            finally:
                os._exit(99)
        ended = []

        def has_ended():
            if not ended:
                gone, status = os.waitpid(pid, os.WNOHANG)
                ended.extend([status] if gone else [])
            return bool(ended)

        self.addCleanup(lambda: has_ended() or (os.kill(pid, signal.SIGKILL), os.waitpid(pid, 0)))
        eventually(lambda: has_ended() or said.exists() and "listening on" in said.read_text(), "it listens")
        self.assertEqual(ended, [], said.read_text())
        os.kill(pid, signal.SIGHUP)  # the terminal is there: not what it means
        eventually(lambda: "nothing to open anew" in said.read_text(), "it goes on")
        os.close(terminal)
        eventually(has_ended, "it ends with its terminal")
        self.assertEqual(ended, [0], said.read_text())
        self.assertIn("the terminal is gone: draining", said.read_text())


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


if __name__ == "__main__":
    unittest.main()
