// Reads one answer as it comes and says what became of the request: when its tokens came, and
// whether it is whole, truncated, rejected or failed. Bytes and their time go in, a RequestRecord
// and the gaps between tokens come out. No I/O, no clock; events are looked at, not parsed. One a
// request in flight, used again for the next one. Worker thread.
//
//   head ──▶ events (a stream) | body (a plain answer, an error) ──▶ done | failed
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/record/run_record.h"
#include "lb/http/body_reader.h"
#include "lb/http/event_scanner.h"
#include "lb/http/head_parser.h"
#include "lb/http/head_scanner.h"

namespace weir {

// What an answer says besides numbers; the views live until the next start().
struct AnswerTexts {
  std::string finish_reason;
  std::string error;    // a message of the backend, or what was wrong with its answer
  std::string backend;  // X-Weir-Backend
  std::string text;     // when it was asked for: JSON-escaped, as it came
};

class AnswerReader {
 public:
  enum class Status : uint8_t {
    more,
    done,    // HTTP says that the answer is over; the connection may be used again if keeps_alive
    broken,  // not valid HTTP: nothing after it can be trusted
  };

  explicit AnswerReader(http::HeadParser& parser) : parser_(parser) {}

  // `keeps_text`: the answer's text is wanted (multi-turn).
  void start(RequestRecord& record, bool wants_stream, bool keeps_text);
  Status feed(std::string_view bytes, int64_t now_ns);
  // The connection is closed or broken; `os_error` 0 = FIN. Done only if that ends the answer.
  Status on_close(int os_error);

  // Outcome and fault of the record, once it is done, broken or closed.
  void judge();

  bool has_begun() const { return has_begun_; }
  bool keeps_alive() const { return keeps_alive_; }
  const std::vector<uint32_t>& gaps() const { return gaps_; }
  const AnswerTexts& texts() const { return texts_; }
  // Events with text of the last feed() that stood behind another one of it.
  uint32_t coalesced() const { return coalesced_; }

 private:
  enum class Part : uint8_t { head, events, body };

  Status take_head(std::string_view* bytes);
  void accept_head(const http::ResponseHead& head);
  void take_data(std::string_view data, int64_t now_ns);
  void take_events(std::string_view data, int64_t now_ns);
  void note_event(std::string_view event, int64_t now_ns);
  void note_token(int64_t now_ns);
  void note_usage(std::string_view text);
  void keep_text(std::string_view event);
  void judge_body();
  void judge_stream();
  void fault(RequestOutcome outcome, RequestFault fault);

  http::HeadParser& parser_;
  http::HeadScanner scanner_;
  http::BodyReader body_;
  http::EventScanner events_;
  RequestRecord* record_ = nullptr;
  std::string head_;  // while incomplete
  std::string kept_;  // of a plain answer, or of an event of which more is to come
  std::vector<uint32_t> gaps_;
  AnswerTexts texts_;
  uint32_t coalesced_ = 0;
  uint32_t tokens_of_feed_ = 0;
  int broken_by_ = 0;  // errno
  Part part_ = Part::head;
  bool wants_stream_ = true;
  bool keeps_text_ = false;
  bool has_begun_ = false;
  bool keeps_alive_ = false;
  bool is_broken_ = false;
  bool is_closed_ = false;
  bool has_finish_ = false;
  bool is_abort_ = false;
  bool is_error_ = false;
  bool has_text_ = false;
};

}  // namespace weir
