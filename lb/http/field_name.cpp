#include "lb/http/field_name.h"

#include <algorithm>
#include <array>
#include <bit>

#include "lb/http/ascii.h"
#include "lb/http/head_search.h"

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
    // what the SDKs, browsers, curl and uvicorn send
    Row{"accept", common},
    Row{"accept-encoding", common},
    Row{"accept-language", common},
    Row{"date", common},
    Row{"openai-organization", common},
    Row{"openai-project", common},
    Row{"origin", common},
    Row{"referer", common},
    Row{"server", common},
    Row{"traceparent", common},
    Row{"user-agent", common},
    Row{"vary", common},
    Row{"x-stainless-arch", common},
    Row{"x-stainless-async", common},
    Row{"x-stainless-helper-method", common},
    Row{"x-stainless-lang", common},
    Row{"x-stainless-os", common},
    Row{"x-stainless-package-version", common},
    Row{"x-stainless-read-timeout", common},
    Row{"x-stainless-retry-count", common},
    Row{"x-stainless-runtime", common},
    Row{"x-stainless-runtime-version", common},
    Row{"x-stainless-timeout", common},
};

// A row as it is looked up: whole blocks of the name, what must be equal in them, and the next row
// (plus one) of the same bucket.
struct Known {
  std::array<char, kFieldStart> name{};
  uint32_t bits = 0;
  uint8_t size = 0;
  uint8_t next = 0;
  FieldName id = other;
};

// Length and the last two letters tell nearly all rows apart: one compare for nearly every name.
// `| 0x20`: without case.
constexpr uint8_t bucket_of(char last_but_one, char last, size_t size) {
  const size_t letters =
      static_cast<size_t>(last | 0x20) + 2 * static_cast<size_t>(last_but_one | 0x20);
  return static_cast<uint8_t>(size * 8 + letters);
}

struct Table {
  std::array<Known, kRows.size()> known{};
  std::array<uint8_t, 256> first{};  // of each bucket, plus one
};

constexpr Table make_table() {
  Table table;
  for (size_t row = 0; row < kRows.size(); ++row) {
    const std::string_view name = kRows[row].name;
    Known& known = table.known[row];
    for (size_t i = 0; i < name.size(); ++i) known.name[i] = name[i];
    known.bits = (uint32_t{1} << name.size()) - 1;
    known.size = static_cast<uint8_t>(name.size());
    known.id = kRows[row].id;
    uint8_t& first = table.first[bucket_of(name[name.size() - 2], name.back(), name.size())];
    known.next = first;
    first = static_cast<uint8_t>(row + 1);
  }
  return table;
}
constexpr Table kTable = make_table();

// Behind the longest name its colon, a blank and a byte of the value are still within the start.
static_assert(std::ranges::all_of(kRows, [](const Row& row) {
  return row.name.size() >= 2 && row.name.size() + 3 <= kFieldStart;
}));

}  // namespace

FieldStart look_at_field([[maybe_unused]] const char* at) noexcept {
  FieldStart start{other, 0, at};
#if defined(__SSE2__)
  const __m128i low = detail::load(at);
  const __m128i high = detail::load(at + 16);
  const uint32_t unusual = detail::unusual_in(low) | detail::unusual_in(high) << 16;
  start.usual_end = unusual != 0 ? at + std::countr_zero(unusual) : at + kFieldStart;
  const uint32_t colons =
      detail::mask_of(detail::equals(low, ':')) | detail::mask_of(detail::equals(high, ':')) << 16;
  if (colons == 0) return start;
  const auto size = static_cast<size_t>(std::countr_zero(colons));
  if (size < 2) return start;
  uint8_t row = kTable.first[bucket_of(at[size - 2], at[size - 1], size)];
  for (; row != 0; row = kTable.known[row - 1U].next) {
    const Known& known = kTable.known[row - 1U];
    if (known.size != size) continue;
    // Of letters, digits and "-" the bit 0x20 tells only the case. What is no name but becomes one
    // by it has a control character, before which nothing is usual.
    const __m128i any_case = _mm_set1_epi8(0x20);
    const auto differ = [&](__m128i block, const char* name) {
      return ~detail::mask_of(_mm_cmpeq_epi8(_mm_or_si128(block, any_case), detail::load(name)));
    };
    const uint32_t others = size <= 16 ? differ(low, known.name.data())
                                       : (differ(low, known.name.data()) & 0xffff) |
                                             differ(high, known.name.data() + 16) << 16;
    if ((others & known.bits) != 0) continue;
    start.id = known.id;
    start.length = known.size;
    break;
  }
#endif
  return start;
}

FieldName field_name(std::string_view name) noexcept {
  if (name.size() < 2) return other;
  uint8_t row = kTable.first[bucket_of(name[name.size() - 2], name.back(), name.size())];
  for (; row != 0; row = kTable.known[row - 1U].next) {
    if (equals_lower(name, kRows[row - 1U].name)) return kRows[row - 1U].id;
  }
  return other;
}

}  // namespace weir::http
