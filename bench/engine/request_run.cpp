#include "bench/engine/request_run.h"

#include <errno.h>
#include <string.h>

#include <fmt/format.h>

#include "bench/engine/kernel_time.h"
#include "bench/engine/load_worker.h"

namespace weir {
namespace {

void ignore_answer(void*) {}

class NoWaker final : public PlaceWaker {
  void wake() noexcept override {}
};
NoWaker& no_waker() {
  static NoWaker waker;
  return waker;
}

}  // namespace

RequestRun::RequestRun(LoadWorker& worker)
    : worker_(worker), reader_(worker.parser()), place_(Callback<>(nullptr, &ignore_answer)) {}

RequestRun::~RequestRun() = default;

void RequestRun::start(const PlannedWork& plan, int64_t planned_ns, std::string history) {
  plan_ = plan;
  history_ = std::move(history);
  const Work& work = *worker_.plan().work;
  record_ = RequestRecord{};
  record_.index = plan.session * work.options().turns + plan.turn;
  record_.session = plan.session;
  record_.turn = static_cast<uint16_t>(plan.turn);
  record_.planned_ns = planned_ns;
  record_.is_warm_up = planned_ns < worker_.steady_begin_ns();
  if (plan.turn == 0) record_.wanted_prompt_tokens = plan.prompt_tokens;
  record_.wanted_output_tokens = plan.output_tokens;
  record_.worker = static_cast<uint16_t>(worker_.index());
  work.write_body(plan, &history_, &body_);
  reader_.start(record_, work.options().is_streamed, work.options().turns > 1);
  record_.sent_ns = worker_.now_ns();
  wish_ = Wish{};
  excluded_ = 0;
  go();
}

// Chooses where it goes, writes the head for there, and connects.
void RequestRun::go() {
  if (!choose_target()) {
    record_.error = worker_.text_index("no backend is ready");
    return give_up(RequestOutcome::failed, RequestFault::connect);
  }
  const BenchTarget& target = worker_.plan().targets[record_.target];
  head_ = fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}\r\n{}X-Request-Id: {}-{}\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n\r\n",
      worker_.plan().work->path(),
      target.address.is_unix ? "localhost" : weir::to_string(target.address), worker_.plan().fields,
      worker_.plan().id, record_.index, body_.size());
  record_.bytes_out = head_.size() + body_.size();
  open(true);
}

// Of --ab, pairs of requests go one to each side, in an order that the seed decides; what is direct
// is chosen by policy. A failed connect was no send: the next backend is tried, as in the proxy.
bool RequestRun::choose_target() {
  const RunPlan& plan = worker_.plan();
  const size_t proxies = plan.proxies();
  bool is_direct = proxies == 0;
  if (proxies > 0 && plan.balancer != nullptr) {
    const uint64_t flip = Dice(plan.load.seed, (uint64_t{5} << 40) + plan_.session / 2).next() & 1;
    is_direct = (plan_.session + flip) % 2 == 1;
  }
  if (is_direct) return take_lease();
  const size_t turn = plan.balancer != nullptr ? plan_.session / 2 : plan_.session;
  record_.target = static_cast<uint16_t>(turn % proxies);
  return true;
}

bool RequestRun::take_lease() {
  Result<std::optional<Lease>> lease =
      worker_.plan().balancer->ask(wish_, place_, no_waker(), worker_.loop().now());
  if (!lease || !*lease) {
    place_.leave();
    return false;
  }
  lease_ = std::move(**lease);
  record_.target = worker_.target_of(lease_.backend().id);
  return true;
}

void RequestRun::tell_balancer(const Error& error) {
  if (!lease_) return;
  lease_.failed(error, worker_.loop().now());
  if (excluded_ < wish_.excluded.size()) wish_.excluded[excluded_++] = lease_.serial();
  lease_ = Lease();
}

void RequestRun::open(bool may_reuse) {
  connection_ = worker_.connections().get(record_.target, may_reuse, *this);
  if (connection_->state() != BackendConnection::State::busy) return;
  record_.reused_connection = true;
  send();
}

