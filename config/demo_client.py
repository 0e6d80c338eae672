#!/usr/bin/env python3
"""A small client to see weir at work: sends chats to URL, half of them streamed, and shows which backend answered.

    demo_client.py --url URL [--model NAME] [--requests N] [--at-once N] [--stay]

Standard library only. Ends with 1 when a request failed.
"""
import argparse
import collections
import concurrent.futures
import dataclasses
import http.client
import json
import os
import signal
import sys
import time
import urllib.parse

PROMPTS = ("Why do rivers meander?", "Name three fish ladders.", "How high is a good weir?", "Who invented the mill?")


@dataclasses.dataclass
class Answer:
    number: int
    streamed: bool
    backend: str = "-"
    attempts: str = "-"
    first_ms: float = 0.0
    total_ms: float = 0.0
    tokens: int = 0
    problem: str = ""


def read_stream(response, answer, begin):
    """Follows an event stream to its end; a stream without [DONE] was cut."""
    done = False
    for line in response:
        if not line.startswith(b"data: "):
            continue
        data = line[len(b"data: "):].strip()
        if data == b"[DONE]":
            done = True
            continue
        event = json.loads(data)
        if "error" in event:
            answer.problem = event["error"]["message"]
        for choice in event.get("choices", ()):
            if choice["delta"].get("content"):
                answer.tokens += 1
                answer.first_ms = answer.first_ms or (time.monotonic() - begin) * 1000
    if not done and not answer.problem:
        answer.problem = "the stream ended without [DONE]"


def read_whole(response, answer):
    answer.tokens = json.load(response)["usage"]["completion_tokens"]


def ask(url, model, number):
    """One chat on a connection of its own."""
    answer = Answer(number, streamed=number % 2 == 0)
    body = {"model": model, "stream": answer.streamed, "max_tokens": 8 + number % 5 * 6,
            "messages": [{"role": "user", "content": PROMPTS[number % len(PROMPTS)]}]}
    if answer.streamed:
        body["stream_options"] = {"include_usage": True}
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("OPENAI_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    begin = time.monotonic()
    connection = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=60)
    try:
        connection.request("POST", f"{url.path}/chat/completions", json.dumps(body), headers)
        response = connection.getresponse()
        answer.backend = response.headers.get("X-Weir-Backend", "-")
        answer.attempts = response.headers.get("X-Weir-Attempts", "-")
        if response.status != 200:
            answer.problem = f"{response.status} {response.read(300).decode(errors='replace')}"
        elif answer.streamed:
            read_stream(response, answer, begin)
        else:
            read_whole(response, answer)
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as error:
        answer.problem = f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    answer.total_ms = (time.monotonic() - begin) * 1000
    return answer


def show(answers):
    print(f"\n{'request':>7}  {'kind':<8}  {'backend':<22}  {'sends':>5}  {'first token':>11}  {'total':>8}  {'tokens':>6}")
    for answer in answers:
        kind = "streamed" if answer.streamed else "plain"
        first = f"{answer.first_ms:.0f} ms" if answer.first_ms else "-"
        line = (f"{answer.number:>7}  {kind:<8}  {answer.backend:<22}  {answer.attempts:>5}  {first:>11}  "
                f"{answer.total_ms:>5.0f} ms  {answer.tokens:>6}")
        print(f"{line}  {answer.problem}".rstrip())
    share = collections.Counter(answer.backend for answer in answers if not answer.problem)
    print("\nshare of each backend")
    for backend, count in sorted(share.items()):
        print(f"  {backend:<22} {count:>4}  {'#' * count}")
    failed = sum(bool(answer.problem) for answer in answers)
    print(f"\n{len(answers)} requests, {failed} failed", flush=True)
    return failed


def stay(url, model):
    body = json.dumps({"model": model, "stream": True, "max_tokens": 20,
                       "messages": [{"role": "user", "content": "Tell me of rivers."}]})
    print(f"\nweir is up at {url.geturl()} . Try it from another terminal:\n\n"
          f"  curl -iN {url.geturl()}/chat/completions -H 'Content-Type: application/json' \\\n    -d '{body}'\n\n"
          "Ctrl-C ends it.", flush=True)
    # Blocked before waiting, so that a signal is waited for, not raced with.
    signal.sigwait({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, type=urllib.parse.urlsplit, help="base URL, ends in /v1")
    parser.add_argument("--model", default="pretend")
    parser.add_argument("--requests", type=int, default=24)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--stay", action="store_true", help="afterwards keep everything up until Ctrl-C")
    options = parser.parse_args()
    if options.stay:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})

    with concurrent.futures.ThreadPoolExecutor(options.at_once) as pool:
        futures = [pool.submit(ask, options.url, options.model, number) for number in range(1, options.requests + 1)]
        answers = [future.result() for future in futures]
    failed = show(answers)
    if options.stay:
        stay(options.url, options.model)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
