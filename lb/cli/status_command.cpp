#include "lb/cli/status_command.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "lb/admin/instance_json.h"
#include "lb/admin/status_table.h"
#include "lb/cli/instances.h"
#include "lb/cli/messages.h"
#include "lb/cli/published_view.h"
#include "lb/config/small_file.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Duration kForAppearing = std::chrono::seconds(10);  // of an instance, with --wait-ready
constexpr Duration kBetweenLooks = std::chrono::milliseconds(200);
constexpr int kUnreachable = 5;
constexpr int kTimedOut = 6;

Instances failed(Problem problem) {
  return {{}, std::move(problem)};
}

// A published file, as if it were a running instance.
Instances look_at_file(const std::string& path) {
  const Result<std::string, Problem> text = read_small_file(path, kLargestLauncherFile);
  if (!text) return failed(text.error());
  const Result<LauncherFile, LauncherFileProblem> file = read_launcher_file(*text, true);
  if (!file)
    return failed({path + ": " + file.error().what, "give the file of weir launch --publish"});
  if (!file->is_published) {
    return failed({path + " is a list of addresses and says nothing about their state",
                   "give the file of weir launch --publish"});
  }
  const int64_t now = ::time(nullptr);
  const std::string ended = ended_text(file->run, now);
  if (!ended.empty()) return failed({path + ": " + ended, ""});
  return {{{Address{}, view_of(file->run, now)}}, {}};
}

Instances look(const StatusOptions& options) {
  if (!options.file.empty()) return look_at_file(options.file);
  if (!options.admin.empty()) return find_instance_at(options.admin);
  return find_instances(options.instance);
}

bool may_colour() {
  const char* no_colour = ::getenv("NO_COLOR");
  const char* terminal = ::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

std::string text_of(const InstanceView& view, const StatusOptions& options) {
  return options.json ? instance_json(view) + "\n" : status_table(view, TableStyle{may_colour()});
}

int show_once(const StatusOptions& options) {
  const Instances now = look(options);
  if (now.found.empty()) {
    print_error(now.problem);
    return kUnreachable;
  }
  if (now.found.size() > 1) return tell_several(now.found);
  return print_result(text_of(now.found.front().view, options)) ? 0 : 1;
}

// Until interrupted, or until nothing answers any more.
int watch(const StatusOptions& options) {
  const bool is_screen = ::isatty(STDOUT_FILENO) == 1 && !options.json;
  const Duration pause =
      is_screen || options.json ? std::chrono::seconds(1) : std::chrono::seconds(10);
  while (true) {
    if (is_screen && !print_result("\x1b[H\x1b[J")) return 1;
    const int code = show_once(options);
    if (code != 0) return code;
    std::this_thread::sleep_for(pause);
  }
}

int wait_ready(const StatusOptions& options) {
  const TimePoint begun = Clock::now();
  bool was_there = false;
  while (true) {
    const Instances now = look(options);
    const Duration waited = Clock::now() - begun;
    if (now.found.size() > 1) return tell_several(now.found);
    if (!now.found.empty() && ready_count(now.found.front().view) >= options.wait_ready) {
      return print_result(text_of(now.found.front().view, options)) ? 0 : 1;
    }
    if (now.found.empty() && (was_there || waited > kForAppearing)) {
      print_error(now.problem);
      return kUnreachable;
    }
    was_there = !now.found.empty();
    if (options.timeout > Duration::zero() && waited >= options.timeout) {
      const size_t ready = was_there ? ready_count(now.found.front().view) : 0;
      print_error({std::to_string(ready) + " of " + std::to_string(options.wait_ready) +
                       " backends were ready in time",
                   "weir status shows why the others are not"});
      return was_there ? kTimedOut : kUnreachable;
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

}  // namespace

int run_status(const StatusOptions& options) {
  if (options.wait_ready != StatusOptions::kNoWait) return wait_ready(options);
  return options.watch ? watch(options) : show_once(options);
}

}  // namespace weir
