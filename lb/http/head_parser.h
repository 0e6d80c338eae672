// A complete head, found by HeadScanner, to a RequestHead or ResponseHead: llhttp in strict mode,
// plus our own rules for what it lets through (docs/http-rules.md has the table). Heads without
// anything unusual are read in one pass of our own, which takes nothing that llhttp would not take.
// llhttp stays inside. One a worker; the head it returns lives until the next call.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "weir/result.h"

#include "lb/http/limits.h"
#include "lb/http/message_head.h"

namespace weir::http {

class HeadParser {
 public:
  enum class Way : uint8_t {
    quick,     // llhttp only for heads that are not plain
    thorough,  // llhttp for all of them: what the quick way is compared with
  };
  explicit HeadParser(Way way = Way::quick);
  ~HeadParser();
  HeadParser(const HeadParser&) = delete;
  HeadParser& operator=(const HeadParser&) = delete;

  // Errors: bad_request, target_too_long, head_too_large (too many fields), method_unsupported,
  // version_unsupported, expectation_failed, coding_unsupported, body_too_large (Content-Length
  // above 18 digits).
  Result<const RequestHead*> parse_request(std::string_view head, const HeadLimits& limits);

  // `request_method`: HEAD has no body whatever the head says. 1xx, 204, 304 have none either. 101
  // is valid only when `asked_upgrade`. Error: bad_response.
  Result<const ResponseHead*> parse_response(std::string_view head, Method request_method,
                                             bool asked_upgrade, const HeadLimits& limits);

  // A whole head at the front of `bytes` when it is plain, found without HeadScanner: what most
  // heads are. nullptr: it is not all here, or not plain, or not right; HeadScanner and the calls
  // above are for it then. `length` = its bytes.
  const RequestHead* take_request(std::string_view bytes, const HeadLimits& limits, size_t* length);
  const ResponseHead* take_response(std::string_view bytes, Method request_method,
                                    const HeadLimits& limits, size_t* length);

  // Which rule the last head broke, as a sentence for the client or the log; empty if it was all
  // right. Static text.
  std::string_view why() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::http
