// Reads one answer after the other from bytes as they come: head, then a body with a length or in
// chunks. Hands the body's pieces on without its framing. A value; one per connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace load_peers {

class AnswerReader {
 public:
  enum class State : uint8_t {
    head,
    length,
    chunk_size,
    chunk_data,
    chunk_end,
    trailer,
    done,
    bad
  };

  void begin() {
    state_ = State::head;
    head_.clear();
    left_ = 0;
    status_ = 0;
  }
  State state() const { return state_; }
  uint64_t status() const { return status_; }  // 0 before the head is complete
  bool is_chunked() const { return is_chunked_; }

  // Takes `bytes` until the answer is done; returns how many it took. on_body(std::string_view).
  template <class OnBody>
  size_t feed(std::string_view bytes, OnBody&& on_body) {
    size_t at = 0;
    while (at < bytes.size() && state_ != State::done && state_ != State::bad) {
      const std::string_view rest = bytes.substr(at);
      if (state_ != State::length && state_ != State::chunk_data) {
        at += feed_framing(rest);
        continue;
      }
      const std::string_view piece = rest.substr(0, left_);
      on_body(piece);
      at += piece.size();
      left_ -= piece.size();
      if (left_ == 0) {
        state_ = state_ == State::length ? State::done : State::chunk_end;
      }
    }
    return at;
  }

 private:
  size_t feed_framing(std::string_view bytes);
  size_t feed_head(std::string_view bytes);
  void on_head();
  void on_line();  // a line of a chunked body's framing is complete

  State state_ = State::done;
  bool is_chunked_ = false;
  uint64_t status_ = 0;
  uint64_t left_ = 0;  // of the body, or of the chunk
  std::string head_;   // the head, later lines of framing, as far as they came
};

}  // namespace load_peers
