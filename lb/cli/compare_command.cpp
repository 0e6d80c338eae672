#include "lb/cli/compare_command.h"

#include <charconv>

#include "bench/report/comparison.h"
#include "lb/cli/messages.h"
#include "lb/config/units.h"

namespace weir {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

int usage(const Problem& problem) {
  print_error(problem);
  return kUsage;
}

// "5%" or "0.05"
bool read_share(std::string_view text, double least, double most, double* share) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, *share, std::chars_format::fixed);
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  if (error != std::errc{} || (!unit.empty() && unit != "%")) return false;
  if (unit == "%") *share /= 100;
  return *share >= least && *share <= most;
}

Result<ComparisonOptions, Problem> read_flags(const CompareFlags& flags) {
  ComparisonOptions options;
  options.anyway = flags.anyway;
  if (flags.files.size() != 2) {
    return Problem{"weir compare needs two results, A and B",
                   "write weir compare BEFORE/run.json AFTER/run.json"};
  }
  if (!flags.threshold.empty() && !read_share(flags.threshold, 0, 1, &options.threshold)) {
    return Problem{"--threshold: expected a share from 0% to 100%, got \"" + flags.threshold + "\"",
                   "write --threshold 5%"};
  }
  if (!flags.confidence.empty() &&
      !read_share(flags.confidence, 0.5, 0.9999, &options.resample.confidence)) {
    return Problem{
        "--confidence: expected a share from 50% to 99.99%, got \"" + flags.confidence + "\"",
        "write --confidence 99%"};
  }
  if (flags.seed.empty()) return options;
  const Result<uint64_t, Problem> seed = parse_count(flags.seed, 0, uint64_t{1} << 53);
  if (!seed) return Problem{"--seed: " + seed.error().what, "write --seed N"};
  options.resample.seed = *seed;
  return options;
}

constexpr FlagRow<CompareFlags> kRows[] = {
    {"--threshold", "P", &CompareFlags::threshold, "a smaller change is no change; default 5%"},
    {"--confidence", "P", &CompareFlags::confidence, "of the intervals; default 99%"},
    {"--seed", "N", &CompareFlags::seed, "of the draws; default 0"},
    {"--anyway", &CompareFlags::anyway, "even when the workloads differ"},
    {"--json", &CompareFlags::json, "as JSON"},
};

}  // namespace

std::span<const FlagRow<CompareFlags>> compare_flag_rows() {
  return kRows;
}

int run_compare(const CompareFlags& flags) {
  const Result<ComparisonOptions, Problem> options = read_flags(flags);
  if (!options) return usage(options.error());
  std::vector<RunFile> runs;
  for (const std::string& path : flags.files) {
    Result<RunFile, FileMistake> run = read_run_file(path);
    if (!run) {
      print_error(run.error().problem, run.error().where);
      return kUsage;
    }
    runs.push_back(std::move(*run));
  }
  const Result<Comparison, Problem> comparison = compare_runs(runs[0], runs[1], *options);
  if (!comparison) return usage(comparison.error());
  const std::string text = flags.json ? comparison_json(runs[0], runs[1], *comparison, *options)
                                      : comparison_table(runs[0], runs[1], *comparison, *options);
  return print_result(text) ? comparison->exit_status : kFailed;
}

}  // namespace weir
