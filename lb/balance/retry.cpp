#include "lb/balance/retry.h"

namespace weir {

RetryVerdict judge_retry(const RetrySituation& situation) noexcept {
  const ErrorKind kind = situation.error.kind;
  if (situation.progress == Progress::committed) return RetryVerdict::give_up;
  if (blame(kind) != Blame::backend) return RetryVerdict::give_up;
  const bool is_stale = situation.error.on_reused_connection && kind == ErrorKind::backend_closed &&
                        situation.progress != Progress::response_begun;
  const RetryVerdict again = is_stale ? RetryVerdict::same_or_other : RetryVerdict::elsewhere;
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
