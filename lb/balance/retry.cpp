#include "lb/balance/retry.h"

namespace weir {
namespace {

bool is_stale(const Error& error, Progress progress) {
  return error.on_reused_connection && error.kind == ErrorKind::backend_closed &&
         progress != Progress::response_begun;
}

}  // namespace

bool is_death(const Error& error, Progress progress) noexcept {
  if (progress == Progress::not_sent || is_stale(error, progress)) return false;
  return error.kind == ErrorKind::backend_closed || error.kind == ErrorKind::stream_silent ||
         error.kind == ErrorKind::stream_interrupted || error.kind == ErrorKind::stream_aborted;
}

RetryVerdict judge_retry(const RetrySituation& situation) noexcept {
  const ErrorKind kind = situation.error.kind;
  if (situation.progress == Progress::committed) return RetryVerdict::give_up;
  if (blame(kind) != Blame::backend) return RetryVerdict::give_up;
  const int deaths = situation.deaths + (is_death(situation.error, situation.progress) ? 1 : 0);
  if (deaths >= kPoisonDeaths) return RetryVerdict::give_up;
  const RetryVerdict again = is_stale(situation.error, situation.progress)
                                 ? RetryVerdict::same_or_other
                                 : RetryVerdict::elsewhere;
  // Nothing went out: no send has been spent, and whatever the request does, it has not done it.
  if (situation.progress == Progress::not_sent) return again;
  // A backend that is slow has the request still; another one would only do the same work again.
  const bool is_slow =
      kind == ErrorKind::first_byte_timeout || kind == ErrorKind::between_bytes_timeout;
  if (is_slow) return RetryVerdict::give_up;
  if (!situation.is_repeatable || !situation.is_body_held) return RetryVerdict::give_up;
  if (situation.sends >= situation.max_sends) return RetryVerdict::give_up;
  return again;
}

}  // namespace weir
