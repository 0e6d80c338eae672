"""The real OpenAI SDKs and curl see the same through weir as without it, and weir's errors as the errors they know."""
import asyncio
import contextlib
import json
import os
import subprocess
import unittest

import openai

import stage
from stage import MODEL

NODE_CLIENT = os.environ["WEIR_NODE_CLIENT"]


def sdk(url, **options):
    # Retries are off: what weir answers is what is looked at.
    return openai.OpenAI(base_url=url, api_key="a-key-of-the-client", max_retries=0, timeout=120, **options)


def node(url, what):
    done = subprocess.run(["node", NODE_CLIENT, url, MODEL, what], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise AssertionError(f"chats.mjs {what} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def curl(url, body, *options):
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "120", "-N", "-H", "Content-Type: application/json",
               "-d", json.dumps(body), *options, f"{url}/v1/chat/completions"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def request(prompt, tokens=12, **more):
    return {"model": MODEL, "max_tokens": tokens, "messages": [{"role": "user", "content": prompt}], **more}


def events(stream):
    """The data of an event stream, without what differs between two equal answers."""
    seen = []
    for line in stream.splitlines():
        if line.startswith("data: {"):
            event = json.loads(line[len("data: "):])
            seen.append({key: value for key, value in event.items() if key not in ("id", "created", "system_fingerprint")})
        elif line:
            seen.append(line)
    return seen


class WithTwoBackends(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = cls.enterClassContext(stage.Stage())
        cls.mocks = [cls.stage.mock() for _ in range(2)]
        cls.weir = cls.stage.weir(*cls.mocks)
        cls.direct = sdk(f"{cls.mocks[0]}/v1")
        cls.client = sdk(f"{cls.weir}/v1")

    def expect_quiet_backends(self):
        stage.wait_until(lambda: stage.running(self.mocks) == 0, "the pretend servers have stopped generating")

    @contextlib.contextmanager
    def expect_one_to_be_left(self):
        """What is done inside leaves a stream that nobody reads to its end: the pretend server notices."""
        self.expect_quiet_backends()
        before = stage.left(self.mocks)
        yield
        stage.wait_until(lambda: (stage.left(self.mocks) or 0) > before, "the pretend server has been left")
        self.expect_quiet_backends()


class PythonSdkTest(WithTwoBackends):
    def test_a_plain_chat_is_the_one_of_the_backend(self):
        through, direct = (client.chat.completions.create(**request("plain")) for client in (self.client, self.direct))
        self.assertEqual(through.choices, direct.choices)
        self.assertEqual(through.usage, direct.usage)
        self.assertTrue(through.choices[0].message.content)

    def test_a_streamed_chat_is_the_one_of_the_backend(self):
        wish = request("streamed", stream=True, stream_options={"include_usage": True})
        through, direct = ([(chunk.choices, chunk.usage) for chunk in client.chat.completions.create(**wish)]
                           for client in (self.client, self.direct))
        self.assertEqual(through, direct)
        self.assertEqual(through[-1][1].completion_tokens, 12)

    def test_completions_and_models_pass_as_well(self):
        wish = {"model": MODEL, "prompt": "Once", "max_tokens": 9}
        self.assertEqual(self.client.completions.create(**wish).choices, self.direct.completions.create(**wish).choices)
        texts = ["".join(chunk.choices[0].text for chunk in client.completions.create(**wish, stream=True))
                 for client in (self.client, self.direct)]
        self.assertEqual(texts[0], texts[1])
        self.assertEqual([model.id for model in self.client.models.list()], [MODEL])

    def test_many_streams_at_once_all_end_and_are_shared_out(self):
        async def one(client, number):
            answer = await client.chat.completions.with_raw_response.create(**request(f"many {number}", 20, stream=True))
            chunks = [chunk async for chunk in answer.parse()]
            return answer.headers["x-weir-backend"], chunks[-1].choices[0].finish_reason

        async def all_of_them():
            async with openai.AsyncOpenAI(base_url=f"{self.weir}/v1", api_key="x", max_retries=0, timeout=120) as client:
                return await asyncio.gather(*(one(client, number) for number in range(64)))

        seen = asyncio.run(all_of_them())
        self.assertEqual({finish for _, finish in seen}, {"length"})
        self.assertEqual(len({backend for backend, _ in seen}), 2)
        self.expect_quiet_backends()

    def test_the_id_of_a_request_goes_there_and_back(self):
        answer = self.client.chat.completions.create(**request("id"), extra_headers={"X-Request-Id": "river-1"})
        self.assertEqual(answer._request_id, "river-1")
        self.assertTrue(self.client.chat.completions.create(**request("id"))._request_id)

    def test_leaving_a_stream_stops_its_generation(self):
        with self.expect_one_to_be_left(), \
                self.client.chat.completions.create(**request("leave", 4000, stream=True)) as stream:
            for chunk in stream:
                if chunk.choices[0].delta.content:
                    break

    def test_a_stream_cut_by_its_backend_raises(self):
        for fault in ("reset_mid_stream:5", "fin_mid_stream:5", "abort:5"):
            with self.subTest(fault), self.assertRaises(openai.APIError) as caught:
                stream = self.client.chat.completions.create(**request("cut", 50, stream=True),
                                                             extra_headers={"x-mock-fault": fault})
                for _ in stream:
                    pass
            self.assertEqual(caught.exception.code, "stream_interrupted")

    def test_an_unknown_path_is_not_found(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client.post("/no/such/path", cast_to=object, body={})
        self.assertEqual((caught.exception.code, caught.exception.type), ("path_not_allowed", "invalid_request_error"))

    def test_engine_control_is_forbidden(self):
        with self.assertRaises(openai.PermissionDeniedError) as caught:
            sdk(self.weir).post("/sleep", cast_to=object, body={})
        self.assertEqual(caught.exception.code, "path_not_allowed")

    def test_an_error_of_the_backend_passes(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client.chat.completions.create(**{**request("model"), "model": "no-such-model"})
        self.assertIn("no-such-model", caught.exception.message)


class NodeSdkTest(WithTwoBackends):
    def test_a_plain_chat_is_the_one_of_the_backend(self):
        through, direct = (node(f"{url}/v1", "plain") for url in (self.weir, self.mocks[0]))
        self.assertEqual(through, direct)
        self.assertTrue(through["text"])

    def test_a_streamed_chat_is_the_one_of_the_backend(self):
        through, direct = (node(f"{url}/v1", "streamed") for url in (self.weir, self.mocks[0]))
        self.assertEqual(through, direct)
        self.assertEqual(through["finish"], "length")
        self.assertEqual(through["usage"]["completion_tokens"], 12)

    def test_many_streams_at_once_all_end(self):
        self.assertEqual(node(f"{self.weir}/v1", "many"), {"finishes": ["length"] * 32})

    def test_the_models_are_listed(self):
        self.assertEqual(node(f"{self.weir}/v1", "models"), {"ids": [MODEL]})

    def test_leaving_a_stream_stops_its_generation(self):
        with self.expect_one_to_be_left():
            self.assertEqual(node(f"{self.weir}/v1", "left"), {"left": True})

    def test_a_stream_cut_by_its_backend_raises(self):
        seen = node(f"{self.weir}/v1", "cut")
        self.assertEqual((seen.get("error"), seen.get("code")), ("APIError", "stream_interrupted"), seen)

    def test_an_unknown_path_is_not_found(self):
        seen = node(f"{self.weir}/v1", "unknown_path")
        self.assertEqual((seen.get("error"), seen.get("status"), seen.get("code")), ("NotFoundError", 404, "path_not_allowed"))


class CurlTest(WithTwoBackends):
    def test_a_plain_chat_is_the_one_of_the_backend(self):
        through, direct = (json.loads(curl(url, request("curl"))) for url in (self.weir, self.mocks[0]))
        self.assertEqual(through["choices"], direct["choices"])

    def test_the_events_of_a_stream_are_those_of_the_backend(self):
        through, direct = (events(curl(url, request("curl", 30, stream=True))) for url in (self.weir, self.mocks[0]))
        self.assertEqual(through, direct)
        self.assertEqual(through[-1], "data: [DONE]")

    def test_the_head_names_the_backend(self):
        head = curl(self.weir, request("curl"), "-i").partition("\n\n")[0].lower()
        self.assertIn("x-weir-backend:", head)
        self.assertIn("x-request-id:", head)


class WithoutBackendTest(unittest.TestCase):
    def test_backends_that_have_never_answered_are_said_to_be_loading(self):
        with stage.Stage() as on_stage:
            url = on_stage.weir(f"http://127.0.0.1:{stage.free_port()}", wait=False)
            stage.wait_until(lambda: self.error_of(url) == (503, "backends_loading"), "backends_loading is said")
            error = self.exception_of(url)
            self.assertIsInstance(error, openai.InternalServerError)
            self.assertTrue(error.request_id)
            self.assertGreater(int(error.response.headers["retry-after"]), 0)

    @staticmethod
    def exception_of(url):
        try:
            sdk(f"{url}/v1").chat.completions.create(**request("nobody"))
        except openai.APIError as error:
            return error
        return None

    def error_of(self, url):
        error = self.exception_of(url)
        return (getattr(error, "status_code", None), getattr(error, "code", None))


if __name__ == "__main__":
    unittest.main()
