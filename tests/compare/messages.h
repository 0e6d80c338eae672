// What the two load peers say to each other. Both know every byte, and a number is in every
// message, so that a byte lost, doubled, changed or given to another is seen. Values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace load_peers {

enum class Work : uint8_t { json, upload, stream };

inline constexpr size_t kNumberText = 16;   // digits of a number: hexadecimal, fixed width
inline constexpr size_t kEventBytes = 199;  // of an event; with its chunk framing 205 on the wire
inline constexpr size_t kJsonBytes = 600;   // of a small request body
inline constexpr size_t kUploadBytes = 1 << 20;  // of a large one

void write_number(char* out, uint64_t number);
// False unless it is exactly 16 hexadecimal digits.
bool read_number(std::string_view text, uint64_t* number);

// A text that is known but for one number somewhere in it.
class KnownText {
 public:
  KnownText(std::string before, std::string after);

  size_t size() const { return text_.size(); }
  size_t number_end() const { return number_at_ + kNumberText; }
  std::string_view text() const { return text_; }  // with zeros for the number
  std::string with(std::string_view number) const;
  // Is `piece` what stands at `offset` of the text with this number?
  bool matches(size_t offset, std::string_view piece, std::string_view number) const;

 private:
  std::string text_;
  size_t number_at_;
};

const KnownText& request_body(Work work);
const KnownText& json_answer();

// The head of a request: ten fields, the last but one `X-Load: WORK NUMBER EVENTS INTERVAL_US`.
struct LoadField {
  Work work = Work::json;
  char number[kNumberText] = {};
  uint32_t events = 0;
  uint32_t interval_us = 0;
};
std::string request_head(const LoadField& load, bool is_last);
bool read_load_field(std::string_view value, LoadField* load);

// One event of a stream: whose, the how manieth, sent when (CLOCK_MONOTONIC, ns), and a sum of
// these, so that a changed digit shows too.
struct Event {
  uint64_t stream;
  uint32_t index;
  int64_t at_ns;
};
void write_event(char* out, const Event& event);  // kEventBytes
bool check_event(std::string_view bytes, uint64_t stream, uint32_t index, int64_t* at_ns);
inline constexpr std::string_view kLastEvent = "data: [DONE]\n\n";

// The lines of a head one by one: name and value, without the first line.
template <class OnField>
void for_each_field(std::string_view head, OnField&& on_field) {
  size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    const size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string_view line = head.substr(begin, at - begin);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    on_field(line.substr(0, colon), value);
  }
}
bool is_name(std::string_view field, std::string_view lower_case);
uint64_t decimal(std::string_view text);

}  // namespace load_peers
