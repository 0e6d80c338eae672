// The field names that mean something to us, so that each is looked up once per message. Pure, any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
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

struct FieldStart {
  FieldName id;
  const char* control;  // the first control character but HT, if it is before `looked_until`
  const char* looked_until;
};
// Looks at the first 32 bytes of a field's line in [at, end): `length` = that of the known name
// that a colon follows there; 0 = there is none, or less than 32 bytes.
FieldStart look_at_field(const char* at, const char* end, size_t* length) noexcept;

// Fields of one hop, whatever Connection says.
constexpr bool is_hop_by_hop(FieldName name) {
  return name >= FieldName::connection && name <= FieldName::upgrade;
}

}  // namespace weir::http
