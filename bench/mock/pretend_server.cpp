#include "bench/mock/pretend_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "bench/mock/answer_text.h"
#include "bench/mock/generation.h"

namespace weir {
namespace {

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 64;
constexpr int kStepsPerTurn = 4;
constexpr Duration kAcceptPause = std::chrono::milliseconds(50);
constexpr Duration kEndingTick = std::chrono::milliseconds(20);
constexpr Duration kRefuseAfter =
    std::chrono::milliseconds(50);  // SIGTERM: it answers a little longer
constexpr Duration kFlushTime =
    std::chrono::seconds(2);  // and waits for its clients at most that long

void remove_stale_socket(const SocketAddress& address) {
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe || ::connect(probe.get(), address.get(), address.length) == 0 || errno != ECONNREFUSED)
    return;
  ::unlink(reinterpret_cast<const sockaddr_un*>(&address.storage)->sun_path);
}

// Bound but not listening: connections are refused, as by a vLLM that loads.
Result<UniqueFd, Problem> bind_to(const SocketAddress& address) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int one = 1;
  if (fd && address.family() != AF_UNIX)
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (address.family() == AF_UNIX) remove_stale_socket(address);
  if (fd && ::bind(fd.get(), address.get(), address.length) == 0) return fd;
  return Problem{fmt::format("cannot listen on {}: {}", address.to_string(), ::strerror(errno)),
                 "another program may use this address; choose another with --listen"};
}

}  // namespace

PretendServer::PretendServer(EventLoop& loop, BlockPool& pool, const MockOptions& options,
                             PretendServerUser& user)
    : loop_(loop),
      pool_(pool),
      options_(options),
      user_(user),
      accept_timer_(loop.timers(), bind<&PretendServer::watch_listener>(this)),
      engine_({options.ttft, options.itl, options.prefill_per_token, options.batch_slowdown,
               options.max_seqs}),
      engine_timer_(loop.timers(), bind<&PretendServer::on_engine_due>(this)),
      engine_task_(loop, bind<&PretendServer::on_engine_due>(this)),
      state_timer_(loop.timers(), bind<&PretendServer::on_loaded>(this)),
      ending_timer_(loop.timers(), bind<&PretendServer::on_ending_due>(this)),
      faults_(options.faults),
      started_(::time(nullptr)),
      next_id_(
          mix(static_cast<uint64_t>(started_) * 1'000'003 + static_cast<uint64_t>(::getpid()))) {}

PretendServer::~PretendServer() {
  close_all(false);
}

Result<Ok, Problem> PretendServer::start(const Address& address) {
  const Result<std::vector<SocketAddress>, Problem> resolved = resolve(address);
  if (!resolved) return resolved.error();
  // A name is listened on in IPv4 where it has that: clients of "localhost" mostly mean 127.0.0.1.
  auto chosen = std::ranges::find(*resolved, AF_INET, &SocketAddress::family);
  if (chosen == resolved->end()) chosen = resolved->begin();
  Result<UniqueFd, Problem> fd = bind_to(*chosen);
  if (!fd) return fd.error();
  listener_ = std::move(*fd);
  name_ = local_address(listener_.get()).to_string();
  say("bound, loading");
  if (find_fault(FaultKind::never_ready) != nullptr) return Ok{};
  const Fault* death = find_fault(FaultKind::die_at_start);
  const Fault* slow = find_fault(FaultKind::slow_start);
  const Duration load = options_.load_time + (slow != nullptr ? slow->delay : Duration::zero());
  state_timer_.start(death != nullptr ? death->delay : load);
  return Ok{};
}

void PretendServer::on_loaded() {
  if (find_fault(FaultKind::die_at_start) != nullptr) {
    die();
    return;
  }
  if (::listen(listener_.get(), kBacklog) != 0) {
    say(fmt::format("cannot listen: {}", ::strerror(errno)));
    die();
    return;
  }
  state_ = State::serving;
  watch_listener();
  say("ready");
}

void PretendServer::watch_listener() {
  if (!listener_) return;
  const Callback<Readiness> on_ready = bind<&PretendServer::on_acceptable>(this);
  if (!listener_event_.add_level_readable(loop_, listener_.get(), on_ready)) {
    accept_timer_.start(kAcceptPause);
  }
}

void PretendServer::on_acceptable(Readiness) {
  for (int i = 0; i < kAcceptsPerTurn && listener_; ++i) {
    SocketAddress peer;
    Result<UniqueFd> fd = accept_from(listener_.get(), &peer);
    if (!fd) {
      const int error = fd.error().os_error;
      if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
        // The listener stays readable: without a pause it would be asked again at once.
        listener_event_.remove();
        accept_timer_.start(kAcceptPause);
      }
      return;
    }
    auto connection = std::make_unique<MockConnection>(loop_, pool_, *this);
    MockConnection* key = connection.get();
    connections_.emplace(key, std::move(connection));
    ++counters_.connections;
    if (!key->open(std::move(*fd))) key->close();
  }
}

