#include "discovery/srun_sweep.h"

#include <signal.h>

#include <algorithm>

#include <fmt/core.h>

#include "discovery/slurm_queue.h"

namespace weir {
namespace {

constexpr Duration kPatience = std::chrono::seconds(18);
constexpr Duration kBetweenRounds = std::chrono::milliseconds(250);
constexpr Duration kOneAnswer = std::chrono::seconds(9);  // squeue gives up after 8.5 s by itself
constexpr int kRoundsBeforeCancel = 3;                    // steps that are just ending need no help
constexpr size_t kLongestAnswer = 1 << 20;

}  // namespace

SrunSweep::SrunSweep(EventLoop& loop, std::string job_id, std::string step_prefix,
                     std::vector<std::string> environment)
    : loop_(loop),
      job_id_(std::move(job_id)),
      step_prefix_(std::move(step_prefix)),
      environment_(std::move(environment)),
      timer_(loop.timers(), bind<&SrunSweep::on_due>(this)),
      squeue_(loop, *this),
      scancel_(loop, ignored_) {}

void SrunSweep::start(Callback<const ReplicaSweep&> done) {
  done_ = done;
  result_ = {};
  rounds_ = 0;
  deadline_ = loop_.now() + kPatience;
  timer_.start(Duration::zero());
}

void SrunSweep::on_due() {
  if (!squeue_.is_running()) return ask();
  squeue_.signal(SIGKILL);  // on_exit goes on
}

void SrunSweep::ask() {
  answer_.clear();
  SubprocessOptions options;
  options.argv = {"squeue", "-h", "-s", "-j", job_id_, "-o", "%i|%j"};
  options.environment = environment_;
  const auto started = squeue_.start(options);
  if (!started) return finish(started.error().what);
  timer_.start(kOneAnswer);
}

void SrunSweep::on_output(std::string_view bytes) {
  if (answer_.size() + bytes.size() <= kLongestAnswer) answer_ += bytes;
}

void SrunSweep::on_exit(ExitStatus status) {
  timer_.cancel();
  // squeue knows the job no more: neither are there steps of it.
  if (answer_.find("Invalid job id") != std::string::npos) return finish({});
  std::string problem;
  if (status.code != 0) {
    problem = fmt::format("squeue ended with code {}: {}", status.code, answer_.substr(0, 200));
  }
  const std::vector<std::string> left =
      problem.empty() ? steps_left(&problem) : std::vector<std::string>();
  if (problem.empty() && left.empty()) return finish({});
  if (loop_.now() >= deadline_) {
    if (problem.empty()) {
      problem =
          fmt::format("Slurm still lists {} of our steps, {} among them", left.size(), left[0]);
    }
    return finish(std::move(problem));
  }
  if (!left.empty() && ++rounds_ > kRoundsBeforeCancel) cancel(left);
  timer_.start(kBetweenRounds);
}

std::vector<std::string> SrunSweep::steps_left(std::string* problem) const {
  std::vector<std::string> ids;
  const auto steps = parse_steps(answer_);
  if (!steps) {
    *problem = steps.error().what;
    return ids;
  }
  for (const StepEntry& step : steps.value()) {
    if (step.name.starts_with(step_prefix_)) ids.push_back(step.id);
  }
  return ids;
}

void SrunSweep::cancel(const std::vector<std::string>& steps) {
  if (scancel_.is_running()) return;
  SubprocessOptions options;
  options.argv = {"scancel", "-s", "KILL"};
  options.argv.insert(options.argv.end(), steps.begin(), steps.end());
  options.environment = environment_;
  const auto started = scancel_.start(options);
  if (!started) return;  // the next round says what is left
  for (const std::string& step : steps) {
    if (std::find(result_.cancelled.begin(), result_.cancelled.end(), step) ==
        result_.cancelled.end()) {
      result_.cancelled.push_back(step);
    }
  }
}

void SrunSweep::finish(std::string problem) {
  timer_.cancel();
  result_.problem = std::move(problem);
  done_(result_);
}

}  // namespace weir
