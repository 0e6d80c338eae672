#include "lb/balance/ejection.h"

#include <algorithm>

namespace weir {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr uint32_t kMostLevel = 20;
constexpr Duration::rep kGoodTimes = 10;  // times eject_base; so long, and one level is forgotten

std::string_view in_words(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::connect_refused:
      return "connection refused";
    case ErrorKind::connect_timeout:
      return "no connection in time";
    case ErrorKind::connect_failed:
      return "not reachable";
    case ErrorKind::backend_closed:
      return "connection closed";
    case ErrorKind::bad_response:
      return "no valid response";
    case ErrorKind::first_byte_timeout:
      return "no first byte in time";
    case ErrorKind::stream_interrupted:
      return "broke off in the middle of an answer";
    default:
      return traits(kind).message;
  }
}

}  // namespace

std::string in_words(Duration span) {
  const auto ms = duration_cast<milliseconds>(span + milliseconds(1) - Duration(1)).count();
  if (ms < 1000) return std::to_string(ms) + " ms";
  return std::to_string((ms + 500) / 1000) + " s";
}

bool Ejection::on_failure(ErrorKind kind, TimePoint now) {
  good_since_ = now;
  if (phase_ == Phase::on_trial) return true;
  if (phase_ == Phase::out || options_.eject_failures == 0) return false;
  reason_ = in_words(kind);
  return ++failures_in_a_row_ >= options_.eject_failures;
}

void Ejection::eject(ErrorKind kind, TimePoint now) {
  const bool is_again = phase_ == Phase::on_trial;
  const Duration length = next_length();
  reason_ = is_again ? "failed again when tried: "
                     : std::to_string(failures_in_a_row_) +
                           (failures_in_a_row_ == 1 ? " failure: " : " failures in a row: ");
  reason_ += std::string(in_words(kind)) + "; tried again in " + in_words(length);
  if (!is_again) since_ = now;
  phase_ = Phase::out;
  due_ = now + length;
  ++times_;
}

// Several backends that fell together are not tried again together.
Duration Ejection::next_length() {
  Duration length = std::max(options_.eject_base, Duration(milliseconds(1)));
  for (uint32_t i = 0; i < level_ && length < options_.eject_most; ++i) length *= 2;
  length = std::min(length, std::max(options_.eject_most, options_.eject_base));
  level_ = std::min(level_ + 1, kMostLevel);
  return length / 100 * static_cast<Duration::rep>(90 + chance_.below(21));
}

void Ejection::begin_trial() {
  phase_ = Phase::on_trial;
  const size_t end = reason_.rfind("; tried again");
  if (end != std::string::npos)
    reason_.replace(end, std::string::npos, "; the next request tries it");
}

void Ejection::end(TimePoint now) {
  phase_ = Phase::in;
  failures_in_a_row_ = 0;
  good_since_ = now;
}

void Ejection::forget(TimePoint now) {
  if (phase_ != Phase::in || level_ == 0) return;
  if (now - good_since_ < kGoodTimes * options_.eject_base) return;
  --level_;
  good_since_ = now;
}

}  // namespace weir
