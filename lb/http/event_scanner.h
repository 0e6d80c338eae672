// A light look at each event of a text/event-stream: where it ends and what it is, without parsing
// JSON. Fed with content (not framing) in any pieces. An event that lies whole in one piece costs
// no copy; an unfinished line is kept, of a long one only kKeptBytes at a time. No I/O. One
// a stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::http {

struct EventLook {
  bool has_data = false;  // a data: or event: line; false = comments only (": keep-alive")
  bool is_done = false;   // data: [DONE]
  bool is_error = false;  // data: {"error": …, or event: error
  bool is_abort = false;  // "finish_reason":"abort" as JSON structure, not inside a string
  // A finish_reason that is not null, or message_stop / response.completed.
  bool has_finish = false;
  bool has_text = false;       // some content: not the role event; Depth::with_text only
  int64_t prompt_tokens = -1;  // of `usage`, -1 = not in this event
  int64_t completion_tokens = -1;
};

class EventScanner {
 public:
  static constexpr size_t kNone = ~size_t{0};
  static constexpr size_t kKeptBytes = 4096;

  enum class Depth : uint8_t {
    with_text,     // everything in EventLook
    without_text,  // all but has_text: half the work
  };
  explicit EventScanner(Depth depth = Depth::with_text) : depth_(depth) {}

  // Looks at the front of `data`: the offset just behind the first event that ends in it, or kNone
  // when all of it was taken and none ended. After an event: look() tells what it was; call again
  // with the rest.
  size_t next_event_end(std::string_view data);
  const EventLook& look() const { return look_; }
  // The finish_reason last seen, "" if none (bounded, 31 characters).
  std::string_view finish_reason() const { return {finish_reason_, finish_length_}; }

  // Nothing of an unfinished event was taken.
  bool is_at_event_boundary() const { return is_at_boundary_; }

 private:
  size_t whole_event(std::string_view data);
  void look_at_few(std::string_view text);
  void look_at_ending(std::string_view text, size_t letter, size_t* usage);
  void look_at_usage(std::string_view text, size_t usage);
  void finish_line(std::string_view rest);
  void keep(std::string_view piece);
  void slide();
  bool look_at_line(std::string_view line);
  void look_at_json(std::string_view text);
  [[gnu::noinline]] void look_at_key(std::string_view text, size_t quote);  // rare: not in the loop
  void look_at_tokens(std::string_view text, size_t quote);
  void look_at_reason(std::string_view text, size_t quote);

  Depth depth_;
  EventLook look_;
  std::string kept_;  // an unfinished line, or the last bytes of a long one
  bool is_at_boundary_ = true;
  bool event_ended_ = false;  // look_ is of the event before
  bool line_is_empty_ = true;
  bool after_cr_ = false;  // a LF here belongs to the line before
  bool is_overlong_ = false;
  bool long_line_is_data_ = false;
  bool has_usage_ = false;
  bool is_message_delta_ = false;
  uint8_t finish_length_ = 0;
  char finish_reason_[31] = {};
};

}  // namespace weir::http
