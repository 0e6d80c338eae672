#include "lb/app/service.h"

#include <unistd.h>

#include <algorithm>

#include "discovery/make_discovery.h"
#include "lb/admin/admin_socket.h"
#include "lb/app/proxy_settings.h"

namespace weir {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(100);
constexpr Duration kStartTick = std::chrono::milliseconds(5);  // while names are asked for
constexpr Duration kNamesPatience = std::chrono::seconds(2);
constexpr size_t kOutputBytes = size_t{1} << 30;  // for clients that read slowly, all together

}  // namespace

BalancerService::BalancerService(EventLoop& loop, const Config& config, const ServiceHooks& hooks)
    : loop_(loop),
      config_(config),
      replicas_(hooks.replicas),
      options_(proxy_options(config, hooks.required_key)),
      observers_(loop),
      telemetry_(loop, config, hooks.exchanges),
      balancer_(balancer_options(config), &observers_),
      prober_(loop, balancer_, prober_options(config)),
      troubles_(loop, prober_),
      directory_(loop, balancer_, prober_, addresses_),
      share_{balancer_,
             addresses_,
             options_,
             pool_options(config),
             {},
             hooks.gate,
             {},
             BlockBudget(config.replay.total),
             BlockBudget(kOutputBytes)},
      admin_(loop, *this, telemetry_),
      started_(loop.now()),
      tick_(loop.timers(), bind<&BalancerService::on_tick>(this)),
      waken_(loop, bind<&BalancerService::tick_soon>(this)) {
  observers_.add(&telemetry_);
  observers_.add(hooks.backends);
  observers_.add(this);
  balancer_.set_on_line_begun(bind<&BalancerService::on_line_begun>(this));
  if (hooks.backends != nullptr) observers_.log_quietly();
  if (config.pool.change_host_header) directory_.set_host_headers();
  admin_.allow_actions(*this, config.admin.token);
  share_.on_trouble = bind<&TroubleBox::put>(&troubles_);
}

BalancerService::~BalancerService() {
  stop();
}

Result<Ok, Problem> BalancerService::start() {
  if (Result<Ok, Problem> opened = telemetry_.start(); !opened) return opened.error();
  if (Result<Ok, Problem> made = make_workers(); !made) return made.error();
  directory_.publish("config", std::make_shared<const BackendSet>(config_.pool.backends), 0);
  for (const DiscoverConfig& source : config_.pool.discover) {
    auto discovery = make_discovery(loop_, {source.file, source.interval, source.owners});
    if (!discovery) return discovery.error();
    (*discovery)->start(directory_);
    discoveries_.push_back(std::move(*discovery));
  }
  if (Result<Ok, Problem> admin = start_admin(); !admin) return admin.error();
  for (const std::unique_ptr<Worker>& worker : workers_) worker->start();
  await_names();
  tick_.start(awaits_names_ ? kStartTick : kTick);
  return Ok{};
}

Result<Ok, Problem> BalancerService::make_workers() {
  const uint32_t count = config_.workers > 0 ? config_.workers : default_worker_count();
  if (config_.max_connections > 0) share_.clients.most = config_.max_connections;
  for (uint32_t i = 0; i < count; ++i) {
    workers_.push_back(
        std::make_unique<Worker>(share_, telemetry_.add_worker(), i == 0 ? &loop_ : nullptr));
  }
  for (const ListenerConfig& listener : config_.listen) {
    if (Result<Ok, Problem> listened = listen(listener); !listened) return listened.error();
  }
  return Ok{};
}

Result<Ok, Problem> BalancerService::listen(const ListenerConfig& config) {
  const Result<std::vector<SocketAddress>, Problem> where = resolve(config.address);
  if (!where) return where.error();
  Result<UniqueFd, Problem> fd = listen_on(where->front());
  if (!fd) return fd.error();
  Address bound = config.address;
  if (!bound.is_unix) bound.port = local_address(fd->get()).port();
  const auto socket = std::make_shared<ListeningSocket>(std::move(*fd));
  for (const std::unique_ptr<Worker>& worker : workers_) worker->listen(socket);
  listening_.push_back(bound);
  return Ok{};
}

// Asked for, an admin side that cannot be had is an error; the socket that comes by itself is only
// missed.
Result<Ok, Problem> BalancerService::start_admin() {
  const AdminConfig& config = config_.admin;
  if (config.where == AdminConfig::Where::off) return Ok{};
  const bool is_own = config.where == AdminConfig::Where::own_socket;
  Result<Address, Problem> where = config.address;
  if (is_own) where = own_admin_socket(AdminHome::of_process(), config.instance);
  Result<Ok, Problem> started = where ? admin_.start(*where) : Result<Ok, Problem>(where.error());
  has_admin_ = started.has_value();
  if (started || !is_own || !config.instance.empty()) return started;
  log_warning("no admin socket, so `weir status` will not find this instance: " +
              started.error().what);
  return Ok{};
}

