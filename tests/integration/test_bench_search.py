"""`weir bench --find-max` to its end on a pool whose capacity is known, and `weir compare` of runs that differ.

What is asked of the pool is counted, not timed: it has so many places and answers 503 beyond them. Whether a busy machine lets the runs
that are compared be trusted is no question of these tests.
"""
import json
import os
import re
import signal
import subprocess
import tempfile
import unittest

from test_mock import BINARY, LONG, Mock

STEP = re.compile(r"weir bench: (\S+) (in flight|req/s): (holds|breaks|cannot tell)(?:: (.*))?$", re.MULTILINE)
PLACES = 6  # of the pool: 4 run, 2 wait, the seventh at a time gets a 503
POOL = ("--max-seqs", "4", "--queue-limit", "2", "--ttft", "200ms", "--itl", "10ms", "--batch-slowdown", "0", "--prefill-per-token", "0s")


class BenchTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.join(folder.name, "out")

    def mock(self, *flags):
        mock = Mock(*flags)
        self.addCleanup(mock.close)
        return f"http://127.0.0.1:{mock.ports[0]}"

    def start(self, *words):
        environment = {key: value for key, value in os.environ.items() if key != "OPENAI_API_KEY"}
        process = subprocess.Popen([BINARY, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        def end():
            if process.poll() is None:
                process.kill()
                process.communicate()
        self.addCleanup(end)
        return process

    def finish(self, process):
        output, errors = process.communicate(timeout=4 * LONG)
        self.assertNotIn("Sanitizer", errors)
        return process.returncode, output, errors


class SearchTest(BenchTest):
    def find_max(self, url, *words):
        return self.finish(self.start("bench", url, "--find-max", "--output-tokens", "10", "--input-tokens", "8", "--progress",
                                      "lines", "--out", self.folder, *words))

    def steps(self, errors):
        return [(float(load), verdict, why) for load, _, verdict, why in STEP.findall(errors)]

    def saved(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return json.load(file)

    def test_the_capacity_of_a_pool_is_found(self):
        status, output, errors = self.find_max(self.mock(*POOL), "--concurrency", "2", "--requests", "40", "--slo", "errors<1")
        steps = self.steps(errors)
        # Losses are counted, which asks nothing of a clock.
        self.assertEqual([(load, verdict) for load, verdict, _ in steps],
                         [(load, "holds" if load <= PLACES else "breaks") for load, _, _ in steps], errors)
        held = [load for load, verdict, _ in steps if verdict == "holds"]
        self.assertEqual((max(held), min(load for load, verdict, _ in steps if verdict == "breaks")), (PLACES, PLACES + 1))
        self.assertIn(f"holds up to {PLACES} in flight, breaks at {PLACES + 1} in flight", output)
        # Every step is saved, in the order it was made.
        runs = self.saved("summary.json")
        self.assertEqual([run["max_concurrency"] for run in runs], [load for load, _, _ in steps])
        self.assertEqual(status, 0, errors)
        best = self.saved("run.json")  # the report is of the best
        self.assertEqual(best["max_concurrency"], PLACES)
        self.assertEqual(best["weir"]["search"], {"highest_that_holds": PLACES, "lowest_that_breaks": PLACES + 1, "unit": "in flight",
                                                  "steps": len(steps)})

    def test_a_pool_that_holds_nothing_is_exit_status_3(self):
        status, output, errors = self.find_max(self.mock(*POOL), "-H", "x-mock-fault: 503", "--concurrency", "4", "--requests", "30",
                                               "--slo", "errors<1")
        self.assertEqual([(load, verdict) for load, verdict, _ in self.steps(errors)], [(4, "breaks"), (2, "breaks"), (1, "breaks")])
        self.assertIn("nothing held, down to 1 in flight", output)
        self.assertEqual(status, 3)

    def test_a_step_that_is_too_much_ends_early_and_ctrl_c_keeps_it(self):
        # 10 requests a second are served (2 places, 200 ms each), 60 come: more and more wait. The run would take ten minutes.
        url = self.mock("--max-seqs", "2", "--ttft", "100ms", "--itl", "10ms", "--batch-slowdown", "0", "--prefill-per-token", "0s")
        process = self.start("bench", url, "--find-max", "--slo", "errors<1", "--rate", "60", "--duration", "10m", "--grace", "1s",
                             "--output-tokens", "11", "--input-tokens", "8", "--progress", "lines", "--out", self.folder)
        seen = ""
        for line in process.stderr:
            seen += line
            if STEP.search(line):
                break
        self.assertIn("60 req/s: breaks", seen)
        process.send_signal(signal.SIGINT)
        status, _, errors = self.finish(process)
        self.assertEqual(status, 130, seen + errors)
        first = self.saved("summary.json")[0]
        self.assertEqual(first["weir"]["ended_early"], "more came than the pool could take")
        self.assertLess(first["duration"], 300)
        self.assertGreater(first["completed"], 0)


class CompareTest(BenchTest):
    def bench(self, name, itl):
        folder = os.path.join(os.path.dirname(self.folder), name)
        url = self.mock("--ttft", "20ms", "--itl", itl, "--batch-slowdown", "0")
        status, output, errors = self.finish(self.start("bench", url, "--concurrency", "12", "--requests", "120", "--output-tokens",
                                                        "6", "--input-tokens", "8", "--out", folder))
        self.assertIn(status, (0, 4), output + errors)
        return folder, status == 0

    def test_a_slower_pool_is_seen_from_both_sides_and_a_run_is_not_worse_than_itself(self):
        # Much slower; but a tester that is late itself sees events in bunches, whose gaps say nothing.
        fast, is_fast_trusted = self.bench("fast", "10ms")
        slow, is_slow_trusted = self.bench("slow", "60ms")
        is_trusted = is_fast_trusted and is_slow_trusted
        for first, second, finding in ((fast, slow, "worse"), (slow, fast, "better")):
            # The targets differ in their port, which is no difference of the load.
            status, output, errors = self.finish(self.start("compare", first, second, "--json"))
            answer = json.loads(output)
            findings = {measure["name"]: measure["finding"] for measure in answer["measures"]}
            for name in ("ITL p50", "TPOT p50", "E2EL p50"):
                self.assertIn(findings[name], (finding,) if is_trusted else (finding, "cannot tell"), output + errors)
            wanted = 4 if not is_trusted else 3 if "worse" in findings.values() else 0
            self.assertEqual(status, wanted, output)
        status, output, _ = self.finish(self.start("compare", fast, fast))
        self.assertEqual(status, 0 if is_fast_trusted else 4)
        self.assertNotIn("worse:", output)


if __name__ == "__main__":
    unittest.main()