void RequestRun::on_backend_connected() {
  record_.connected_ns = worker_.now_ns();
  if (worker_.wants_stamps()) ask_for_stamps(connection_->stream().fd());
  send();
}

void RequestRun::send() {
  if (connection_->stream().write(head_, body_) == Stream::WriteStatus::failed) {
    on_close(connection_->stream().os_error());
  }
}

void RequestRun::on_backend_writable() {
  if (connection_->stream().flush() == Stream::WriteStatus::failed) {
    on_close(connection_->stream().os_error());
  }
}

void RequestRun::on_backend_failed(const Error& error) {
  worker_.connections().discard(std::move(connection_));
  const bool may_try_another = lease_ && excluded_ < wish_.excluded.size();
  tell_balancer(error);
  if (may_try_another && worker_.plan().balancer->has_usable(wish_)) return go();
  record_.error = worker_.text_index(describe(error));
  give_up(RequestOutcome::failed, RequestFault::connect);
}

// The kernel's stamp if it gave one that can be: not in the future, not before the request.
int64_t RequestRun::receive_time(int64_t stamp_ns) {
  worker_.loop().refresh_now();  // the loop's own may be some events old
  const int64_t now = worker_.now_ns();
  const int64_t at = stamp_ns == 0 ? now : worker_.stamp_to_run(stamp_ns);
  const bool is_usable = stamp_ns != 0 && at <= now && at >= record_.sent_ns &&
                         (record_.last_token_ns == kNoTime || at >= record_.last_token_ns);
  worker_.note_read(is_usable ? now - at : -1);
  if (is_usable) record_.has_kernel_times = true;
  return is_usable ? at : now;
}

void RequestRun::on_backend_readable() {
  while (connection_) {
    const Received got = receive(connection_->stream().fd(), worker_.buffer(), worker_.capacity());
    if (got.bytes < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) on_close(errno);
      return;
    }
    if (got.bytes == 0) return on_close(0);
    const auto bytes = static_cast<size_t>(got.bytes);
    const int64_t at = receive_time(got.stamp_ns);
    const uint32_t tokens_before = record_.token_events;
    const AnswerReader::Status status = reader_.feed({worker_.buffer(), bytes}, at);
    worker_.note_tokens(record_, tokens_before, reader_.coalesced(), at);
    worker_.note_bytes(bytes, at);
    if (status != AnswerReader::Status::more) {
      record_.ended_ns = at;
      return end();
    }
    // A short read took all there was; only an end may still be behind it. A reset that came with
    // the bytes has no sign of its own.
    if (bytes < worker_.capacity() && !connection_->stream().has_hangup()) {
      const int broken_by = connection_->stream().pending_error();
      return broken_by != 0 ? on_close(broken_by) : void();
    }
  }
}

void RequestRun::on_close(int os_error) {
  const bool is_unused_old = record_.reused_connection && !reader_.has_begun();
  if (is_unused_old && !record_.is_resent) {
    record_.is_resent = true;
    record_.reused_connection = false;
    worker_.connections().discard(std::move(connection_));
    return open(false);
  }
  record_.ended_ns = worker_.now_ns();
  reader_.on_close(os_error);
  end();
}

void RequestRun::end() {
  reader_.judge();
  const bool is_over =
      reader_.keeps_alive() && record_.has_proper_end && connection_->stream().queued() == 0;
  if (is_over) {
    worker_.connections().give_back(std::move(connection_));
  } else {
    worker_.connections().discard(std::move(connection_));
  }
  const RequestFault fault = record_.fault;
  if (fault == RequestFault::cut || fault == RequestFault::reset_early) {
    tell_balancer(
        Error{record_.status == 0 ? ErrorKind::backend_closed : ErrorKind::stream_interrupted});
  } else if (lease_ && record_.status < 500) {
    lease_.succeeded(worker_.loop().now());
  }
  lease_ = Lease();
  worker_.request_ended(*this);
}

void RequestRun::give_up(RequestOutcome outcome, RequestFault fault) {
  worker_.connections().discard(std::move(connection_));
  lease_ = Lease();
  record_.ended_ns = worker_.now_ns();
  record_.outcome = outcome;
  record_.fault = fault;
  worker_.request_ended(*this);
}

}  // namespace weir
