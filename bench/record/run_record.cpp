#include "bench/record/run_record.h"

#include <array>

namespace weir {

std::string_view to_string(RequestOutcome outcome) noexcept {
  constexpr std::array<std::string_view, kRequestOutcomes> kNames{"ok", "truncated", "failed",
                                                                  "rejected", "unfinished"};
  return kNames[static_cast<size_t>(outcome)];
}

std::string_view to_string(RequestFault fault) noexcept {
  constexpr std::array<std::string_view, kRequestFaults> kNames{
      "none",        "connect", "reset_early", "bad_http",        "http_4xx",
      "http_5xx",    "busy",    "empty",       "no_event_stream", "timeout",
      "error_event", "aborted", "cut",         "no_finish",       "no_done"};
  return kNames[static_cast<size_t>(fault)];
}

}  // namespace weir
