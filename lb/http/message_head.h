// A parsed head. Everything in it is a view into the head's bytes, valid as long as they are; a
// HeadParser is reused for one head after the other. No I/O. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "lb/http/field_name.h"
#include "lb/http/limits.h"

namespace weir::http {

enum class Method : uint8_t { get, head, post, put, del, options, patch, trace, connect };
std::string_view to_string(Method method) noexcept;
// GET, HEAD, OPTIONS, TRACE, PUT, DELETE (RFC 9110 9.2.2).
bool is_idempotent(Method method) noexcept;

struct Field {
  std::string_view name;
  std::string_view value;  // without blanks around it
  FieldName id = FieldName::other;
  // In the bytes of the head there is "name: value" CR LF, so that the line can be copied as it is.
  bool is_whole_line = false;
  std::string_view whole_line() const { return {name.data(), name.size() + 2 + value.size() + 2}; }
};

enum class BodyKind : uint8_t {
  none,    // no body at all, also "Content-Length: 0" of a request without one
  length,  // Content-Length
  chunked,
  until_close,  // responses only
};

struct Framing {
  BodyKind kind = BodyKind::none;
  uint64_t length = 0;  // when kind is length
};

// The list of fields of either head.
class FieldList {
 public:
  void clear() { count_ = 0; }
  bool add(Field field);  // false when full
  // To be filled in; nullptr when there are `limit` of them, or as many as there is room for.
  Field* append(size_t limit) {
    return count_ < std::min(limit, kMaxFields) ? &fields_[count_++] : nullptr;
  }
  std::span<const Field> all() const { return {fields_.data(), count_}; }
  // The first of that name, without case; nullopt if there is none.
  std::optional<std::string_view> find(std::string_view name) const;
  std::optional<std::string_view> find(FieldName id) const;  // `id` is not `other`

 private:
  std::array<Field, kMaxFields> fields_;
  size_t count_ = 0;
};

struct RequestHead {
  // The first line with its CR LF where it can be sent on as it is, else empty.
  std::string_view whole_line;
  Method method = Method::get;
  std::string_view target;  // origin-form, also when absolute-form was sent; "*" for OPTIONS
  std::string_view path;    // target without the query
  std::string_view host;    // of Host, or of an absolute-form target (which wins, RFC 9112 3.2.2)
  int minor_version = 1;
  Framing framing;
  bool keep_alive = true;     // what the client wants
  bool names_fields = false;  // Connection names something that is neither close nor keep-alive
  bool expects_continue = false;
  bool accepts_trailers = false;  // TE: trailers
  std::string_view upgrade;       // of Upgrade, when Connection names it; else empty
  std::string_view
      request_id;  // X-Request-Id if it is usable (1 to 128 visible ASCII characters), else empty
  FieldList fields;
};

struct ResponseHead {
  std::string_view whole_line;  // as above
  int status = 0;
  std::string_view reason;
  int minor_version = 1;
  Framing framing;
  bool keep_alive = true;        // the connection may carry another exchange
  bool names_fields = false;     // as above
  bool is_event_stream = false;  // Content-Type: text/event-stream
  bool is_json = false;          // Content-Type: application/json
  bool is_encoded = false;       // a Content-Encoding other than identity
  FieldList fields;
};

}  // namespace weir::http
