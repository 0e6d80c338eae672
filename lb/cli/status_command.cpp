#include "lb/cli/status_command.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "lb/admin/admin_client.h"
#include "lb/admin/admin_socket.h"
#include "lb/admin/instance_json.h"
#include "lb/admin/status_table.h"
#include "lb/cli/messages.h"
#include "lb/cli/published_view.h"
#include "lb/config/small_file.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Duration kForAnswer = std::chrono::seconds(5);
constexpr Duration kForAppearing = std::chrono::seconds(10);  // of an instance, with --wait-ready
constexpr Duration kBetweenLooks = std::chrono::milliseconds(200);
constexpr int kUnreachable = 5;
constexpr int kTimedOut = 6;
constexpr int kUsage = 2;

struct Look {
  std::vector<InstanceView> views;
  Problem problem;  // why there is none
};

Look failed(Problem problem) {
  return {{}, std::move(problem)};
}

Result<InstanceView, Problem> ask(const Address& address) {
  const Result<AdminReply, Problem> reply = admin_get(address, "/api/v1/status", kForAnswer);
  if (!reply) return reply.error();
  if (reply->status != 200) {
    return Problem{to_string(address) + " answered " + std::to_string(reply->status) + ": " +
                       reply->body.substr(0, 200),
                   ""};
  }
  return parse_instance(reply->body);
}

Look look_at_address(const std::string& text) {
  const Result<Address, Problem> address = parse_address(text);
  if (!address) return failed(address.error());
  Result<InstanceView, Problem> view = ask(*address);
  if (!view) return failed(view.error());
  return {{std::move(*view)}, {}};
}

Look look_at_file(const std::string& path) {
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
  return {{view_of(file->run, now)}, {}};
}

bool is_chosen(const InstanceView& view, const std::string& name, const std::string& wanted) {
  return wanted.empty() || wanted == name || wanted == view.instance ||
         wanted == std::to_string(view.pid);
}

Look look_at_sockets(const std::string& wanted) {
  Look look;
  for (const FoundInstance& found : find_admin_sockets(AdminHome::of_process())) {
    Result<InstanceView, Problem> view = ask(found.address);
    if (!view) {
      look.problem = view.error();  // of one that died, unless there is another
      continue;
    }
    if (is_chosen(*view, found.name, wanted)) look.views.push_back(std::move(*view));
  }
  if (!look.views.empty()) return look;
  if (!wanted.empty())
    return failed({"no running weir is called \"" + wanted + "\"", "weir status lists them"});
  return failed({"no running weir of this user was found on this machine",
                 "start one, or give --admin ADDR or --file PUBLISHED"});
}

Look look(const StatusOptions& options) {
  if (!options.file.empty()) return look_at_file(options.file);
  if (!options.admin.empty()) return look_at_address(options.admin);
  return look_at_sockets(options.instance);
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

int several(const std::vector<InstanceView>& views) {
  std::string list;
  for (const InstanceView& view : views) list += instance_line(view) + "\n";
  print_error({std::to_string(views.size()) + " instances run", "choose one with --instance PID"});
  return print_result(list) ? kUsage : 1;
}

int show_once(const StatusOptions& options) {
  const Look seen = look(options);
  if (seen.views.empty()) {
    print_error(seen.problem);
    return kUnreachable;
  }
  if (seen.views.size() > 1) return several(seen.views);
  return print_result(text_of(seen.views.front(), options)) ? 0 : 1;
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
    const Look seen = look(options);
    const Duration waited = Clock::now() - begun;
    if (seen.views.size() > 1) return several(seen.views);
    if (!seen.views.empty() && ready_count(seen.views.front()) >= options.wait_ready) {
      return print_result(text_of(seen.views.front(), options)) ? 0 : 1;
    }
    if (seen.views.empty() && (was_there || waited > kForAppearing)) {
      print_error(seen.problem);
      return kUnreachable;
    }
    was_there = !seen.views.empty();
    if (options.timeout > Duration::zero() && waited >= options.timeout) {
      const size_t ready = was_there ? ready_count(seen.views.front()) : 0;
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
