"""What /metrics prints: every family that docs/metrics.md names and no other, in the text format that Prometheus reads, and
each request in flight in one phase."""

import http.client
import pathlib
import re
import threading
import unittest

from harness import ProxyTest, eventually, free_port
from scripted_backend import DONE, LAST_CHUNK, PATIENCE, STREAM_HEAD, chunk, streams, token

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
SAMPLE = re.compile(r'^(\w+)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\})? (\S+)$')


def read_exposition(text):
    """The families {name: {series: value}}; fails where a line breaks the format."""
    families, kinds, name = {}, {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in families, f"{name} is there twice"
            families[name] = {}
        elif line.startswith("# TYPE "):
            _, _, named, kinds[name] = line.split(" ")
            assert named == name and kinds[name] in ("counter", "gauge", "histogram"), line
        else:
            sample = SAMPLE.match(line)
            assert sample, line
            suffix = sample[1].removeprefix(name)
            assert suffix in (("_bucket", "_sum", "_count") if kinds[name] == "histogram" else ("",)), line
            series = suffix, frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', sample[2] or ""))
            assert series not in families[name], f"twice: {line}"
            families[name][series] = float(sample[3])
    for name, samples in families.items():
        if kinds[name] == "histogram":
            check_histogram(name, samples)
    return families


def check_histogram(name, samples):
    buckets = {}
    for (suffix, labels), value in samples.items():
        if suffix == "_bucket":
            edge = float(dict(labels)["le"])
            buckets.setdefault(frozenset(pair for pair in labels if pair[0] != "le"), []).append((edge, value))
    for labels, values in buckets.items():
        counts = [value for _, value in sorted(values)]
        assert counts == sorted(counts), f"{name}: not cumulative: {counts}"
        assert max(values)[0] == float("inf"), f"{name}: no bucket for all"
        assert counts[-1] == samples["_count", labels], f"{name}: +Inf is not the count"


class Metrics(ProxyTest):
    def weir_with_metrics(self, *backends, **config):
        admin = f"127.0.0.1:{free_port()}"
        weir = self.weir_serve(*backends, admin={"address": admin}, **config)

        def metrics():
            connection = http.client.HTTPConnection(admin, timeout=PATIENCE)
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            self.assertEqual(answer.getheader("content-type"), "text/plain; version=0.0.4; charset=utf-8")
            text = answer.read().decode()
            connection.close()
            return read_exposition(text)
        return weir, metrics

    def test_every_family_is_documented_and_every_documented_one_is_there(self):
        weir, metrics = self.weir_with_metrics(self.backend(streams(b"a", b"b")))
        weir.wait_for_log("-> ready")
        self.assertEqual(weir.ask().status, 200)
        overhead = "_count", frozenset({("pool", "default")})
        eventually(lambda: sum(metrics()["weir_requests_total"].values()) == 1, "the request is counted")
        eventually(lambda: metrics()["weir_proxy_overhead_seconds"][overhead] == 1, "its overhead too")
        families = metrics()
        rows = [line.split("|")[1] for line in DOCS.read_text().splitlines() if line.startswith(("| `weir_", "| `process_"))]
        self.assertEqual(sorted(families), sorted(name for row in rows for name in re.findall(r"`(\w+)`", row)))

    def test_each_request_in_flight_is_in_one_phase(self):
        may_begin, may_end = threading.Event(), threading.Event()
        self.addCleanup(may_begin.set)
        self.addCleanup(may_end.set)

        def behaviour(connection, _):
            connection.send(STREAM_HEAD)  # comes at once; prefill is not over
            may_begin.wait(PATIENCE)
            connection.send(chunk(token(b"a")))
            may_end.wait(PATIENCE)
            connection.send(chunk(DONE) + LAST_CHUNK)

        backend = self.backend(behaviour)
        weir, metrics = self.weir_with_metrics(backend, max_outstanding_per_backend=1)
        weir.wait_for_log("-> ready")

        def phases():
            return {dict(labels)["phase"]: value for (_, labels), value in metrics()["weir_requests_in_flight"].items()}

        clients = [self.client(weir) for _ in range(3)]
        for client in clients:
            client.send_request()
        eventually(lambda: phases() == {"waiting": 2, "sent": 1, "answering": 0}, "one was sent, two wait")
        may_begin.set()
        eventually(lambda: phases() == {"waiting": 2, "sent": 0, "answering": 1}, "its first token has come")
        may_end.set()
        self.assertEqual([client.read_answer().end for client in clients], ["whole"] * 3)
        eventually(lambda: phases() == {"waiting": 0, "sent": 0, "answering": 0}, "all are over")


if __name__ == "__main__":
    unittest.main()
