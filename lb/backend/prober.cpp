#include "lb/backend/prober.h"

#include <algorithm>

namespace weir {
namespace {

constexpr size_t kMostOfHead = 16 * 1024;
// However much trouble there is, a backend is not asked more often than this …
constexpr Duration kLeastPause = std::chrono::milliseconds(100);
// … and it is asked fast for so many times after the last of it.
constexpr int kFastProbes = 5;

}  // namespace

// The asking of one backend: waiting for its turn, or in the middle of a question.
class Prober::Probe final : public BackendConnectionUser {
 public:
  Probe(Prober& prober, ProbeTarget target)
      : prober_(prober),
        target_(std::move(target)),
        next_(prober.loop_.timers(), bind<&Probe::ask>(this)),
        patience_(prober.loop_.timers(), bind<&Probe::on_timeout>(this)) {
    next_.start(Duration::zero());
  }

  BackendSerial serial() const { return target_.serial; }
  void set_target(ProbeTarget target) { target_ = std::move(target); }

  // Many exchanges may fail at once, and each of them says so.
  void hurry() {
    fast_left_ = kFastProbes;
    const TimePoint soonest = std::max(prober_.loop_.now(), began_ + kLeastPause);
    if (next_.is_armed() && next_.due() > soonest) next_.start_at(soonest);
  }

  void silence() {
    next_.cancel();
    patience_.cancel();
    drop();
  }

 private:
  void ask() {
    began_ = prober_.loop_.now();
    received_.clear();
    scanner_.reset();
    patience_.start(prober_.options_.timeout);
    connection_ = std::make_unique<BackendConnection>(prober_.loop_, prober_.blocks_,
                                                      target_.serial, target_.slot);
    connection_->connect(target_.addresses, prober_.options_.timeout, *this);
  }

  void on_backend_connected() override {
    if (prober_.options_.path.empty()) {
      finish({ProbeResult::Kind::answered, 200, 0});
      return;
    }
    const std::string request = "GET " + prober_.options_.path +
                                " HTTP/1.1\r\nHost: " + target_.host +
                                "\r\nUser-Agent: weir-probe\r\n\r\n";
    if (connection_->stream().write(request) == Stream::WriteStatus::failed) {
      finish({ProbeResult::Kind::failed, 0, connection_->stream().os_error()});
    }
  }

  void on_backend_writable() override { connection_->stream().flush(); }

  void on_backend_readable() override {
    char buffer[4096];
    for (;;) {
      const Stream::ReadResult result = connection_->stream().read(buffer, sizeof buffer);
      if (result.status == Stream::ReadStatus::would_block) return;
      if (result.status != Stream::ReadStatus::data) {
        finish({ProbeResult::Kind::failed, 0, result.os_error});
        return;
      }
      received_.append(buffer, result.bytes);
      const http::HeadState state = scanner_.scan(received_, kMostOfHead);
      if (state == http::HeadState::incomplete) continue;
      finish(judge(state));
      return;
    }
  }

  ProbeResult judge(http::HeadState state) {
    if (state != http::HeadState::complete) return {ProbeResult::Kind::failed, 0, EPROTO};
    const auto head = prober_.parser_.parse_response({received_.data(), scanner_.head_length()},
                                                     http::Method::get, false, {});
    if (!head) return {ProbeResult::Kind::failed, 0, EPROTO};
    return {ProbeResult::Kind::answered, (*head)->status, 0};
  }

  void on_backend_failed(const Error& error) override {
    if (blame(error.kind) == Blame::balancer) {  // no descriptor left: says nothing about it
      patience_.cancel();
      drop();
      next_.start(prober_.options_.fast_interval);
    } else if (error.kind == ErrorKind::connect_refused) {
      finish({ProbeResult::Kind::refused, 0, error.os_error});
    } else if (error.kind == ErrorKind::connect_timeout) {
      finish({ProbeResult::Kind::timed_out, 0, error.os_error});
    } else {
      finish({ProbeResult::Kind::failed, 0, error.os_error});
    }
  }

  void on_timeout() { finish({ProbeResult::Kind::timed_out, 0, 0}); }

  void finish(ProbeResult result) {
    result.began = began_;
    patience_.cancel();
    drop();
    // 404 and the like: alive, only without such a path. The balancer judges; here it only sets the
    // rhythm.
    const bool is_well = result.kind == ProbeResult::Kind::answered && result.status < 500;
    const bool is_fast = !is_well || fast_left_ > 0;
    if (fast_left_ > 0) --fast_left_;
    next_.start(is_fast ? prober_.options_.fast_interval : prober_.options_.interval);
    prober_.balancer_.on_probe(target_.serial, result, prober_.loop_.now());
  }

  void drop() {
    if (!connection_) return;
    connection_->close();
    prober_.loop_.retire(std::move(connection_));
  }

  Prober& prober_;
  ProbeTarget target_;
  std::unique_ptr<BackendConnection> connection_;
  std::string received_;
  http::HeadScanner scanner_;
  TimePoint began_{};
  int fast_left_ = 0;
  Timer next_;
  Timer patience_;
};

Prober::Prober(EventLoop& loop, Balancer& balancer, const ProberOptions& options)
    : loop_(loop), balancer_(balancer), options_(options) {}

Prober::~Prober() {
  for (std::unique_ptr<Probe>& probe : probes_) probe->silence();
}

void Prober::set_targets(std::vector<ProbeTarget> targets) {
  std::vector<std::unique_ptr<Probe>> probes;
  for (ProbeTarget& target : targets) {
    const auto known = std::ranges::find_if(probes_, [&target](const auto& probe) {
      return probe && probe->serial() == target.serial;
    });
    if (known != probes_.end()) {
      (*known)->set_target(std::move(target));
      probes.push_back(std::move(*known));
    } else {
      probes.push_back(std::make_unique<Probe>(*this, std::move(target)));
    }
  }
  probes_.swap(probes);
  for (std::unique_ptr<Probe>& probe : probes) {
    if (!probe) continue;
    probe->silence();
    loop_.retire(std::move(probe));
  }
}

void Prober::hurry(BackendSerial serial) {
  for (std::unique_ptr<Probe>& probe : probes_) {
    if (probe->serial() == serial) probe->hurry();
  }
}

}  // namespace weir
