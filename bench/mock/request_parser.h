// Requests as the pretend vLLM reads them: llhttp driven directly, in strict mode, with uvicorn's
// limits. On purpose not weir's own reader of heads: what tests the proxy must not share its
// mistakes. Owned by its connection; one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <llhttp.h>

namespace weir {

struct MockRequest {
  std::string method;
  std::string target;  // as sent
  bool should_close = false;
  bool is_websocket = false;
  std::string host;
  std::string content_type;
  std::string authorization;
  std::string request_id;  // x-request-id
  std::string fault;       // x-mock-fault
  std::string body;

  // Without query, and without scheme and authority when the target is in absolute form.
  std::string_view path() const;
};

class MockRequestParser {
 public:
  static constexpr size_t kMostTarget = 64 * 1024;
  static constexpr size_t kMostHead = 8 * 1024 * 1024;
  static constexpr size_t kMostBody = 64 * 1024 * 1024;

  enum class Status : uint8_t {
    incomplete,
    complete,   // request() is whole; the rest of the bytes belongs to the next
    bad,        // not HTTP, or a head beyond the limits
    too_large,  // the body
  };

  MockRequestParser();
  MockRequestParser(const MockRequestParser&) = delete;
  MockRequestParser& operator=(const MockRequestParser&) = delete;

  // Reads on in `bytes` and takes what it consumed off them. After `complete` the next call begins
  // the next request.
  Status feed(std::string_view& bytes);
  // True once for a request that waits for "100 Continue" before it sends its body.
  bool take_continue();
  bool is_between_requests() const { return !has_begun_; }
  MockRequest& request() { return request_; }

 private:
  static const llhttp_settings_t& settings();
  static MockRequestParser& self(llhttp_t* parser);
  static int on_begin(llhttp_t* parser);
  static int on_method(llhttp_t* parser, const char* at, size_t length);
  static int on_url(llhttp_t* parser, const char* at, size_t length);
  static int on_field(llhttp_t* parser, const char* at, size_t length);
  static int on_value(llhttp_t* parser, const char* at, size_t length);
  static int on_value_complete(llhttp_t* parser);
  static int on_head_complete(llhttp_t* parser);
  static int on_body(llhttp_t* parser, const char* at, size_t length);
  static int on_complete(llhttp_t* parser);
  bool count_head(size_t length);
  void take_header();

  llhttp_t parser_{};
  MockRequest request_;
  std::string field_;
  std::string value_;
  size_t head_bytes_ = 0;
  bool has_begun_ = false;
  bool is_in_head_ = false;
  bool expects_continue_ = false;
  bool is_too_large_ = false;
};

}  // namespace weir