void PretendServer::remove(MockConnection& connection) {
  const auto it = connections_.find(&connection);
  if (it == connections_.end()) return;
  loop_.retire(std::move(it->second));
  connections_.erase(it);
}

// The engine's time is the loop's; what is due already runs in the next turn, so that clients get
// their turns between.
void PretendServer::schedule_engine() {
  const TimePoint due = engine_.next_due();
  if (is_frozen_ || due == Engine::kNever) {
    engine_timer_.cancel();
  } else if (due <= loop_.now()) {
    engine_task_.post();
  } else if (!engine_timer_.is_armed() || engine_timer_.due() != due) {
    engine_timer_.start_at(due);
  }
}

void PretendServer::on_engine_due() {
  if (is_frozen_ || is_stopped()) return;
  const TimePoint now = loop_.refresh_now();
  is_stepping_ = true;
  for (int i = 0; i < kStepsPerTurn && engine_.next_due() <= now && !is_frozen_; ++i)
    engine_.step(now);
  is_stepping_ = false;
  schedule_engine();
}

void PretendServer::submit(Sequence& sequence) {
  engine_.submit(sequence, loop_.now());
  if (!is_stepping_) schedule_engine();
}

void PretendServer::release(Sequence& sequence) {
  engine_.remove(sequence, loop_.now());
  if (!is_stepping_) schedule_engine();
}

void PretendServer::terminate(OnTerm how) {
  if (state_ == State::ending || is_stopped()) return;
  say("told to end");
  if (state_ == State::loading || how == OnTerm::exit) {
    finish_ending();
    return;
  }
  state_ = State::ending;
  ending_how_ = how;
  ending_by_ = loop_.now() + (how == OnTerm::drain ? options_.drain_timeout : kFlushTime);
  if (how == OnTerm::abort) abort_all();
  if (how == OnTerm::hang) {
    is_frozen_ = true;
    close_listener();
    close_idle_connections();
  }
  ending_timer_.start(how == OnTerm::abort ? kRefuseAfter : kEndingTick);
}

void PretendServer::on_ending_due() {
  const bool is_late = loop_.now() >= ending_by_;
  if (ending_how_ == OnTerm::drain) {
    if (load() == 0 || is_late) {
      abort_all();
      ending_how_ = OnTerm::abort;
      ending_by_ = loop_.now() + kFlushTime;
    }
  } else if (ending_how_ == OnTerm::abort) {
    close_listener();
    close_idle_connections();
    if (is_late) close_all(false);
  }
  if (connections_.empty() && ending_how_ != OnTerm::drain) {
    finish_ending();
  } else {
    ending_timer_.start(kEndingTick);
  }
}

void PretendServer::finish_ending() {
  state_ = State::stopped;
  state_timer_.cancel();
  close_listener();
  close_all(false);
  say("ended");
  user_.on_stopped(*this);
}

void PretendServer::die() {
  if (is_stopped()) return;
  state_ = State::stopped;
  say("dies of a fault");
  user_.on_died(*this);
  state_timer_.cancel();
  ending_timer_.cancel();
  close_listener();
  close_all(true);
}

void PretendServer::close_listener() {
  accept_timer_.cancel();
  listener_event_.remove();
  listener_.reset();
}

std::vector<MockConnection*> PretendServer::all_connections() const {
  std::vector<MockConnection*> all;
  all.reserve(connections_.size());
  for (const auto& [connection, owner] : connections_) all.push_back(connection);
  return all;
}

void PretendServer::close_idle_connections() {
  for (MockConnection* connection : all_connections()) {
    if (!connection->is_busy()) connection->close_when_flushed();
  }
}

void PretendServer::close_all(bool with_reset) {
  for (MockConnection* connection : all_connections()) {
    if (with_reset) {
      connection->reset();
    } else {
      connection->close();
    }
  }
}

void PretendServer::abort_all() {
  for (MockConnection* connection : all_connections()) {
    if (connection->generation() != nullptr) connection->generation()->abort();
  }
}

size_t PretendServer::load() const {
  return static_cast<size_t>(std::ranges::count_if(
      connections_, [](const auto& entry) { return entry.first->generation() != nullptr; }));
}

void PretendServer::say(std::string_view text) const {
  fmt::print(stderr, "weir mock: http://{}: {}\n", name_, text);
}

}  // namespace weir
