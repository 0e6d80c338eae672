// The flags of `weir bench` that say what is asked.
#include "bench/engine/json_input.h"
#include "bench/engine/trace.h"
#include "lb/cli/bench_applier.h"
#include "lb/config/small_file.h"

namespace weir {
namespace {

constexpr size_t kLargestFile = size_t{1} << 30;

void apply_prefix(const BenchFlags& flags, WorkOptions* work, BenchApplier& applier) {
  if (!flags.prefix) return;
  const size_t times = flags.prefix->find('x');
  double tokens = 0;
  double groups = 0;
  const std::string_view text = *flags.prefix;
  if (times == text.npos || !parse_number(text.substr(0, times), 1, kLongestPrompt, &tokens) ||
      !parse_number(text.substr(times + 1), 1, 1e6, &groups)) {
    applier.blame("--prefix",
                  {"expected TOKENSxGROUPS, got \"" + flags.prefix->substr(0, 80) + "\"",
                   "write 2000x20 for 20 prefixes of 2000 tokens"});
    return;
  }
  work->prefix_tokens = static_cast<uint32_t>(tokens);
  work->prefix_groups = static_cast<uint32_t>(groups);
}

void apply_files(const BenchFlags& flags, WorkOptions* work, BenchApplier& applier) {
  if (flags.prompts && flags.trace) {
    applier.blame("--prompts", {"--trace has lengths of its own", "take one of the two"});
  }
  if (flags.prompts) {
    const Result<std::string, Problem> text = read_small_file(*flags.prompts, kLargestFile);
    if (!text) return applier.blame("--prompts", text.error());
    Result<std::vector<PromptItem>, Problem> prompts = parse_prompts(*text);
    if (!prompts)
      return applier.blame("--prompts",
                           {*flags.prompts + ": " + prompts.error().what, prompts.error().help});
    work->prompts = std::move(*prompts);
  }
  if (!flags.trace) return;
  const Result<TraceFormat, Problem> format =
      parse_trace_format(flags.trace_format.value_or("auto"));
  if (!format) return applier.blame("--trace-format", format.error());
  const Result<std::string, Problem> text = read_small_file(*flags.trace, kLargestFile);
  if (!text) return applier.blame("--trace", text.error());
  Result<Trace, Problem> trace = parse_trace(*text, *format);
  if (!trace) {
    return applier.blame("--trace", {*flags.trace + ": " + trace.error().what, trace.error().help});
  }
  work->trace = std::move(trace->items);
  work->block_tokens = trace->block_tokens;
}

}  // namespace

void apply_bench_work(const BenchFlags& flags, BenchOptions* options, BenchApplier& applier) {
  WorkOptions& work = options->work;
  work.model = flags.model.value_or("");
  work.is_chat = !flags.completions;
  work.is_streamed = !flags.no_stream;
  applier.length("--input-tokens", flags.input, &work.input);
  work.has_output_length = flags.output != "off" && (flags.output || !flags.prompts);
  if (flags.output != "off") applier.length("--output-tokens", flags.output, &work.output);
  applier.count("--turns", flags.turns, 1, 1000, &work.turns);
  if (work.turns > 1 && flags.completions) {
    applier.blame("--turns", {"a conversation is chat", "leave --completions away"});
  }
  if (work.turns > 1 && flags.trace) applier.blame("--turns", {"a trace has none", ""});
  apply_prefix(flags, &work, applier);
  apply_files(flags, &work, applier);
  work.ignores_end = flags.ignore_eos ? flags.ignore_eos == "on" : !flags.prompts;
  if (flags.ignore_eos && *flags.ignore_eos != "on" && *flags.ignore_eos != "off") {
    applier.blame("--ignore-eos", {"unknown value", "write on or off"});
  }
  if (flags.seed) {
    const Result<uint64_t, Problem> seed = parse_count(*flags.seed, 0, ~uint64_t{0} >> 1);
    if (seed) work.seed = options->load.seed = *seed;
    if (!seed) applier.blame("--seed", seed.error());
  }
  if (!flags.body) return;
  Result<std::vector<std::pair<std::string, std::string>>, Problem> members =
      parse_members(*flags.body);
  if (members) work.extra = std::move(*members);
  if (!members) applier.blame("--body", members.error());
}

}  // namespace weir
