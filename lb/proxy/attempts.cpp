#include "lb/proxy/attempts.h"

#include <algorithm>

namespace weir {
namespace {

// Each send of a prompt may be a prefill somewhere, whatever `attempts` says.
constexpr int kMostSendsOfWork = 2;

}  // namespace

void Attempts::start(http::Method method, bool is_repeatable) {
  wish_ = {};
  reason_.reset();
  excluded_ = 0;
  sends_ = paid_ = deaths_ = 0;
  is_repeatable_ = is_repeatable;
  most_sends_ = http::is_idempotent(method) ? options_.max_sends
                                            : std::min(options_.max_sends, kMostSendsOfWork);
}

RetryVerdict Attempts::judge(const Failure& failure) const {
  RetrySituation situation;
  situation.error = failure.error;
  situation.progress = failure.progress;
  situation.sends = sends_;
  situation.max_sends = most_sends_;
  situation.is_repeatable = is_repeatable_;
  situation.is_body_held = failure.is_body_held;
  situation.deaths = deaths_;
  return judge_retry(situation);
}

// A connection that its backend closed while it lay idle costs nothing: no work was begun on it.
bool Attempts::pays(RetryVerdict verdict, TimePoint now) {
  if (paid_ >= sends_) return true;  // nothing was sent yet, or the next send has been paid for
  if (verdict != RetryVerdict::same_or_other && !balancer_.take_retry(now)) return false;
  paid_ = sends_;
  return true;
}

bool Attempts::tries_again(const Failure& failure, TimePoint now) {
  const RetryVerdict verdict = judge(failure);
  if (is_death(failure.error, failure.progress)) ++deaths_;
  if (verdict == RetryVerdict::give_up) return false;
  // Those that refuse leave the pool at once; so many that answer nothing are a broken network.
  if (excluded_ == wish_.excluded.size()) return false;
  Wish without = wish_;
  without.excluded[excluded_] = failure.at;
  const bool has_other = balancer_.has_usable(without);
  // What was declined is an answer: only a better one is a reason to withhold it.
  if (!has_other && failure.error.kind == ErrorKind::backend_declined) return false;
  if (!pays(verdict, now)) return false;
  // What looks like a connection that went stale may be a backend that is just dying: another one
  // is the better place.
  if (has_other || verdict != RetryVerdict::same_or_other) {
    wish_ = without;
    ++excluded_;
  }
  reason_ = failure.error;
  return true;
}

}  // namespace weir
