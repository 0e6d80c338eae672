#include "tests/compare/messages.h"

#include <string.h>

#include <algorithm>
#include <array>

namespace load_peers {
namespace {

constexpr std::string_view kWorkNames[] = {"json", "upload", "stream"};

// Text as prompts have it: words, and an escaped line end about every 80 characters.
std::string filler(size_t size) {
  std::string text;
  text.reserve(size);
  uint32_t state = 12345;
  while (text.size() < size) {
    state = state * 1664525 + 1013904223;
    const uint32_t draw = state >> 16;
    if (draw % 80 == 0 && text.size() + 2 <= size) {
      text += "\\n";
    } else {
      text += draw % 6 == 0 ? ' ' : static_cast<char>('a' + draw / 80 % 26);
    }
  }
  return text;
}

KnownText make_body(Work work) {
  const size_t size = work == Work::upload ? kUploadBytes : kJsonBytes;
  const std::string before =
      R"({"model":"pretend","messages":[{"role":"system","content":"You are )";
  std::string after = R"("},{"role":"user","content":")";
  const std::string end = R"("}],"max_tokens":16,"temperature":0.0,"stream":)" +
                          std::string(work == Work::stream ? "true}" : "false}");
  after += filler(size - before.size() - kNumberText - after.size() - end.size());
  return {before, after + end};
}

// Where the fields of an event are.
constexpr std::string_view kEventHead = R"(data: {"id":"chatcmpl-)";
constexpr std::string_view kEventIndex =
    R"(","object":"chat.completion.chunk","model":"","choices":[{"index":0,"delta":{"content":" )";
constexpr std::string_view kEventTime = R"("}}],"at":")";
constexpr std::string_view kEventSum = R"(","sum":")";
constexpr std::string_view kEventEnd = "\"}\n\n";
constexpr size_t kNumberAt = kEventHead.size();
constexpr size_t kIndexAt = kNumberAt + kNumberText + kEventIndex.size();
constexpr size_t kTimeAt = kIndexAt + kNumberText + kEventTime.size();
constexpr size_t kSumAt = kTimeAt + kNumberText + kEventSum.size();
static_assert(kSumAt + kNumberText + kEventEnd.size() == kEventBytes);

const std::string& event_text() {
  static const std::string text = [] {
    const std::string zeros(kNumberText, '0');
    std::string made;
    made.append(kEventHead).append(zeros).append(kEventIndex).append(zeros).append(kEventTime);
    made.append(zeros).append(kEventSum).append(zeros).append(kEventEnd);
    return made;
  }();
  return text;
}

uint64_t sum_of(const Event& event) {
  uint64_t sum = event.stream * 0x9e3779b97f4a7c15U + event.index;
  sum = (sum ^ (sum >> 29)) * 0xbf58476d1ce4e5b9U + static_cast<uint64_t>(event.at_ns);
  return sum ^ (sum >> 32);
}

}  // namespace

void write_number(char* out, uint64_t number) {
  for (size_t i = kNumberText; i-- > 0; number >>= 4) out[i] = "0123456789abcdef"[number & 15];
}

bool read_number(std::string_view text, uint64_t* number) {
  if (text.size() != kNumberText) return false;
  uint64_t value = 0;
  for (const char c : text) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && (c < 'a' || c > 'f')) return false;
    value = value << 4 | static_cast<uint64_t>(is_digit ? c - '0' : c - 'a' + 10);
  }
  *number = value;
  return true;
}

KnownText::KnownText(std::string before, std::string after) : number_at_(before.size()) {
  text_ = std::move(before) + std::string(kNumberText, '0') + after;
}

std::string KnownText::with(std::string_view number) const {
  std::string text = text_;
  text.replace(number_at_, kNumberText, number);
  return text;
}

