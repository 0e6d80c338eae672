// load_peers backend|client FLAGS: both ends of the load for ./dev bench and its smoke test. They
// share no code with weir, so that an error of weir's is not made twice. See docs/benchmarks.md.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>
#include <string>

#include "tests/compare/load_backend.h"
#include "tests/compare/load_client.h"

namespace {

constexpr const char* kUsage =
    "usage: load_peers backend [--port N] [--seconds N] [--on CPU]\n"
    "       load_peers client --port N [--work json|upload|stream] [--connections N] [--churn]\n"
    "                  [--warm-ms N] [--run-ms N] [--interval-ms N] [--on CPU] [--watch-cpu CPU]\n"
    "                  [--watch NAME=PID]...\n";

struct Options {
  load_peers::BackendOptions backend;
  load_peers::ClientOptions client;
  int on = -1;
};

bool read_int(std::string_view text, int* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc{} && end == text.data() + text.size() && *value >= 0;
}

bool read_watched(std::string_view text, Options* options) {
  const size_t equals = text.find('=');
  int pid = 0;
  if (equals == std::string_view::npos || !read_int(text.substr(equals + 1), &pid)) return false;
  options->client.watched.push_back({std::string(text.substr(0, equals)), pid});
  return true;
}

bool read_work(std::string_view text, load_peers::Work* work) {
  using load_peers::Work;
  if (text == "json") *work = Work::json;
  if (text == "upload") *work = Work::upload;
  if (text == "stream") *work = Work::stream;
  return text == "json" || text == "upload" || text == "stream";
}

bool read_flag(std::string_view flag, std::string_view value, Options* options) {
  load_peers::ClientOptions& client = options->client;
  if (flag == "--port") {
    return read_int(value, &client.port) && read_int(value, &options->backend.port);
  }
  if (flag == "--seconds") return read_int(value, &options->backend.seconds);
  if (flag == "--on") return read_int(value, &options->on);
  if (flag == "--work") return read_work(value, &client.work);
  if (flag == "--connections") return read_int(value, &client.connections);
  if (flag == "--warm-ms") return read_int(value, &client.warm_ms);
  if (flag == "--run-ms") return read_int(value, &client.run_ms);
  if (flag == "--interval-ms") return read_int(value, &client.interval_ms);
  if (flag == "--watch-cpu") return read_int(value, &client.cpu);
  return flag == "--watch" && read_watched(value, options);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.client.watched.push_back({"client", getpid()});
  const std::string_view mode = argc > 1 ? argv[1] : "";
  bool is_good = mode == "backend" || mode == "client";
  for (int i = 2; i < argc && is_good; ++i) {
    if (strcmp(argv[i], "--churn") == 0) {
      options.client.has_new_connection_each = true;
      continue;
    }
    is_good = i + 1 < argc && read_flag(argv[i], argv[i + 1], &options);
    if (!is_good) fprintf(stderr, "load_peers: error: cannot read %s\n", argv[i]);
    ++i;
  }
  if (!is_good) {
    fputs(kUsage, stderr);
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (options.on >= 0 && !load_peers::pin_to(options.on)) {
    perror("load_peers: error: cannot run on that CPU");
    return 2;
  }
  return mode == "backend" ? load_peers::run_backend(options.backend)
                           : load_peers::run_client(options.client);
}
