// The flags of `weir mock`, as typed, and how they become MockOptions. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/result.h"

#include "bench/mock/mock_options.h"
#include "lb/cli/flag_row.h"

namespace weir {

struct MockFlags {
  std::vector<std::string> listen;  // each may be a list with commas
  std::vector<std::string> faults;
  std::optional<std::string> model;
  std::optional<std::string> api_key;
  std::optional<std::string> max_seqs;
  std::optional<std::string> queue_limit;
  std::optional<std::string> max_model_len;
  std::optional<std::string> load_time;
  std::optional<std::string> ttft;
  std::optional<std::string> itl;
  std::optional<std::string> prefill_per_token;
  std::optional<std::string> batch_slowdown;
  std::optional<std::string> idle_close;
  std::optional<std::string> on_term;
  std::optional<std::string> drain_timeout;
};

std::span<const FlagRow<MockFlags>> mock_flag_rows();

// Every mistake, each with the flag it is in; empty when all of them were taken.
std::vector<Problem> apply_mock_flags(const MockFlags& flags, MockOptions* options);

}  // namespace weir
