#include "lb/cli/mock_flags.h"

#include <charconv>

#include "lb/config/backend_list.h"
#include "lb/config/units.h"

namespace weir {
namespace {

constexpr FlagRow<MockFlags> kRows[] = {
    {"--listen", "ADDR[,ADDR...]", &MockFlags::listen,
     "default 127.0.0.1:8000; one pretend server each"},
    {"--model", "NAME", &MockFlags::model, "default mock"},
    {"--api-key", "KEY", &MockFlags::api_key, "asked of clients; default $VLLM_API_KEY"},
    {"--load-time", "D", &MockFlags::load_time, "from start until it listens"},
    {"--ttft", "D", &MockFlags::ttft, "to the first token; default 50ms"},
    {"--itl", "D", &MockFlags::itl, "between two tokens; default 10ms"},
    {"--prefill-per-token", "D", &MockFlags::prefill_per_token, "of the prompt; default 20us"},
    {"--batch-slowdown", "X", &MockFlags::batch_slowdown,
     "of a step by each running sequence; default 0.01"},
    {"--max-seqs", "N", &MockFlags::max_seqs, "sequences at once; default 256"},
    {"--queue-limit", "N", &MockFlags::queue_limit,
     "waiting requests beyond which 503 is answered"},
    {"--max-model-len", "N", &MockFlags::max_model_len, "default 32768"},
    {"--idle-close", "D", &MockFlags::idle_close, "of a connection; default 5s"},
    {"--on-term", "abort|drain|hang|exit", &MockFlags::on_term, "default abort"},
    {"--drain-timeout", "D", &MockFlags::drain_timeout, "of --on-term drain; default 30s"},
    {"--fault", "KIND[:WHEN]", &MockFlags::faults, "goes wrong on purpose (repeatable)"},
};

class MockApplier {
 public:
  explicit MockApplier(std::vector<Problem>& problems) : problems_(problems) {}

  void count(std::string_view flag, const std::optional<std::string>& text, uint64_t least,
             uint32_t* target) {
    if (!text) return;
    const Result<uint64_t, Problem> value = parse_count(*text, least, 1'000'000'000);
    if (value) *target = static_cast<uint32_t>(*value);
    if (!value) blame(flag, value.error());
  }

  void duration(std::string_view flag, const std::optional<std::string>& text, Duration* target) {
    if (!text) return;
    const Result<Duration, Problem> value = parse_mock_duration(*text);
    if (value) *target = *value;
    if (!value) blame(flag, value.error());
  }

  void blame(std::string_view flag, const Problem& problem) {
    problems_.push_back({std::string(flag) + ": " + problem.what, problem.help});
  }

 private:
  std::vector<Problem>& problems_;
};

void apply_listen(const MockFlags& flags, MockOptions* options, MockApplier& applier) {
  if (!flags.listen.empty()) options->listen.clear();
  for (const std::string& value : flags.listen) {
    std::string_view rest = value;
    while (true) {
      const size_t comma = rest.find(',');
      Result<Address, Problem> address = parse_address(rest.substr(0, comma));
      if (address) options->listen.push_back(std::move(*address));
      if (!address) applier.blame("--listen", address.error());
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  if (options->listen.size() > kMostBackends) {
    applier.blame("--listen",
                  {"that is more than " + std::to_string(kMostBackends) + " addresses", ""});
  }
}

void apply_faults(const MockFlags& flags, MockOptions* options, MockApplier& applier) {
  for (const std::string& text : flags.faults) {
    const Result<Fault, Problem> fault = parse_fault(text, FaultPlace::command_line);
    if (fault) options->faults.push_back(*fault);
    if (!fault) applier.blame("--fault", fault.error());
  }
}

void apply_slowdown(const MockFlags& flags, MockOptions* options, MockApplier& applier) {
  if (!flags.batch_slowdown) return;
  const std::string& text = *flags.batch_slowdown;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (is_number && value >= 0 && value <= 100) {
    options->batch_slowdown = value;
  } else {
    applier.blame("--batch-slowdown",
                  {"expected a number from 0 to 100, got \"" + text + "\"", ""});
  }
}

}  // namespace

std::span<const FlagRow<MockFlags>> mock_flag_rows() {
  return kRows;
}

std::vector<Problem> apply_mock_flags(const MockFlags& flags, MockOptions* options) {
  std::vector<Problem> problems;
  MockApplier applier(problems);
  apply_listen(flags, options, applier);
  apply_faults(flags, options, applier);
  apply_slowdown(flags, options, applier);
  if (flags.model) options->model = *flags.model;
  if (flags.api_key) options->api_key = *flags.api_key;
  applier.count("--max-seqs", flags.max_seqs, 1, &options->max_seqs);
  applier.count("--queue-limit", flags.queue_limit, 0, &options->queue_limit);
  applier.count("--max-model-len", flags.max_model_len, 1, &options->max_model_len);
  applier.duration("--load-time", flags.load_time, &options->load_time);
  applier.duration("--ttft", flags.ttft, &options->ttft);
  applier.duration("--itl", flags.itl, &options->itl);
  applier.duration("--prefill-per-token", flags.prefill_per_token, &options->prefill_per_token);
  applier.duration("--idle-close", flags.idle_close, &options->idle_close);
  applier.duration("--drain-timeout", flags.drain_timeout, &options->drain_timeout);
  if (flags.on_term) {
    const Result<OnTerm, Problem> on_term = parse_on_term(*flags.on_term);
    if (on_term) options->on_term = *on_term;
    if (!on_term) applier.blame("--on-term", on_term.error());
  }
  return problems;
}

}  // namespace weir