void BalancerService::order(Worker::Phase phase) {
  for (const std::unique_ptr<Worker>& worker : workers_) worker->set_phase(phase);
}

// A request that comes before the names of the backends have been resolved could go nowhere: until
// then clients stay in the backlog.
void BalancerService::await_names() {
  awaits_names_ = directory_.is_resolving() && loop_.now() - started_ < kNamesPatience;
  if (!is_draining_ && !awaits_names_) order(Worker::Phase::accepting);
}

// An idle weir sleeps. What may need a tick before the next one comes: somebody who waits for a
// backend (on_line_begun), a change of a backend's state, the end of a drain.
void BalancerService::on_tick() {
  if (awaits_names_) await_names();
  is_resting_.store(true);  // before the look, so that who enters the line after it is heard
  balancer_.expire(loop_.now());
  Duration next = balancer_.watch(loop_.now());
  if (is_draining_) next = kTick;
  if (awaits_names_) next = kStartTick;
  if (next <= kTick) is_resting_.store(false);
  if (on_drained_ && are_idle()) {
    const Callback<> done = on_drained_;
    on_drained_ = {};
    done();  // may destroy us: the timer is armed again by whoever goes on
    return;
  }
  tick_.start(next);
}

// On any thread; often, when all backends are at their caps.
void BalancerService::on_line_begun() {
  if (is_resting_.load() && is_resting_.exchange(false)) waken_.post();
}

void BalancerService::on_backend_event(const BackendEvent&) noexcept {
  tick_soon();
}

void BalancerService::tick_soon() {
  if (tick_.is_armed() && tick_.due() > loop_.now() + kTick) tick_.start(kTick);
}

bool BalancerService::are_idle() const {
  return std::ranges::all_of(workers_, [](const std::unique_ptr<Worker>& worker) {
    return worker->has_followed() && worker->exchanges() == 0;
  });
}

size_t BalancerService::exchanges_in_flight() const {
  size_t sum = 0;
  for (const std::unique_ptr<Worker>& worker : workers_) sum += worker->exchanges();
  return sum;
}

void BalancerService::drain(Callback<> done) {
  is_draining_ = true;
  on_drained_ = done;
  tick_soon();
  order(Worker::Phase::draining);
}

// All threads are joined before any worker goes: each may still be told of a place or a client by
// the others.
void BalancerService::stop() {
  tick_.cancel();
  admin_.stop();
  has_admin_ = false;
  order(Worker::Phase::stopped);
  for (const std::unique_ptr<Worker>& worker : workers_) worker->join();
  workers_.clear();
}

std::string BalancerService::admin_address() const {
  return has_admin_ ? to_string(admin_.address()) : std::string();
}

bool BalancerService::set_draining(std::string_view backend, bool draining) {
  return balancer_.set_draining(backend, draining, loop_.now());
}

InstanceView BalancerService::look() const {
  InstanceView view;
  view.pid = ::getpid();
  view.instance = config_.admin.instance;
  view.command = to_string(config_.command);
  view.config_source = config_.source;
  for (const Address& address : listening_) view.listeners.push_back(to_string(address));
  view.uptime = loop_.now() - started_;
  view.is_draining = is_draining_;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    view.workers.push_back({worker->clients(), worker->exchanges()});
    view.client_connections += worker->clients();
    view.idle_backend_connections += worker->idle_backends();
  }
  view.in_flight = exchanges_in_flight();
  const PoolSnapshot snapshot = balancer_.snapshot();
  PoolView pool;
  pool.name = snapshot.pool;
  pool.policy = to_string(snapshot.policy);
  pool.waiting.length = snapshot.waiting;
  pool.waiting.limit = snapshot.queue_limit;
  if (snapshot.waiting > 0) pool.waiting.oldest = loop_.now() - snapshot.oldest_wait;
  pool.pending = snapshot.pending;
  for (const BackendSnapshot& backend : snapshot.backends) {
    BackendView out;
    out.id = backend.id;
    out.address = backend.address;
    out.state = backend.state;
    out.reason = backend.reason;
    out.in_state = loop_.now() - backend.since;
    out.outstanding = backend.outstanding;
    out.answering = backend.answering;
    out.max_outstanding = backend.max_outstanding;
    out.served = backend.served;
    out.failures = backend.failures;
    out.weight = backend.weight;
    out.share = backend.share;
    out.ejections = backend.ejections;
    out.is_tried = backend.is_tried;
    out.declines = backend.is_reluctant;
    pool.backends.push_back(std::move(out));
  }
  view.pools.push_back(std::move(pool));
  if (replicas_ != nullptr) view.replicas = replicas_->replica_views();
  return view;
}

}  // namespace weir
