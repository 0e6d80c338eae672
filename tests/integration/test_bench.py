"""`weir bench` against `weir mock`: what it counts, what it calls broken, how it ends.

Whether a busy machine lets a tester be trusted is no question of these tests: exit status 4 is as good as the one it hides.
"""
import collections
import json
import os
import signal
import subprocess
import tempfile
import unittest

from harness import free_port
from test_mock import BINARY, LONG, Mock, until

NOT_TRUSTED = 4


class Result:
    def __init__(self, status, output, errors, requests):
        self.status = status
        self.output = output
        self.errors = errors
        self.requests = requests

    def count(self, *keys):
        """How often each value (or tuple of values) of `keys` occurs."""
        return dict(collections.Counter(request.get(keys[0]) if len(keys) == 1 else tuple(request.get(k) for k in keys)
                                        for request in self.requests))


class BenchTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.lines = os.path.join(self.folder, "requests.jsonl")

    def mock(self, *flags, **rest):
        mock = Mock("--itl", "1ms", "--ttft", "5ms", *flags, **rest)
        self.addCleanup(mock.close)
        return mock

    def start(self, *words):
        environment = {key: value for key, value in os.environ.items() if key != "OPENAI_API_KEY"}
        return subprocess.Popen([BINARY, "bench", *words, "--jsonl", self.lines], env=environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def finish(self, process):
        output, errors = process.communicate(timeout=4 * LONG)
        self.assertNotIn("Sanitizer", errors)
        requests = []
        if os.path.exists(self.lines):
            with open(self.lines, encoding="utf-8") as file:
                requests = [json.loads(line) for line in file]
        return Result(process.returncode, output, errors, requests)

    def bench(self, *words):
        return self.finish(self.start(*words))

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def url(self, mock, server=0):
        return f"http://127.0.0.1:{mock.ports[server]}"

    def assert_all_ok(self, result, count):
        self.assertEqual(result.count("outcome"), {"ok": count}, result.errors)
        self.assertIn(result.status, (0, NOT_TRUSTED), result.errors)


class LoadTest(BenchTest):
    def test_a_closed_loop_makes_the_requests_it_was_asked_for(self):
        result = self.bench(self.url(self.mock()), "--concurrency", "3", "--requests", "20", "--input-tokens", "40",
                            "--output-tokens", "9")
        self.assert_all_ok(result, 20)
        self.assertEqual(result.count("output_tokens", "finish_reason"), {(9, "length"): 20})
        self.assertEqual(sorted(request["index"] for request in result.requests), list(range(20)))

    def test_lengths_are_exact_by_tokenize_and_by_token_ids(self):
        url = self.url(self.mock())
        for words in ([], ["--completions"]):
            result = self.bench(url, "--requests", "8", "--input-tokens", "uniform:50-99", "--prefix", "30x2",
                                "--output-tokens", "2", *words)
            self.assert_all_ok(result, 8)
            for request in result.requests:
                self.assertEqual(request["prompt_tokens"], request["wanted_prompt_tokens"])

    def test_equal_seeds_make_equal_loads(self):
        url = self.url(self.mock())
        words = [url, "--rate", "200", "--requests", "30", "--input-tokens", "lognormal:30,0.5", "--output-tokens",
                 "uniform:1-9"]
        first, second = self.bench(*words), self.bench(*words)
        for key in ("planned_s", "wanted_prompt_tokens", "wanted_output_tokens"):
            self.assertEqual([r[key] for r in first.requests], [r[key] for r in second.requests])
        self.assert_all_ok(first, 30)

    def test_what_waits_for_its_place_waited_since_it_was_planned(self):
        mock = self.mock("--ttft", "100ms")
        result = self.bench(self.url(mock), "--rate", "1000", "--requests", "6", "--max-inflight", "1", "--output-tokens", "1")
        self.assert_all_ok(result, 6)
        last = max(result.requests, key=lambda request: request["planned_s"])
        self.assertGreater(last["ttft_ms"], 500)  # five others before it, 100 ms each

    def test_a_conversation_grows_by_what_was_said(self):
        result = self.bench(self.url(self.mock()), "--concurrency", "2", "--requests", "9", "--turns", "3", "--input-tokens",
                            "20", "--output-tokens", "10")
        self.assert_all_ok(result, 9)
        for session in range(3):
            turns = sorted((r for r in result.requests if r["index"] // 3 == session), key=lambda r: r["index"])
            grown = [after["prompt_tokens"] - before["prompt_tokens"] for before, after in zip(turns, turns[1:])]
            self.assertEqual(len(grown), 2)
            self.assertGreaterEqual(min(grown), 20)

    def test_a_trace_is_played_with_its_lengths(self):
        path = self.file("trace.jsonl", "".join(json.dumps({"timestamp": 50 * i, "input_length": 10 + i, "output_length": 1 + i,
                                                            "hash_ids": [0]}) + "\n" for i in range(6)))
        result = self.bench(self.url(self.mock()), "--trace", path, "--completions")
        self.assert_all_ok(result, 6)
        self.assertEqual([(r["prompt_tokens"], r["output_tokens"]) for r in result.requests], [(10 + i, 1 + i) for i in range(6)])
        self.assertAlmostEqual(result.requests[5]["planned_s"], 0.25, places=3)

    def test_prompts_of_a_file_are_sent(self):
        path = self.file("prompts.txt", "say a\nsay bb\n")
        result = self.bench(self.url(self.mock()), "--prompts", path, "--requests", "4", "--body", '{"max_tokens": 3}')
        self.assert_all_ok(result, 4)
        self.assertEqual(result.count("output_tokens"), {3: 4})

    def test_plain_answers_are_measured_without_a_first_token(self):
        result = self.bench(self.url(self.mock()), "--requests", "5", "--no-stream", "--output-tokens", "4")
        self.assert_all_ok(result, 5)
        self.assertEqual(result.count("output_tokens", "first_token_s"), {(4, None): 5})

    def test_several_workers_share_the_load(self):
        result = self.bench(self.url(self.mock()), "--rate", "300", "--requests", "60", "--workers", "3", "--output-tokens", "3")
        self.assert_all_ok(result, 60)
        self.assertEqual(sorted(request["index"] for request in result.requests), list(range(60)))

    def test_a_sweep_makes_a_run_for_each_value(self):
        result = self.bench(self.url(self.mock()), "--sweep", "1,2", "--requests", "4", "--output-tokens", "2", "--progress",
                            "lines")
        self.assertIn(result.status, (0, NOT_TRUSTED), result.errors)
        self.assertEqual(result.errors.count("step of"), 2)


class TargetTest(BenchTest):
    def test_direct_backends_are_chosen_by_policy(self):
        mock = self.mock(servers=2)
        result = self.bench("--direct", self.url(mock), "--direct", self.url(mock, 1), "--policy", "round_robin", "--requests",
                            "10", "--output-tokens", "2")
        self.assert_all_ok(result, 10)
        self.assertEqual(set(result.count("backend")), {f"127.0.0.1:{port}" for port in mock.ports})

    def test_a_and_b_get_every_other_request(self):
        mock = self.mock(servers=2)
        result = self.bench("--to", self.url(mock), "--direct", self.url(mock, 1), "--ab", "--requests", "12",
                            "--output-tokens", "2")
        self.assert_all_ok(result, 12)
        self.assertEqual(sorted(result.count("target").values()), [6, 6])

    def test_a_connection_that_died_unused_is_no_failure(self):
        result = self.bench(self.url(self.mock("--fault", "drop_reused")), "--concurrency", "1", "--requests", "6",
                            "--output-tokens", "2")
        self.assert_all_ok(result, 6)
        self.assertIn(True, result.count("resent"))

    def test_a_key_is_sent_and_not_recorded(self):
        mock = self.mock("--api-key", "secret-key")
        out = os.path.join(self.folder, "run.json")
        result = self.bench(self.url(mock), "--api-key", "secret-key", "--requests", "2", "--output-tokens", "2", "--out", out)
        self.assert_all_ok(result, 2)
        with open(out, encoding="utf-8") as file:
            self.assertNotIn("secret-key", file.read())

    def test_nobody_there_is_exit_status_5(self):
        result = self.bench(f"http://127.0.0.1:{free_port()}", "--requests", "2")
        self.assertEqual(result.status, 5)
        self.assertIn("weir: error: cannot reach", result.errors)


class FaultTest(BenchTest):
    def assert_outcome(self, fault, outcome, why, *words):
        result = self.bench(self.url(self.mock()), "-H", f"x-mock-fault: {fault}", "--concurrency", "2", "--requests", "4",
                            "--output-tokens", "20", *words)
        self.assertEqual(result.count("outcome", "fault"), {(outcome, why): 4}, result.errors)
        self.assertIn(result.status, (1, NOT_TRUSTED), fault)
        return result

    def test_an_abort_is_truncated(self):
        result = self.assert_outcome("abort:5", "truncated", "aborted")
        self.assertEqual(result.count("finish_reason"), {"abort": 4})

    def test_an_error_event_is_truncated(self):
        result = self.assert_outcome("error_event:5", "truncated", "error_event")
        self.assertIn("EngineCore", result.requests[0]["error"])

    def test_a_reset_and_a_fin_in_the_middle_are_truncated(self):
        self.assert_outcome("reset_mid_stream:5", "truncated", "cut")
        self.assert_outcome("fin_mid_stream:5", "truncated", "cut")

    def test_503_is_rejected_and_500_failed(self):
        self.assert_outcome("503", "rejected", "busy")
        self.assert_outcome("500", "failed", "http_5xx")

    def test_silence_is_failed_when_its_time_is_over(self):
        self.assert_outcome("hang", "failed", "timeout", "--request-timeout", "300ms")

    def test_silence_in_the_middle_is_truncated(self):
        self.assert_outcome("hang:mid_stream:5", "truncated", "timeout", "--request-timeout", "10s")

    def test_failed_requests_can_be_allowed(self):
        result = self.bench(self.url(self.mock()), "-H", "x-mock-fault: 500", "--requests", "2", "--allow-failed")
        self.assertIn(result.status, (0, NOT_TRUSTED))


class EndTest(BenchTest):
    def test_ctrl_c_keeps_what_was_measured(self):
        mock = self.mock("--itl", "20ms")
        process = self.start(self.url(mock), "--concurrency", "4", "--duration", "10m", "--output-tokens", "uniform:2-60")
        until(lambda: mock.metric("weir_mock_requests_total") > 12, "requests are made")
        process.send_signal(signal.SIGINT)
        result = self.finish(process)
        self.assertEqual(result.status, 130)
        outcomes = result.count("outcome")
        self.assertEqual(outcomes["unfinished"], 4)
        self.assertGreater(outcomes["ok"], 8)
        self.assertEqual(set(outcomes), {"ok", "unfinished"})

    def test_what_is_in_flight_at_the_end_has_its_grace_and_no_more(self):
        result = self.bench(self.url(self.mock()), "-H", "x-mock-fault: hang", "--concurrency", "2", "--duration", "3s",
                            "--grace", "200ms")
        self.assertEqual(result.count("outcome"), {"unfinished": 2})

    def test_chaos_happens_at_its_time(self):
        made = os.path.join(self.folder, "made")
        result = self.bench(self.url(self.mock()), "--concurrency", "1", "--duration", "5s", "--output-tokens", "2", "--at",
                            "100ms", f"exec echo here > {made}", "--at", "200ms", "exec exit 3")
        self.assertTrue(os.path.exists(made), result.errors)
        self.assertIn("exit 3", result.output)

    def test_contradictions_are_usage_errors(self):
        for words, text in ((["--rate", "5", "--concurrency", "5"], "exclude each other"),
                            (["--find-max"], "--slo"),
                            (["--ab"], "one side is missing"),
                            (["--rate", "5:x"], "requests a second"),
                            (["--at", "5", "drain a"], "duration"),
                            (["--input-tokens", "x5"], "length in tokens"),
                            (["--completions", "--turns", "3"], "conversation"),
                            (["--slo", "ttft_p99"], "--slo")):
            result = self.bench("http://127.0.0.1:9", *words)
            self.assertEqual(result.status, 2, words)
            self.assertIn(text, result.errors)
        self.assertEqual(self.bench().status, 2)


if __name__ == "__main__":
    unittest.main()
