// What a worker writes down: its requests, their gaps, the seconds of the run, and how fit it was
// itself. Bounded: what is beyond the bounds is counted only. Times in ns from the start of the
// run. Worker thread; merged by the main thread after it has ended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/engine/answer_reader.h"
#include "bench/record/run_record.h"

namespace weir {

struct LogBounds {
  size_t requests = 1'000'000;
  size_t gaps = 64'000'000;
  size_t seconds = 200'000;
  size_t names = 4000;  // of texts and of backends, each
};

class WorkerLog {
 public:
  explicit WorkerLog(const LogBounds& bounds) : bounds_(bounds) {}

  TimelineSecond& second(int64_t at_ns);
  // An index into texts(); texts that come again keep theirs.
  uint16_t text_index(std::string_view text);
  uint16_t backend_index(std::string_view name);

  void sent(int64_t planned_ns, int64_t at_ns);
  void tokens(const RequestRecord& record, uint32_t tokens_before, uint32_t coalesced,
              int64_t at_ns);
  void read(int64_t lag_ns);  // -1: not known
  void ended(RequestRecord record, const std::vector<uint32_t>& gaps);

  // What the run record takes over.
  std::vector<RequestRecord> requests;
  std::vector<uint32_t> gaps;
  std::vector<std::string> texts{""};
  std::vector<std::string> backends;
  std::vector<TimelineSecond> timeline;
  WorkerRecord self;
  uint32_t not_kept = 0;

 private:
  uint16_t index_of(std::string_view text, std::vector<std::string>* names,
                    std::unordered_map<std::string, uint16_t>* known);

  const LogBounds bounds_;
  std::unordered_map<std::string, uint16_t> known_texts_{{"", 0}};
  std::unordered_map<std::string, uint16_t> known_backends_;
};

// Adds what `log` has; indices are made those of the run. Sort by index when all are in.
void merge_log(WorkerLog&& log, RunRecord* run);
void sort_requests(RunRecord* run);

}  // namespace weir
