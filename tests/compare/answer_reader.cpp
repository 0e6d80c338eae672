#include "tests/compare/answer_reader.h"

#include <algorithm>
#include <charconv>

#include "tests/compare/messages.h"

namespace load_peers {
namespace {

constexpr size_t kMaxHead = 8192;
constexpr size_t kMaxLine = 64;

}  // namespace

size_t AnswerReader::feed_framing(std::string_view bytes) {
  if (state_ == State::head) return feed_head(bytes);
  const size_t end = bytes.find('\n');
  const size_t took = std::min(end, bytes.size() - 1) + 1;
  head_.append(bytes.substr(0, took));
  if (head_.size() > kMaxLine) state_ = State::bad;
  if (end != std::string_view::npos && state_ != State::bad) on_line();
  return took;
}

size_t AnswerReader::feed_head(std::string_view bytes) {
  const size_t before = head_.size();
  head_.append(bytes.substr(0, kMaxHead - before));
  const size_t end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    if (head_.size() == kMaxHead) state_ = State::bad;
    return bytes.size();
  }
  head_.resize(end + 4);
  const size_t took = head_.size() - before;
  on_head();
  head_.clear();
  return took;
}

void AnswerReader::on_head() {
  status_ = head_.starts_with("HTTP/1.1 ") ? decimal(std::string_view(head_).substr(9)) : 0;
  bool has_length = false;
  is_chunked_ = false;
  for_each_field(head_, [&](std::string_view name, std::string_view value) {
    if (is_name(name, "content-length")) {
      has_length = true;
      left_ = decimal(value);
    } else if (is_name(name, "transfer-encoding")) {
      is_chunked_ = value == "chunked";
    }
  });
  if (status_ < 200 || has_length == is_chunked_) {  // the peers never leave the end to the close
    state_ = State::bad;
  } else if (is_chunked_) {
    state_ = State::chunk_size;
  } else {
    state_ = left_ == 0 ? State::done : State::length;
  }
}

void AnswerReader::on_line() {
  const std::string_view line = head_;
  const bool is_empty = line == "\r\n";
  if (state_ == State::chunk_end) {
    state_ = is_empty ? State::chunk_size : State::bad;
  } else if (state_ == State::trailer) {
    if (is_empty) state_ = State::done;
  } else {
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
    const bool is_good = error == std::errc{} && end + 2 == line.data() + line.size();
    state_ = !is_good ? State::bad : left_ == 0 ? State::trailer : State::chunk_data;
  }
  head_.clear();
}

}  // namespace load_peers
