"""`weir completion SHELL`: the script of bash completes in a real bash; the others at least name everything."""

import shutil
import subprocess
import unittest

from harness import BINARY, PATIENCE


def script(shell):
    return subprocess.run([BINARY, "completion", shell], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


@unittest.skipUnless(shutil.which("bash"), "needs bash")
class BashTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.script = script("bash")

    def complete(self, *words):
        """What bash offers for the last word."""
        ask = 'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _weir; printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "--norc", "-u", "-c", self.script + ask, "bash", "weir", *words], capture_output=True,
                              text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def test_commands(self):
        self.assertEqual(self.complete("s"), ["serve", "status", "schema"])
        self.assertIn("undrain", self.complete(""))

    def test_options_of_a_command(self):
        self.assertEqual(self.complete("serve", "--max"), ["--max-outstanding"])
        self.assertEqual(self.complete("drain", "--"), ["--wait", "--timeout", "--instance", "--admin", "--help"])
        self.assertNotIn("--serve", self.complete("serve", "--"))

    def test_values_of_an_option(self):
        self.assertEqual(self.complete("serve", "--paths", ""), ["inference", "all", "unsafe-all"])
        self.assertEqual(self.complete("reverse-proxy", "--policy", "r"), ["round_robin", "random"])

    def test_words_of_a_command(self):
        self.assertEqual(self.complete("explain", "queue_f"), ["queue_full"])
        self.assertEqual(self.complete("completion", "b"), ["bash"])

    def test_files_where_nothing_else_is_known(self):
        self.assertIn("/etc/passwd", self.complete("serve", "-c", "/etc/pass"))


class OtherShells(unittest.TestCase):
    def test_fish_is_told_commands_options_and_words(self):
        lines = script("fish").splitlines()
        self.assertIn("complete -c weir -n '__fish_seen_subcommand_from serve' -l paths -x -a 'inference all unsafe-all'", lines)
        self.assertTrue(all(line.startswith(("complete -c weir ", "#")) for line in lines))

    def test_zsh_takes_the_script_of_bash(self):
        self.assertTrue(script("zsh").endswith(script("bash")))


if __name__ == "__main__":
    unittest.main()
