#include "lb/http/field_name.h"

#include <array>
#include <bit>

#include "lb/http/ascii.h"
#include "lb/http/byte_search.h"

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

// Whole blocks of a name, and the bits in which its letters differ from capitals.
constexpr size_t kBlocks = 32;
struct Padded {
  std::array<char, kBlocks> name{};
  std::array<char, kBlocks> case_bits{};
};

constexpr std::array<Padded, kRows.size()> make_padded() {
  std::array<Padded, kRows.size()> padded{};
  for (size_t row = 0; row < kRows.size(); ++row) {
    for (size_t i = 0; i < kRows[row].name.size(); ++i) {
      const char c = kRows[row].name[i];
      padded[row].name[i] = c;
      padded[row].case_bits[i] = c >= 'a' && c <= 'z' ? 0x20 : 0;
    }
  }
  return padded;
}
[[maybe_unused]] constexpr std::array<Padded, kRows.size()> kPadded = make_padded();

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

#if defined(__SSE2__)
bool is_row(const char* at, size_t length, size_t row) {
  const Padded& wanted = kPadded[row];
  uint32_t equal = 0;
  for (size_t i = 0; i < kBlocks; i += 16) {
    const __m128i bytes =
        _mm_or_si128(detail::load(at + i), detail::load(wanted.case_bits.data() + i));
    equal |= detail::mask_of(_mm_cmpeq_epi8(bytes, detail::load(wanted.name.data() + i))) << i;
  }
  const uint32_t beyond = ~uint32_t{0} << length;
  return (equal | beyond) == ~uint32_t{0};
}
#endif

}  // namespace

FieldName find_field_name([[maybe_unused]] const char* at, [[maybe_unused]] const char* end,
                          size_t* length) noexcept {
  *length = 0;
#if defined(__SSE2__)
  if (static_cast<size_t>(end - at) < kBlocks) return other;
  const uint32_t colons = detail::mask_of(detail::equals(detail::load(at), ':')) |
                          detail::mask_of(detail::equals(detail::load(at + 16), ':')) << 16;
  const auto size = static_cast<size_t>(std::countr_zero(colons));
  if (colons == 0 || size < 2) return other;
  for (uint8_t row = kTable.first[bucket_of({at, size})]; row != 0; row = kTable.next[row - 1U]) {
    if (kRows[row - 1U].name.size() != size || !is_row(at, size, row - 1U)) continue;
    *length = size;
    return kRows[row - 1U].id;
  }
#endif
  return other;
}

FieldName field_name(std::string_view name) noexcept {
  if (name.size() < 2) return other;
  for (uint8_t row = kTable.first[bucket_of(name)]; row != 0; row = kTable.next[row - 1U]) {
    if (equals_lower(name, kRows[row - 1U].name)) return kRows[row - 1U].id;
  }
  return other;
}

}  // namespace weir::http
