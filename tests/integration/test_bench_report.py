"""What `weir bench` leaves behind, and `weir compare`: files, exit status, messages. The load is real, its size small.

No test expects a run here to be trusted: the machine may be busy. Where a verdict matters, the file is made to say it.
"""
import copy
import json
import os
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from harness import BINARY
from test_mock import Mock

SECRET = "sk-integration-secret-0123456789"
FINE = (0, 4)  # all is well, or this machine was too busy to tell
LONG = 120


def run(*arguments, environment=None):
    clean = {k: v for k, v in os.environ.items() if not k.endswith("API_KEY") and k != "NO_COLOR"}
    return subprocess.run([BINARY, *map(str, arguments)], env=clean | (environment or {}), capture_output=True, text=True, timeout=LONG)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class BenchRun(unittest.TestCase):
    """One run for all the tests of its outputs."""

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = os.path.join(temporary.name, "out")
        with Mock("--ttft", "40ms", "--itl", "4ms", "--api-key", SECRET) as mock:
            cls.done = run("bench", f"http://127.0.0.1:{mock.ports[0]}", "--concurrency", 4, "--requests", 60, "--input-tokens", 32,
                           "--output-tokens", 12, "--out", cls.folder, "--detailed", "--goodput", "ttft:60s,tpot:60s",
                           "--slo", "ttft_p99<60s", "--metadata", "gpu=none", "--api-key", SECRET)
        cls.json = json.loads(read(f"{cls.folder}/run.json"))
        cls.lines = [json.loads(line) for line in read(f"{cls.folder}/requests.jsonl").splitlines()]


class OutputTest(BenchRun):
    def test_ends_well_and_says_what_it_saved(self):
        self.assertIn(self.done.returncode, FINE, self.done.stdout + self.done.stderr)
        self.assertEqual(self.json["weir"]["exit_status"], self.done.returncode)
        for name in ("run.json", "requests.jsonl", "report.html", "report.md", "junit.xml"):
            self.assertIn(name, self.done.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), ["junit.xml", "report.html", "report.md", "requests.jsonl", "run.json"])

    def test_the_table_has_the_verdict_and_the_numbers(self):
        self.assertRegex(self.done.stdout, r"(?m)^requests +ok 60   truncated 0   failed 0   rejected 0$")
        self.assertRegex(self.done.stdout, r"(?m)^ms +mean +p50 +p90 +p99 +max +samples$")
        self.assertRegex(self.done.stdout, r"(?m)^tester +(trusted|NOT TRUSTED)   loop lag p99 ")
        self.assertRegex(self.done.stdout, r"(?m)^SLO +ttft_p99<60s: .* ms   holds$")
        self.assertRegex(self.done.stdout, r"(?m)^verdict +(trusted|NOT TRUSTED), every SLO holds$")
        self.assertNotIn("\033", self.done.stdout)

    def test_the_file_counts_what_the_lines_say(self):
        self.assertEqual(len(self.lines), 60)
        self.assertEqual(self.json["completed"], 60)
        self.assertEqual(self.json["failed"], 0)
        self.assertEqual(self.json["num_prompts"], 60)
        self.assertEqual(self.json["total_output_tokens"], 60 * 12)
        self.assertEqual(self.json["gpu"], "none")
        self.assertEqual(sum(len(line["gaps_ms"]) for line in self.lines), self.json["weir"]["latency_ms"]["itl"]["count"])
        ttfts = sorted(line["ttft_ms"] for line in self.lines)
        self.assertAlmostEqual(self.json["weir"]["latency_ms"]["ttft"]["p50"], (ttfts[29] + ttfts[30]) / 2, places=6)
        self.assertGreaterEqual(ttfts[0], 40)  # the mock does not answer before

    def test_arrays_of_requests_are_parallel_and_in_seconds(self):
        for name in ("ttfts", "itls", "latencies", "queue_times", "start_times", "input_lens", "output_lens", "errors", "generated_texts"):
            self.assertEqual(len(self.json[name]), 60, name)
        first = self.json["latencies"][0]
        self.assertAlmostEqual(first, self.json["ttfts"][0] + sum(self.json["itls"][0]), places=5)
        self.assertGreater(first, 0.04)
        self.assertLess(first, LONG)

    def test_markdown_and_junit_are_readable(self):
        self.assertRegex(read(f"{self.folder}/report.md"), r"(?m)^\| TTFT \|")
        suite = xml.etree.ElementTree.parse(f"{self.folder}/junit.xml").getroot()
        self.assertEqual(suite.get("tests"), "3")
        self.assertEqual({case.get("name") for case in suite.iter("testcase")},
                         {"no request is lost", "the tester can be trusted", "slo ttft_p99<60s"})

    def test_the_page_is_one_file(self):
        page = read(f"{self.folder}/report.html")
        self.assertIn("default-src 'none'", page)
        for word in ("src=", "href=", "url(", "@import"):
            self.assertNotIn(word, page)

    def test_no_output_has_the_key(self):
        for name in os.listdir(self.folder):
            self.assertNotIn(SECRET, read(os.path.join(self.folder, name)), name)
        self.assertNotIn(SECRET, self.done.stdout + self.done.stderr)


