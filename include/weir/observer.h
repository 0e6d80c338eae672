// What is told about an exchange when it is over, and about a backend when its state changes.
// Request metrics and the access log derive from ExchangeReport alone. Views in a report are valid
// during the call only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "weir/backend.h"
#include "weir/error.h"
#include "weir/timer.h"

namespace weir {

// What is timed and counted while an exchange runs.
struct ExchangeNumbers {
  TimePoint accepted{};     // the head was complete
  TimePoint leased{};       // the wait for a backend was over; 0 = never
  TimePoint connected{};    // the last send began; 0 = never
  TimePoint first_byte{};   // of the backend's response; 0 = never
  TimePoint first_event{};  // of an event stream; 0 = never
  TimePoint last_event{};
  TimePoint ended{};
  Duration longest_gap{};  // between two events
  uint64_t bytes_in = 0;   // request body
  uint64_t bytes_out = 0;  // response body
  uint64_t events = 0;     // of an event stream, without comments and [DONE]
  int64_t tokens_in = -1;  // by `usage`; -1 = unknown
  int64_t tokens_out = -1;
  int status = 0;    // towards the client; 0 = none was sent
  int attempts = 0;  // sends
  bool is_stream = false;
  bool is_probe_path = false;  // answered by weir itself (/health, merged /v1/models)
  bool has_error = false;
  bool has_stream_error = false;  // the backend put an error event into its stream
  Error error{};                  // when has_error
};

struct ExchangeReport : ExchangeNumbers {
  std::string_view request_id;
  std::string_view client;  // address
  std::string_view method;
  std::string_view path;  // without the query
  std::string_view pool;
  std::string_view model;          // empty = unknown
  std::string_view backend;        // id; empty = none
  std::string_view finish_reason;  // as seen in the stream; empty = unknown
};

struct BackendEvent {
  BackendId backend;
  BackendStateName from;
  BackendStateName to;
  std::string reason;  // "probe: connection refused"
};

class ExchangeObserver {
 public:
  virtual void on_exchange(const ExchangeReport& report) noexcept = 0;

 protected:
  ~ExchangeObserver() = default;
};

class BackendObserver {
 public:
  virtual void on_backend_event(const BackendEvent& event) noexcept = 0;

 protected:
  ~BackendObserver() = default;
};

}  // namespace weir
