"""The COMMAND of test_slurm_launch: `slurm_client.py URL COUNT CONCURRENCY [EXIT_CODE]` sends COUNT chats, every second one
streamed, and says how each ended. Standard library only."""

import collections
import concurrent.futures
import http.client
import json
import os
import sys
import urllib.parse


def chat(url, number):
    target = urllib.parse.urlsplit(url)
    is_stream = number % 2 == 1
    body = {"model": "mock", "max_tokens": 8, "stream": is_stream,
            "messages": [{"role": "user", "content": f"question {number}"}]}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', 'none')}"}
    connection = http.client.HTTPConnection(target.hostname, target.port, timeout=120)
    try:
        connection.request("POST", target.path + "/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            return f"status {answer.status}: {text[:200]}", ""
        is_whole = text.rstrip().endswith("data: [DONE]") if is_stream else bool(json.loads(text)["choices"])
        return "ok" if is_whole else "cut", answer.headers.get("X-Weir-Backend", "?")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{type(error).__name__}: {error}", ""
    finally:
        connection.close()


def main():
    url, count, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with concurrent.futures.ThreadPoolExecutor(concurrency) as pool:
        results = list(pool.map(lambda n: chat(url, n), range(count)))
    print("results", dict(collections.Counter(result for result, _ in results)))
    print("backends", dict(collections.Counter(backend for _, backend in results)), flush=True)
    if any(result != "ok" for result, _ in results):
        return 99
    return int(sys.argv[4]) if len(sys.argv) > 4 else 0


if __name__ == "__main__":
    sys.exit(main())