class CompareTest(BenchRun):
    def copy(self, name, change=lambda run, lines: None, lines=True, text=None):
        """A folder with this run, said to be trusted, with times that are made up, changed."""
        run, requests = copy.deepcopy(self.json), copy.deepcopy(self.lines)
        for i, line in enumerate(requests):
            line.update(ttft_ms=100 + i % 20, tpot_ms=10 + i % 3, e2el_ms=210 + i % 20, gaps_ms=[10 + i % 3] * 11)
        run["weir"]["tester"].update(trusted=True, reasons=[])
        change(run, requests)
        folder = os.path.join(os.path.dirname(self.folder), name)
        os.makedirs(folder)
        with open(f"{folder}/run.json", "w", encoding="utf-8") as file:
            file.write(json.dumps(run) if text is None else text(json.dumps(run, indent=1)))
        if lines:
            with open(f"{folder}/requests.jsonl", "w", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in requests)
        return folder

    @staticmethod
    def slower(_, lines):
        for line in lines:
            for key in ("ttft_ms", "tpot_ms", "e2el_ms"):
                line[key] *= 3
            line["gaps_ms"] = [3 * gap for gap in line["gaps_ms"]]

    def test_a_run_is_not_worse_than_itself(self):
        done = run("compare", self.copy("same-a"), self.copy("same-b"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?m)^lost requests .* same$")
        self.assertIn("nothing is worse", done.stdout)

    def test_slower_is_worse_and_exits_with_three(self):
        before, after = self.copy("fast"), self.copy("slow", self.slower)
        done = run("compare", before, f"{after}/run.json", "--json")
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        answer = json.loads(done.stdout)
        findings = {measure["name"]: measure["finding"] for measure in answer["measures"]}
        self.assertEqual(findings["TTFT p50"], "worse")
        self.assertEqual(findings["TTFT p99"], "cannot tell")  # of 60 requests
        self.assertEqual(answer["exit_status"], 3)
        self.assertEqual(run("compare", after, before).returncode, 0)

    def test_the_same_files_give_the_same_answer(self):
        before, after = self.copy("once"), self.copy("twice", self.slower)
        self.assertEqual(run("compare", before, after).stdout, run("compare", before, after).stdout)

    def test_nothing_follows_from_a_run_that_is_not_trusted(self):
        def late(run, _):
            run["weir"]["tester"].update(trusted=False, reasons=["own core full: 99 %"])
        done = run("compare", self.copy("trusted"), self.copy("late", late))
        self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
        self.assertIn("note: B was not trusted: own core full: 99 %", done.stdout)

    def test_different_workloads_are_refused_unless_asked(self):
        def other(run, _):
            run["weir"]["workload"]["load"] = "8 in flight"
        before, after = self.copy("load-a"), self.copy("load-b", other)
        done = run("compare", before, after)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"not comparable, their workloads differ \(load: .* and 8 in flight\)")
        self.assertIn("help: measure both with the same options, or say --anyway", done.stderr)
        self.assertEqual(run("compare", before, after, "--anyway").returncode, 0)

    def refused(self, name, **how):
        done = run("compare", self.folder, self.copy(name, **how))
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_a_broken_file_is_named_with_line_and_column(self):
        error = self.refused("broken", text=lambda text: text.replace('"weir": {', '"weir": {,', 1))
        self.assertRegex(error, r"this is no JSON: .*\n +at .*/broken/run\.json:\d+:11\n")

    def test_a_wrong_value_is_named_with_its_key(self):
        def wrong(run, _):
            run["weir"]["window"]["end_s"] = "soon"
        self.assertRegex(self.refused("wrong", change=wrong),
                         r"expected a number, got a string\n +at .*/wrong/run\.json: /weir/window/end_s\n")

    def test_a_wrong_line_of_the_requests_is_named(self):
        def wrong(_, lines):
            lines[2]["outcome"] = 7
        self.assertRegex(self.refused("line", change=wrong),
                         r"expected a string, got a number\n +at .*/line/requests\.jsonl:3: /outcome\n")

    def test_what_is_no_result_is_named_as_such(self):
        for text, wanted in (("[]", "expected an object, got an array"), ("{}", 'there is no key "weir" in it'), ("", "this is no JSON")):
            self.assertIn(wanted, self.refused("not-ours-" + str(len(text)) + wanted[:2].strip(), text=lambda _, t=text: t))
        done = run("compare", self.folder, "/nowhere/run.json")
        self.assertEqual(done.returncode, 2)
        self.assertIn("this file cannot be read", done.stderr)

    def test_two_results_are_needed_and_options_are_checked(self):
        for arguments, wanted in (((self.folder,), "needs two results"), ((self.folder,) * 3, "needs two results"),
                                  ((self.folder, self.folder, "--threshold", "much"), '--threshold: expected a share'),
                                  ((self.folder, self.folder, "--confidence", "10%"), "--confidence: expected a share"),
                                  ((self.folder, self.folder, "--seed", "x"), "--seed:")):
            done = run("compare", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(wanted, done.stderr)


class VerdictTest(unittest.TestCase):
    def bench(self, *options, faults=()):
        with tempfile.TemporaryDirectory() as folder, \
                Mock("--ttft", "5ms", "--itl", "1ms", *(word for fault in faults for word in ("--fault", fault))) as mock:
            done = run("bench", f"http://127.0.0.1:{mock.ports[0]}", "--concurrency", 4, "--requests", 24, "--output-tokens", 8,
                       "--out", f"{folder}/run.json", *options)
            path = f"{folder}/run.json"
            return done, json.loads(read(path)) if os.path.exists(path) else None

    def test_lost_requests_exit_with_one_unless_allowed(self):
        done, result = self.bench(faults=["503:3"])
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(result["weir"]["requests"]["rejected"], 3)
        self.assertEqual((result["completed"], result["failed"]), (21, 3))
        self.assertIn("3 x rejected (busy)", done.stdout)
        done, _ = self.bench("--allow-failed", faults=["503:3"])
        self.assertIn(done.returncode, FINE, done.stdout + done.stderr)

    def test_cut_streams_are_truncated_and_in_no_latency(self):
        done, result = self.bench(faults=["abort:4"])
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(result["weir"]["requests"]["truncated"], 24)
        self.assertEqual(result["completed"], 0)
        self.assertEqual(result["weir"]["latency_ms"], {})
        self.assertFalse(result["weir"]["tester"]["trusted"])

    def test_a_broken_slo_exits_with_three_when_the_run_is_trusted(self):
        done, result = self.bench("--slo", "ttft_p99<0.001ms")
        self.assertEqual(done.returncode, 3 if result["weir"]["tester"]["trusted"] else 4)
        self.assertFalse(result["weir"]["slo"][0]["met"])
        self.assertIn("BROKEN", done.stdout)

    def test_a_condition_to_fail_on_exits_with_one(self):
        done, _ = self.bench("--fail-on", "request_throughput<1000000")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("FAILED", done.stdout)

    def test_the_result_on_stdout_is_the_file(self):
        done, result = self.bench("--json")
        self.assertEqual(json.loads(done.stdout)["weir"]["started_at"], result["weir"]["started_at"])

    def test_mistakes_are_named_before_any_load(self):
        for options, wanted in ((("--slo", "tttf<5"), '"tttf" is none of ttft'), (("--goodput", "ttft"), "--goodput ttft: expected"),
                                (("--metadata", "duration=5"), "the result has that key anyway"),
                                (("--html", "/nowhere/report.html"), "nothing can be written to /nowhere"),
                                (("--percentiles", "200"), "does not lie between 0 and 100")):
            done, result = self.bench(*options)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn(wanted, done.stderr)
            self.assertIsNone(result)


if __name__ == "__main__":
    unittest.main()
