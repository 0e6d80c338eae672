#include "lb/http/field_name.h"

#include <array>

#include "lb/http/ascii.h"

namespace weir::http {
namespace {

struct Row {
  std::string_view name;  // lower case
  FieldName id;
};

using enum FieldName;
constexpr std::array kRows{
    Row{"connection", connection},
    Row{"expect", expect},
    Row{"http2-settings", http2_settings},
    Row{"keep-alive", keep_alive},
    Row{"proxy-authenticate", proxy_authenticate},
    Row{"proxy-authorization", proxy_authorization},
    Row{"proxy-connection", proxy_connection},
    Row{"te", te},
    Row{"trailer", trailer},
    Row{"transfer-encoding", transfer_encoding},
    Row{"upgrade", upgrade},
    Row{"content-length", content_length},
    Row{"host", host},
    Row{"x-request-id", x_request_id},
    Row{"forwarded", forwarded},
    Row{"x-forwarded-for", x_forwarded_for},
    Row{"x-forwarded-host", x_forwarded_host},
    Row{"x-forwarded-proto", x_forwarded_proto},
    Row{"x-weir-attempts", x_weir_attempts},
    Row{"x-weir-backend", x_weir_backend},
    Row{"authorization", authorization},
    Row{"api-key", api_key},
    Row{"x-api-key", x_api_key},
    Row{"cache-control", cache_control},
    Row{"content-encoding", content_encoding},
    Row{"content-type", content_type},
    Row{"cookie", cookie},
    Row{"set-cookie", set_cookie},
    Row{"x-accel-buffering", x_accel_buffering},
};

// Length and the last two letters tell the rows apart well enough: one compare for nearly every
// name.
constexpr size_t kBuckets = 128;
constexpr size_t bucket_of(std::string_view name) {
  const auto letter = [&](size_t from_end) {
    return static_cast<size_t>(lower(name[name.size() - from_end]));
  };
  return (name.size() * 7 + letter(1) * 5 + letter(2)) % kBuckets;
}

struct Table {
  std::array<uint8_t, kBuckets> first{};     // row + 1
  std::array<uint8_t, kRows.size()> next{};  // row + 1
};

constexpr Table make_table() {
  Table table;
  for (size_t row = 0; row < kRows.size(); ++row) {
    const size_t bucket = bucket_of(kRows[row].name);
    table.next[row] = table.first[bucket];
    table.first[bucket] = static_cast<uint8_t>(row + 1);
  }
  return table;
}
constexpr Table kTable = make_table();

}  // namespace

FieldName field_name(std::string_view name) noexcept {
  if (name.size() < 2) return other;
  for (uint8_t row = kTable.first[bucket_of(name)]; row != 0; row = kTable.next[row - 1U]) {
    if (equals_lower(name, kRows[row - 1U].name)) return kRows[row - 1U].id;
  }
  return other;
}

}  // namespace weir::http
