// What `weir mock` can be told: where it listens, how fast it pretends to be, what goes wrong. One
// value for all pretend servers of the process, each of which has its own state. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/address.h"

#include "bench/mock/fault.h"

namespace weir {

// What SIGTERM does to what is being generated.
enum class OnTerm : uint8_t {
  abort,  // streams end with finish_reason "abort"; what vLLM does by default, when it does not
          // hang
  drain,  // finishes what runs, answers 500 to what comes; vLLM's --shutdown-timeout
  hang,   // port refuses, streams go silent, the process stays until its clients have left; what
          // vLLM does at times
  exit,   // gone at once
};

// --on-term VALUE
Result<OnTerm, Problem> parse_on_term(std::string_view text);

struct MockOptions {
  std::vector<Address> listen{{"127.0.0.1", 8000, false}};  // one pretend server each
  std::string model = "mock";
  std::string api_key;  // empty: the environment's VLLM_API_KEY; that empty too: nothing is asked
  uint32_t max_seqs = 256;   // sequences that run at once; the rest waits, first come first served
  uint32_t queue_limit = 0;  // waiting requests beyond which 503 is answered; 0 = none
  uint32_t max_model_len = 32768;

  Duration load_time{};                           // from start until it listens
  Duration ttft = std::chrono::milliseconds(50);  // to the first token of an empty prompt
  Duration itl = std::chrono::milliseconds(10);  // between two tokens of a sequence that runs alone
  Duration prefill_per_token = std::chrono::microseconds(20);
  double batch_slowdown =
      0.01;  // each further running sequence makes a step slower by this part of itl
  Duration idle_close = std::chrono::seconds(5);

  std::vector<Fault> faults;
  OnTerm on_term = OnTerm::abort;
  Duration drain_timeout = std::chrono::seconds(30);  // of OnTerm::drain
};

}  // namespace weir
