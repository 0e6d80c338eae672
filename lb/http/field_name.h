// The field names that mean something to us, so that each is looked up once per message. Pure, any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace weir::http {

enum class FieldName : uint8_t {
  other,
  // of one hop only: never forwarded (RFC 9110 7.6.1)
  connection,
  expect,
  http2_settings,
  keep_alive,
  proxy_authenticate,
  proxy_authorization,
  proxy_connection,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  // written anew
  content_length,
  host,
  x_request_id,
  forwarded,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_proto,
  x_weir_attempts,
  x_weir_backend,
  // the client's credentials
  authorization,
  api_key,
  x_api_key,
  // read, and forwarded as they are
  cache_control,
  content_encoding,
  content_type,
  cookie,
  set_cookie,
  x_accel_buffering,
  // known, so that it is quickly passed over
  common,
};

FieldName field_name(std::string_view name) noexcept;

// A set of names, asked with a shift.
class FieldNames {
 public:
  constexpr FieldNames(std::initializer_list<FieldName> names) {
    for (const FieldName name : names) bits_ |= uint64_t{1} << static_cast<unsigned>(name);
  }
  constexpr bool has(FieldName name) const {
    return (bits_ >> static_cast<unsigned>(name) & 1) != 0;
  }

 private:
  uint64_t bits_ = 0;
};

// What can be seen of a field in the first bytes of its line, which must all be at hand.
inline constexpr size_t kFieldStart = 32;
struct FieldStart {
  FieldName id;
  uint8_t length;  // of the known name that a colon follows; 0 = none is there
  const char*
      usual_end;  // up to here there is visible ASCII and blanks, no tab; at + kFieldStart at most
};
FieldStart look_at_field(const char* at) noexcept;

// Fields of one hop, whatever Connection says.
constexpr bool is_hop_by_hop(FieldName name) {
  return name >= FieldName::connection && name <= FieldName::upgrade;
}

}  // namespace weir::http
