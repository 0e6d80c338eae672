"""The proxies that ./dev bench puts side by side: how each is told to stream, with one worker and no access log."""
import contextlib
import http.client
import os
import pathlib
import subprocess
import time

HAPROXY = """\
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-no-delay
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend clients
  bind 127.0.0.1:{port} backlog 4096
  default_backend servers
backend servers
  balance leastconn
  server one 127.0.0.1:{backend}
"""

NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.error error;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_buffer_size {body_buffer};
  upstream servers {{
    least_conn;
    server 127.0.0.1:{backend};
    keepalive 512;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://servers;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_buffering off;
      proxy_request_buffering off;
    }}
  }}
}}
"""

CADDY = """\
{{
  admin off
  auto_https off
  log {{
    level ERROR
  }}
}}
http://:{port} {{
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:{backend} {{
    lb_policy least_conn
    flush_interval -1
    transport http {{
      keepalive 60s
      keepalive_idle_conns_per_host 512
    }}
  }}
}}
"""

WEIR = """\
{{
  {workers}
  "listen": [{{"address": "127.0.0.1:{port}"}}],
  "admin": {{"address": "off"}},
  "max_outstanding_per_backend": 4096,
  "backends": ["http://127.0.0.1:{backend}"]
}}
"""


def go_first(cpu=None):
    """In a child, before its program: ahead of everybody else on the machine, the proxies and their peers alike, where that
    is allowed. A session of its own, because the scheduler weighs sessions (autogroups) and not only processes."""
    os.setsid()
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
        pathlib.Path("/proc/self/autogroup").write_text("-20", encoding="ascii")


class Proxy:
    """One way to be started; the process of a round is made by start() and ended by stop()."""

    def __init__(self, name, program, text, arguments, **more):
        self.name, self.program, self.text, self.arguments, self.more = name, program, text, arguments, more
        self.process = None
        self.port = None

    def start(self, folder, port, backend_port, cpu):
        folder = pathlib.Path(folder) / self.name
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "config"
        file.write_text(self.text.format(folder=folder, port=port, backend=backend_port, **self.more), encoding="utf-8")
        command = [self.program, *(part.format(file=file, folder=folder) for part in self.arguments)]
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GOMAXPROCS": "1", "XDG_RUNTIME_DIR": str(folder)}
        with open(folder / "output", "w", encoding="utf-8") as output:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, preexec_fn=lambda: go_first(cpu))
        self.port = port
        self.wait_until_it_answers(folder)

    def wait_until_it_answers(self, folder):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/v1/models")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            finally:
                connection.close()
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} did not start: {(folder / 'output').read_text(encoding='utf-8')[-2000:]}")

    def pids(self):
        """The process and its children: nginx's worker is one."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return [pid, *map(int, children)]

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


class Direct:
    """No proxy: the client asks the backend. What the others' delays are compared with."""
    name = "direct"

    def start(self, _folder, _port, backend_port, _cpu):
        self.port = backend_port

    def pids(self):
        return []

    def stop(self):
        pass


def weir(name, program):
    """A weir with one worker; those from before there were several have no other choice."""
    text = subprocess.run([program, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    workers = '"workers": 1,' if "--workers" in text else ""
    return Proxy(name, program, WEIR, ["serve", "-c", "{file}"], workers=workers)


def incumbents():
    return [Proxy("haproxy", "haproxy", HAPROXY, ["-db", "-f", "{file}"]),
            Proxy("nginx", "nginx", NGINX, ["-p", "{folder}", "-c", "{file}"], body_buffer="16k"),
            Proxy("caddy", "caddy", CADDY, ["run", "--adapter", "caddyfile", "--config", "{file}"])]


def version(proxy):
    """What the program says of itself, in one line."""
    flag = {"haproxy": "-v", "nginx": "-v", "caddy": "version"}.get(proxy.name, "--version")
    said = subprocess.run([proxy.program, flag], capture_output=True, text=True, check=False)
    lines = (said.stdout + said.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"
