#include "lb/app/service.h"

#include <unistd.h>

#include "weir/log.h"

#include "discovery/make_discovery.h"
#include "lb/admin/admin_socket.h"
#include "lb/app/proxy_settings.h"

namespace weir {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(100);
constexpr Duration kStartTick = std::chrono::milliseconds(5);  // while names are asked for
constexpr Duration kNamesPatience = std::chrono::seconds(2);

}  // namespace

// Turns the balancer's wake, from any thread, into a turn of our loop.
class BalancerService::Waker final : public PlaceWaker {
 public:
  Waker(EventLoop& loop, Balancer& balancer)
      : balancer_(balancer), task_(loop, bind<&Waker::on_turn>(this)) {}
  void wake() noexcept override { task_.post(); }

 private:
  void on_turn() { balancer_.collect(*this); }
  Balancer& balancer_;
  Task task_;
};

BalancerService::BalancerService(EventLoop& loop, const Config& config, const ServiceHooks& hooks)
    : loop_(loop),
      config_(config),
      replicas_(hooks.replicas),
      options_(proxy_options(config, hooks.required_key)),
      telemetry_(loop, config, observers_),
      balancer_(balancer_options(config), &observers_),
      pool_(loop, pool_blocks_, pool_options(config)),
      prober_(loop, balancer_, prober_options(config)),
      directory_(loop, balancer_, prober_),
      waker_(std::make_unique<Waker>(loop, balancer_)),
      context_(loop, balancer_, pool_, *waker_, observers_, options_, config.replay.total),
      admin_(loop, *this, telemetry_.metrics()),
      started_(loop.now()),
      tick_(loop.timers(), bind<&BalancerService::on_tick>(this)) {
  observers_.add(hooks.exchanges);
  observers_.add(hooks.backends);
  if (hooks.backends != nullptr) observers_.log_quietly();
  context_.gate = hooks.gate;
  context_.on_trouble = bind<&BalancerService::on_trouble>(this);
  directory_.add_pool(pool_);
  if (config.pool.change_host_header) directory_.set_host_headers();
}

BalancerService::~BalancerService() {
  stop();
}

Result<Ok, Problem> BalancerService::start() {
  if (Result<Ok, Problem> opened = telemetry_.start(); !opened) return opened.error();
  for (const ListenerConfig& listener : config_.listen) {
    if (Result<Ok, Problem> listened = listen(listener); !listened) return listened.error();
  }
  directory_.publish("config", std::make_shared<const BackendSet>(config_.pool.backends), 0);
  for (const DiscoverConfig& source : config_.pool.discover) {
    auto discovery = make_discovery(loop_, {source.file, source.interval, source.owners});
    if (!discovery) return discovery.error();
    (*discovery)->start(directory_);
    discoveries_.push_back(std::move(*discovery));
  }
  if (Result<Ok, Problem> admin = start_admin(); !admin) return admin.error();
  if (directory_.is_resolving()) await_names();
  tick_.start(awaits_names_ ? kStartTick : kTick);
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

Result<Ok, Problem> BalancerService::listen(const ListenerConfig& config) {
  const Result<std::vector<SocketAddress>, Problem> where = resolve(config.address);
  if (!where) return where.error();
  Result<UniqueFd, Problem> fd = listen_on(where->front());
  if (!fd) return fd.error();
  Address bound = config.address;
  if (!bound.is_unix) bound.port = local_address(fd->get()).port();
  Listening listening{std::move(*fd), nullptr};
  listening.listener = std::make_unique<Listener>(context_, listening.fd.get());
  if (!listening.listener->start()) return Problem{"cannot watch " + to_string(bound), ""};
  listening_.push_back(std::move(listening));
  addresses_.push_back(bound);
  return Ok{};
}

// A request that comes before the names of the backends have been resolved could go nowhere: until
// then clients stay in the backlog.
void BalancerService::await_names() {
  awaits_names_ = directory_.is_resolving() && loop_.now() - started_ < kNamesPatience;
  if (context_.is_draining) return;
  for (Listening& listening : listening_) {
    listening.listener->stop_accepting();
    if (!awaits_names_ && !listening.listener->start()) log_error("cannot watch a listener");
  }
}

void BalancerService::on_tick() {
  if (awaits_names_) await_names();
  balancer_.expire(loop_.now());
  // Backwards: an exchange that ends takes itself off the list.
  for (size_t i = context_.active.size(); i-- > 0;) {
    if (i < context_.active.size()) context_.active[i]->check_silence();
  }
  if (on_drained_ && context_.active.empty()) {
    const Callback<> done = on_drained_;
    on_drained_ = {};
    done();  // may destroy us: the timer is armed again by whoever goes on
    return;
  }
  tick_.start(awaits_names_ ? kStartTick : kTick);
}

void BalancerService::on_trouble(BackendSerial serial) {
  prober_.hurry(serial);
}

void BalancerService::drain(Callback<> done) {
  context_.is_draining = true;
  on_drained_ = done;
  for (Listening& listening : listening_) {
    listening.listener->drain();
    listening.fd.reset();  // refused is a clearer word than a backlog that nobody empties
  }
  pool_.close_idle();
}

void BalancerService::stop() {
  tick_.cancel();
  admin_.stop();
  has_admin_ = false;
  for (Listening& listening : listening_) listening.listener->close_all();
  listening_.clear();
  pool_.close_idle();
}

std::string BalancerService::admin_address() const {
  return has_admin_ ? to_string(admin_.address()) : std::string();
}

InstanceView BalancerService::look() const {
  InstanceView view;
  view.pid = ::getpid();
  view.instance = config_.admin.instance;
  view.command = to_string(config_.command);
  view.config_source = config_.source;
  for (const Address& address : addresses_) view.listeners.push_back(to_string(address));
  view.uptime = loop_.now() - started_;
  view.is_draining = context_.is_draining;
  for (const Listening& listening : listening_)
    view.client_connections += listening.listener->clients();
  view.in_flight = context_.active.size();
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
    out.max_outstanding = backend.max_outstanding;
    out.served = backend.served;
    out.failures = backend.failures;
    out.weight = backend.weight;
    pool.backends.push_back(std::move(out));
  }
  view.pools.push_back(std::move(pool));
  if (replicas_ != nullptr) view.replicas = replicas_->replica_views();
  return view;
}

}  // namespace weir
