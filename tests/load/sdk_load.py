"""Chats through the OpenAI SDK, half of them streamed, without retries: what its user really gets, as one JSON line.

    python sdk_load.py --url http://127.0.0.1:8080/v1 --requests 2000 --concurrency 256

Every outcome is one of: whole, cut (a stream that broke visibly), refused (an error before the first event), short (ended as
if whole, but is not: the one that must never happen), hung. Exit code 1 if anything was short or hung, or failed although
--all-whole was given."""

import argparse
import asyncio
import collections
import json
import sys
import time

import openai


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--max-tokens", type=int, default=32)
    parser.add_argument("--timeout", type=float, default=300, help="of one request, in seconds")
    parser.add_argument("--all-whole", action="store_true")
    parser.add_argument("--exit", type=int, default=0, help="exit code when all is well")
    parser.add_argument("--journal", help="a file that gets a line for each request: start, end, outcome")
    return parser.parse_args()


async def streamed(client, options, index):
    tokens, finish = 0, None
    events = await client.chat.completions.create(
        model=options.model, stream=True, max_tokens=options.max_tokens,
        messages=[{"role": "user", "content": f"number {index}"}])
    begun = False
    try:
        async for event in events:
            begun = True
            if event.choices and event.choices[0].delta.content:
                tokens += 1
            if event.choices and event.choices[0].finish_reason:
                finish = event.choices[0].finish_reason
    except openai.APIError as error:
        return ("cut" if begun else "refused"), type(error).__name__
    return ("whole", finish) if finish in ("stop", "length") and tokens else ("short", str(finish))


async def plain(client, options, index):
    answer = await client.chat.completions.create(
        model=options.model, max_tokens=options.max_tokens,
        messages=[{"role": "user", "content": f"number {index}"}])
    finish = answer.choices[0].finish_reason
    return ("whole", finish) if finish in ("stop", "length") else ("short", str(finish))


async def one(client, options, index, journal):
    begin = time.time()
    try:
        kind = streamed if index % 2 else plain
        outcome = await asyncio.wait_for(kind(client, options, index), options.timeout)
    except asyncio.TimeoutError:
        outcome = ("hung", "")
    except openai.APIError as error:
        outcome = ("refused", f"{type(error).__name__} {getattr(error, 'status_code', '')}".strip())
    if journal:
        print(json.dumps({"index": index, "begin": begin, "end": time.time(), "outcome": outcome}), file=journal, flush=True)
    return outcome, time.time() - begin


async def main():
    options = arguments()
    client = openai.AsyncOpenAI(base_url=options.url, max_retries=0, timeout=options.timeout + 10,
                                api_key=__import__("os").environ.get("OPENAI_API_KEY", "none"))
    journal = open(options.journal, "w") if options.journal else None
    todo = iter(range(options.requests))
    outcomes, longest = collections.Counter(), 0.0

    async def worker():
        nonlocal longest
        for index in todo:
            outcome, seconds = await one(client, options, index, journal)
            outcomes[outcome] += 1
            longest = max(longest, seconds)

    begin = time.time()
    await asyncio.gather(*(worker() for _ in range(options.concurrency)))
    counts = collections.Counter()
    for (kind, _), count in outcomes.items():
        counts[kind] += count
    print(json.dumps({"requests": options.requests, "seconds": round(time.time() - begin, 1),
                      "longest": round(longest, 1), "counts": counts,
                      "detail": {" ".join(key): count for key, count in outcomes.items()}}), flush=True)
    bad = counts["short"] + counts["hung"]
    if options.all_whole:
        bad += options.requests - counts["whole"] - bad
    sys.exit(1 if bad else options.exit)


asyncio.run(main())
