// Reads the values of `weir bench`'s flags one by one and collects what is wrong with them. Part of
// bench_flags, not for others. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/engine/length_choice.h"
#include "lb/cli/bench_flags.h"
#include "lb/config/units.h"

namespace weir {

class BenchApplier {
 public:
  explicit BenchApplier(std::vector<Problem>& problems) : problems_(problems) {}

  void count(std::string_view flag, const BenchFlags::Text& text, uint64_t least, uint64_t most,
             uint32_t* target) {
    if (!text) return;
    const Result<uint64_t, Problem> value = parse_count(*text, least, most);
    if (value) *target = static_cast<uint32_t>(*value);
    if (!value) blame(flag, value.error());
  }

  void seconds(std::string_view flag, const BenchFlags::Text& text, double* target) {
    if (!text) return;
    const Result<Duration, Problem> value = parse_duration(*text);
    if (value) *target = std::chrono::duration<double>(*value).count();
    if (!value) blame(flag, value.error());
  }

  void length(std::string_view flag, const BenchFlags::Text& text, LengthChoice* target) {
    if (!text) return;
    const Result<LengthChoice, Problem> value = parse_length_choice(*text);
    if (value) *target = *value;
    if (!value) blame(flag, value.error());
  }

  void number(std::string_view flag, const BenchFlags::Text& text, double least, double most,
              double* target) {
    if (!text || parse_number(*text, least, most, target)) return;
    blame(flag, {"expected a number, got \"" + text->substr(0, 80) + "\"", ""});
  }

  void blame(std::string_view flag, const Problem& problem) {
    problems_.push_back({std::string(flag) + ": " + problem.what, problem.help});
  }

 private:
  std::vector<Problem>& problems_;
};

// What is asked of the pool: models, lengths, files.
void apply_bench_work(const BenchFlags& flags, BenchOptions* options, BenchApplier& applier);

}  // namespace weir