bool KnownText::matches(size_t offset, std::string_view piece, std::string_view number) const {
  if (offset > text_.size() || piece.size() > text_.size() - offset) return false;
  // The pieces before, in and after the number.
  const auto equals = [&](size_t begin, size_t end, std::string_view with) {
    const size_t from = std::max(begin, offset);
    const size_t to = std::min(end, offset + piece.size());
    return from >= to ||
           memcmp(piece.data() + (from - offset), with.data() + (from - begin), to - from) == 0;
  };
  const std::string_view all = text_;
  return equals(0, number_at_, all) && equals(number_at_, number_end(), number) &&
         equals(number_end(), all.size(), all.substr(number_end()));
}

const KnownText& request_body(Work work) {
  static const std::array<KnownText, 3> bodies{make_body(Work::json), make_body(Work::upload),
                                               make_body(Work::stream)};
  return bodies[static_cast<size_t>(work)];
}

const KnownText& json_answer() {
  static const KnownText answer(
      R"({"id":"chatcmpl-)",
      R"(","object":"chat.completion","model":"pretend","choices":[{"index":0,"message":)"
      R"({"role":"assistant","content":"Water finds its way over the weir."},)"
      R"("finish_reason":"stop"}],"usage":{"prompt_tokens":120,"completion_tokens":9}})");
  return answer;
}

std::string request_head(const LoadField& load, bool is_last) {
  std::string head =
      "POST /v1/chat/completions HTTP/1.1\r\n"
      "Host: model.example\r\n"
      "Accept: application/json, text/event-stream\r\n"
      "Accept-Encoding: identity\r\n"
      "Authorization: Bearer sk-0123456789abcdef0123456789abcdef\r\n"
      "Content-Type: application/json\r\n"
      "User-Agent: load_peers/1\r\n"
      "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
      "X-Load: ";
  head.append(kWorkNames[static_cast<size_t>(load.work)]).append(" ");
  head.append(load.number, kNumberText).append(" " + std::to_string(load.events));
  head.append(" " + std::to_string(load.interval_us) + "\r\n");
  head.append(is_last ? "Connection: close\r\n" : "Connection: keep-alive\r\n");
  head.append("Content-Length: " + std::to_string(request_body(load.work).size()) + "\r\n\r\n");
  return head;
}

bool read_load_field(std::string_view value, LoadField* load) {
  for (size_t i = 0; i < std::size(kWorkNames); ++i) {
    if (!value.starts_with(kWorkNames[i])) continue;
    value.remove_prefix(kWorkNames[i].size());
    if (value.size() < kNumberText + 5 || value.front() != ' ') return false;
    load->work = static_cast<Work>(i);
    memcpy(load->number, value.data() + 1, kNumberText);
    value.remove_prefix(kNumberText + 2);
    load->events = static_cast<uint32_t>(decimal(value));
    load->interval_us = static_cast<uint32_t>(decimal(value.substr(value.find(' ') + 1)));
    return true;
  }
  return false;
}

void write_event(char* out, const Event& event) {
  memcpy(out, event_text().data(), kEventBytes);
  write_number(out + kNumberAt, event.stream);
  write_number(out + kIndexAt, event.index);
  write_number(out + kTimeAt, static_cast<uint64_t>(event.at_ns));
  write_number(out + kSumAt, sum_of(event));
}

bool check_event(std::string_view bytes, uint64_t stream, uint32_t index, int64_t* at_ns) {
  uint64_t at = 0;
  if (bytes.size() != kEventBytes || !read_number(bytes.substr(kTimeAt, kNumberText), &at)) {
    return false;
  }
  char expected[kEventBytes];
  *at_ns = static_cast<int64_t>(at);
  write_event(expected, {stream, index, *at_ns});
  return memcmp(expected, bytes.data(), kEventBytes) == 0;
}

bool is_name(std::string_view field, std::string_view lower_case) {
  return std::ranges::equal(field, lower_case, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b;
  });
}

uint64_t decimal(std::string_view text) {
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') break;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

}  // namespace load_peers
