#include "bench/engine/chaos.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "bench/engine/arrivals.h"
#include "lb/admin/admin_client.h"

namespace weir {
namespace {

constexpr Duration kForAnswer = std::chrono::seconds(10);
constexpr size_t kKeptOutput = 200;

std::vector<std::string> own_environment() {
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one) all.emplace_back(*one);
  return all;
}

// The last line of what a command printed.
std::string last_line(std::string_view output) {
  while (output.ends_with('\n')) output.remove_suffix(1);
  const size_t at = output.rfind('\n');
  return std::string(at == output.npos ? output : output.substr(at + 1));
}

constexpr std::string_view kVerbs[] = {"drain", "undrain", "exec"};
constexpr std::string_view kExample = "write --at 30s drain n01-0, or --at 60s exec 'COMMAND'";

Problem unreadable(std::string what, std::string help = std::string(kExample)) {
  return {"--at: " + std::move(what), std::move(help)};
}

std::string shown(std::string_view text) {
  return "\"" + std::string(text.substr(0, 80)) + "\"";
}

// "30s,drain" is what one types who knows other tools.
Problem bad_time(std::string_view time, const Problem& why) {
  const size_t digits = time.find_first_not_of("0123456789.msuh");
  if (digits != time.npos && digits > 0 && parse_seconds(time.substr(0, digits))) {
    return unreadable("behind the time " + shown(time.substr(0, digits)) + " stands " +
                          shown(time.substr(digits)),
                      "put a blank between time and action: --at 30s drain n01-0");
  }
  return unreadable(why.what, why.help);
}

Problem bad_verb(std::string_view what) {
  const std::string_view verb = what.substr(0, what.find(' '));
  return unreadable("unknown action " + shown(verb), "there are drain, undrain and exec: exec '" +
                                                         std::string(what.substr(0, 80)) +
                                                         "' runs a command of this machine");
}

}  // namespace

Result<ChaosAction, Problem> parse_action(std::string_view text) {
  const size_t blank = text.find(' ');
  if (blank == text.npos || text.find_first_not_of(' ', blank) == text.npos) {
    return unreadable(text.empty() ? "time and action are missing"
                                   : "behind " + shown(text) + " an action is missing");
  }
  const Result<double, Problem> at = parse_seconds(text.substr(0, blank));
  if (!at) return bad_time(text.substr(0, blank), at.error());
  ChaosAction action;
  action.at_s = *at;
  const std::string_view what = text.substr(text.find_first_not_of(' ', blank));
  action.text = what;
  const size_t end = std::min(what.find(' '), what.size());
  const std::string_view verb = what.substr(0, end);
  const std::string_view rest =
      what.substr(std::min(what.find_first_not_of(' ', end), what.size()));
  if (std::ranges::find(kVerbs, verb) == std::end(kVerbs)) return bad_verb(what);
  if (verb == "exec") {
    if (rest.empty()) return unreadable("exec of which command?");
    action.command = rest;
    return action;
  }
  if (rest.empty()) return unreadable(std::string(verb) + " of which backend?");
  if (rest.find_first_of(" ,/?#") != rest.npos) {
    return unreadable(shown(rest) + " is not the name of one backend",
                      "weir status lists them; each has an --at of its own");
  }
  action.kind = ChaosAction::Kind::post;
  action.path = fmt::format("/api/v1/backends/{}/{}", rest, verb);
  return action;
}

// One action from when it is due. A command is a child of ours; an order to a weir blocks, so it
// has a thread.
class Chaos::Running final : public SubprocessUser {
 public:
  Running(Chaos& chaos, const ChaosAction& action)
      : chaos_(chaos),
        action_(action),
        process_(chaos.loop_, *this),
        answered_(chaos.loop_, bind<&Running::on_answered>(this)) {
    record_.action = action.text;
    record_.planned_ns = static_cast<int64_t>(action.at_s * 1e9);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (thread_.joinable()) thread_.join();
  }

  const ChaosRecord& record() const { return record_; }

  void begin() {
    record_.began_ns = now_ns();
    if (action_.kind == ChaosAction::Kind::post) {
      thread_ = std::thread([this] { post(); });
      return;
    }
    SubprocessOptions options;
    options.argv = {"/bin/sh", "-c", action_.command};
    options.environment = own_environment();
    options.ends_with_us = true;
    const Result<Ok, Problem> started = process_.start(options);
    if (!started) end(false, started.error().what);
  }

  void stop() {
    if (process_.is_running()) process_.signal_group(SIGTERM);
  }

 private:
  int64_t now_ns() const { return (chaos_.loop_.refresh_now() - chaos_.epoch_).count(); }

  void end(bool is_ok, std::string result) {
    record_.ended_ns = now_ns();
    record_.is_ok = is_ok;
    record_.result = std::move(result);
  }

  void on_output(std::string_view bytes) override {
    output_.append(bytes);
    if (output_.size() > 2 * kKeptOutput) output_.erase(0, output_.size() - kKeptOutput);
  }

  void on_exit(ExitStatus status) override {
    std::string result = fmt::format("exit {}", status.code);
    if (const std::string line = last_line(output_); !line.empty()) result += ": " + line;
    end(status.code == 0, std::move(result));
  }

  void post() {
    const ChaosOptions& options = chaos_.options_;
    const Result<AdminReply, Problem> reply =
        admin_post(options.admin, action_.path, options.admin_token, kForAnswer);
    {
      const std::lock_guard lock(mutex_);
      is_ok_ = reply && reply->status / 100 == 2;
      result_ = reply ? fmt::format("{}", reply->status) : reply.error().what;
      if (reply && !is_ok_) result_ += ": " + reply->body.substr(0, kKeptOutput);
    }
    answered_.post();
  }

  void on_answered() {
    thread_.join();
    const std::lock_guard lock(mutex_);
    end(is_ok_, std::move(result_));
  }

  Chaos& chaos_;
  const ChaosAction& action_;
  ChaosRecord record_;
  Subprocess process_;
  std::string output_;
  std::mutex mutex_;
  bool is_ok_ = false;  // guarded by mutex_, as the next
  std::string result_;
  Task answered_;
  std::thread thread_;
};

Chaos::Chaos(EventLoop& loop, const ChaosOptions& options, TimePoint epoch)
    : loop_(loop),
      options_(options),
      epoch_(epoch),
      timer_(loop.timers(), bind<&Chaos::on_due>(this)) {
  for (const ChaosAction& action : options.actions) {
    actions_.push_back(std::make_unique<Running>(*this, action));
  }
  std::ranges::stable_sort(actions_, {}, [](const auto& one) { return one->record().planned_ns; });
  arm();
}

Chaos::~Chaos() = default;

void Chaos::arm() {
  if (next_ == actions_.size()) return;
  timer_.start_at(epoch_ + std::chrono::nanoseconds(actions_[next_]->record().planned_ns));
}

void Chaos::on_due() {
  actions_[next_++]->begin();
  arm();
}

void Chaos::end() {
  timer_.cancel();
  for (const auto& action : actions_) action->stop();
}

std::vector<ChaosRecord> Chaos::records() const {
  std::vector<ChaosRecord> all;
  all.reserve(actions_.size());
  for (const auto& action : actions_) all.push_back(action->record());
  return all;
}

}  // namespace weir
