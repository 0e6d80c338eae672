// load_peers backend|client FLAGS: both ends of the load for ./dev bench and its smoke test. They
// share no code with weir, so that an error of weir's is not made twice. See docs/benchmarks.md.
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>
#include <sstream>
#include <string>
#include <vector>

#include "tests/compare/load_backend.h"
#include "tests/compare/load_client.h"

namespace {

using load_peers::monotonic_ns;

constexpr const char* kUsage =
    "usage: load_peers backend [--port N] [--seconds N] [--on CPU]\n"
    "       load_peers both [--port N] [--seconds N] [--on CPU]   reads lines of client flags\n"
    "       load_peers client --port N [--work json|upload|stream] [--connections N] [--churn]\n"
    "                  [--warm-ms N] [--run-ms N] [--interval-ms N] [--on CPU] [--watch-cpu CPU]\n"
    "                  [--watch NAME=PID]...\n";

struct Options {
  load_peers::ClientOptions client;
  int on = -1;
  int seconds = 60;
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
  if (flag == "--port") return read_int(value, &client.port);
  if (flag == "--seconds") return read_int(value, &options->seconds);
  if (flag == "--on") return read_int(value, &options->on);
  if (flag == "--work") return read_work(value, &client.work);
  if (flag == "--connections") return read_int(value, &client.connections);
  if (flag == "--warm-ms") return read_int(value, &client.warm_ms);
  if (flag == "--run-ms") return read_int(value, &client.run_ms);
  if (flag == "--interval-ms") return read_int(value, &client.interval_ms);
  if (flag == "--watch-cpu") return read_int(value, &client.cpu);
  return flag == "--watch" && read_watched(value, options);
}

bool read_flags(const std::vector<std::string>& words, Options* options) {
  options->client.watched.push_back({"client", getpid()});
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--churn") {
      options->client.has_new_connection_each = true;
      continue;
    }
    if (i + 1 == words.size() || !read_flag(words[i], words[i + 1], options)) {
      fprintf(stderr, "load_peers: error: cannot read %s\n", words[i].c_str());
      return false;
    }
    ++i;
  }
  return true;
}

// A line of client flags, a run, a line of JSON. False at the end of the input.
bool obey(load_peers::Backend* backend) {
  char line[4096];
  if (fgets(line, sizeof line, stdin) == nullptr) return false;
  std::istringstream text(line);
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(word);
  Options options;
  if (!read_flags(words, &options)) return false;
  load_peers::run_client(options.client, backend);
  fflush(stdout);
  return true;
}

int serve(const Options& options, bool obeys) {
  load_peers::Backend backend(options.client.port);
  if (backend.port() == 0) {
    perror("load_peers: error: cannot listen");
    return 2;
  }
  printf("listening %d\n", backend.port());
  fflush(stdout);
  const int64_t until = monotonic_ns() + int64_t{options.seconds} * 1'000'000'000;
  while (monotonic_ns() < until) {
    backend.turn(obeys ? 5 : 500);
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (obeys && poll(&input, 1, 0) == 1 && !obey(&backend)) break;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  Options options;
  const bool is_known = mode == "backend" || mode == "client" || mode == "both";
  if (!is_known || !read_flags({argv + 2, argv + argc}, &options)) {
    fputs(kUsage, stderr);
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (options.on >= 0 && !load_peers::pin_to(options.on)) {
    perror("load_peers: error: cannot run on that CPU");
    return 2;
  }
  return mode == "client" ? load_peers::run_client(options.client) : serve(options, mode == "both");
}
