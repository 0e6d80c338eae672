"""A page of a real Chromium, driven over the DevTools pipe: no port, no library."""
import base64
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time

DEADLINE = 180  # s, of anything


def find():
    """The browser's path, or None."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


class Page:
    """`with Page(width, height) as page:`. Keeps what the page asked for (`requests`) and complained of (`complaints`)."""

    def __init__(self, width=1200, height=900):
        self._width, self._height = width, height
        self.requests = []
        self.complaints = []
        self._answers = {}
        self._events = queue.Queue()
        self._next = 0
        self._session = None
        self._loaded = set()
        self._has_scripts = True

    def __enter__(self):
        self._home = tempfile.TemporaryDirectory()
        to_read, self._out = os.pipe()
        self._in, to_write = os.pipe()

        def place():  # Chromium reads from 3 and writes to 4
            os.dup2(to_read, 20)
            os.dup2(to_write, 21)
            os.dup2(20, 3)
            os.dup2(21, 4)

        self._log = open(os.path.join(self._home.name, "log"), "w+b")
        self._process = subprocess.Popen(
            [find(), "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
             "--host-resolver-rules=MAP * ~NOTFOUND", "--force-device-scale-factor=1", f"--user-data-dir={self._home.name}/profile",
             f"--window-size={self._width},{self._height}"],
            preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        os.close(to_read)
        os.close(to_write)
        threading.Thread(target=self._read, daemon=True).start()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)
        self.size(self._width, self._height)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._out)
        self._log.close()
        shutil.rmtree(self._home.name, ignore_errors=True)

    def _read(self):
        """Messages end with a NUL."""
        with os.fdopen(self._in, "rb") as pipe:
            rest = b""
            while block := os.read(pipe.fileno(), 1 << 16):
                *messages, rest = (rest + block).split(b"\0")
                for message in messages:
                    self._events.put(json.loads(message))
        self._events.put(None)

    def _take(self):
        message = self._events.get(timeout=DEADLINE)
        if message is None:
            self._log.seek(0)
            raise RuntimeError("the browser is gone: " + self._log.read().decode(errors="replace")[-2000:])
        if "id" in message:
            self._answers[message["id"]] = message
        method, values = message.get("method"), message.get("params", {})
        if method == "Page.lifecycleEvent" and values["name"] == "load":
            self._loaded.add(values["loaderId"])
        if method == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"])
        if method == "Runtime.exceptionThrown":
            self.complaints.append(values["exceptionDetails"].get("exception", {}).get("description") or str(values))
        if method == "Runtime.consoleAPICalled":
            self.complaints.append(" ".join(str(one.get("value", one)) for one in values["args"]))
        if method == "Log.entryAdded":
            self.complaints.append(values["entry"]["text"])

    def call(self, method, **values):
        self._next += 1
        number = self._next
        message = {"id": number, "method": method, "params": values}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while number not in self._answers:
            self._take()
        answer = self._answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, path):
        self.requests.clear()
        self.complaints.clear()
        loader = self.call("Page.navigate", url="file://" + os.path.abspath(path))["loaderId"]
        while loader not in self._loaded:  # that may have come before the answer
            self._take()
        if self._has_scripts:
            self.settle()

    def settle(self):
        """What is drawn when a size is known is drawn within two frames."""
        self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_until(self, condition):
        """Of events that the browser delivers when it likes."""
        end = time.monotonic() + DEADLINE
        while not self.value(condition):
            if time.monotonic() > end:
                raise AssertionError("never so: " + condition)
            time.sleep(0.02)

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, name):
        """light or dark"""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def scripts(self, allowed):
        self._has_scripts = allowed
        self.call("Emulation.setScriptExecutionDisabled", value=not allowed)

    def point_at(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self, path):
        height = self.value("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": self.value("innerWidth"), "height": height, "scale": 1}
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        with open(path, "wb") as file:
            file.write(base64.b64decode(answer["data"]))
