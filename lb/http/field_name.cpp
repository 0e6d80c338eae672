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
    return static_cast<size_t>(name[name.size() - from_end] | 0x20);  // without case
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
struct Blocks {
  __m128i low;
  __m128i high;
};

inline bool is_row(const Blocks& bytes, size_t length, size_t row) {
  const Padded& wanted = kPadded[row];
  const auto equal = [](__m128i block, const char* name, const char* case_bits) {
    return detail::mask_of(
        _mm_cmpeq_epi8(_mm_or_si128(block, detail::load(case_bits)), detail::load(name)));
  };
  uint32_t mask = equal(bytes.low, wanted.name.data(), wanted.case_bits.data());
  mask |= equal(bytes.high, wanted.name.data() + 16, wanted.case_bits.data() + 16) << 16;
  return (mask | ~uint32_t{0} << length) == ~uint32_t{0};
}
#endif

}  // namespace

FieldStart look_at_field([[maybe_unused]] const char* at, [[maybe_unused]] const char* end,
                         size_t* length) noexcept {
  FieldStart start{other, nullptr, at};
  *length = 0;
#if defined(__SSE2__)
  if (static_cast<size_t>(end - at) < kBlocks) return start;
  start.looked_until = at + kBlocks;
  const Blocks bytes{detail::load(at), detail::load(at + 16)};
  const uint32_t controls = detail::controls_in(bytes.low) | detail::controls_in(bytes.high) << 16;
  if (controls != 0) start.control = at + std::countr_zero(controls);
  const uint32_t colons = detail::mask_of(detail::equals(bytes.low, ':')) |
                          detail::mask_of(detail::equals(bytes.high, ':')) << 16;
  const auto size = static_cast<size_t>(std::countr_zero(colons));
  if (colons == 0 || size < 2) return start;
  for (uint8_t row = kTable.first[bucket_of({at, size})]; row != 0; row = kTable.next[row - 1U]) {
    if (kRows[row - 1U].name.size() != size || !is_row(bytes, size, row - 1U)) continue;
    *length = size;
    start.id = kRows[row - 1U].id;
    break;
  }
#endif
  return start;
}

FieldName field_name(std::string_view name) noexcept {
  if (name.size() < 2) return other;
  for (uint8_t row = kTable.first[bucket_of(name)]; row != 0; row = kTable.next[row - 1U]) {
    if (equals_lower(name, kRows[row - 1U].name)) return kRows[row - 1U].id;
  }
  return other;
}

}  // namespace weir::http
