#include "lb/app/backend_directory.h"

#include <algorithm>

#include <fmt/core.h>

#include "weir/log.h"

namespace weir {
namespace {

constexpr Duration kAskAgain =
    std::chrono::seconds(10);  // names change owners; failed ones may come back

}  // namespace

BackendDirectory::BackendDirectory(EventLoop& loop, Balancer& balancer, Prober& prober,
                                   AddressBook& book)
    : loop_(loop),
      balancer_(balancer),
      prober_(prober),
      book_(book),
      resolver_(loop, *this),
      ask_again_(loop.timers(), bind<&BackendDirectory::on_ask_again>(this)) {}

void BackendDirectory::publish(std::string_view source, std::shared_ptr<const BackendSet> set,
                               size_t pending) {
  sources_.insert_or_assign(std::string(source), Source{std::move(set), pending});
  apply();
}

void BackendDirectory::apply() {
  std::vector<BackendSpec> all;
  size_t pending = 0;
  for (const auto& [name, source] : sources_) {
    pending += source.pending;
    for (const BackendSpec& spec : source.set->backends()) {
      all.push_back(spec);
      if (sets_host_headers_ && spec.host_header.empty()) {
        all.back().host_header = to_string(spec.address);
      }
    }
  }
  current_ = BackendSet(std::move(all));
  // First the addresses: a worker may be given a lease of a new backend before update() returns.
  for (const BackendSpec& spec : current_.backends()) {
    book_.put(spec.address, addresses_of(spec.address));
  }
  balancer_.update(current_, pending, loop_.now());
  book_.retain(current_);
  tell_prober();
}

void BackendDirectory::tell_prober() {
  std::vector<ProbeTarget> targets;
  for (const BackendSnapshot& backend : balancer_.snapshot().backends) {
    const BackendSpec* spec = current_.find(backend.id);
    if (spec == nullptr) continue;  // removed, but some of its exchanges still run
    const std::string host = spec->address.is_unix ? "localhost" : to_string(spec->address);
    targets.push_back(ProbeTarget{backend.serial, backend.slot, host, addresses_of(spec->address)});
  }
  prober_.set_targets(std::move(targets));
}

SocketAddresses BackendDirectory::addresses_of(const Address& address) {
  if (const Result<SocketAddress, Problem> numeric = numeric_address(address)) {
    return std::make_shared<const std::vector<SocketAddress>>(std::vector<SocketAddress>{*numeric});
  }
  Name& name = names_[address];
  if (!name.addresses && !name.is_asked) {
    name.is_asked = true;
    resolver_.ask(address);
  }
  if (!ask_again_.is_armed()) ask_again_.start(kAskAgain);
  return name.addresses;
}

bool BackendDirectory::is_resolving() const {
  return std::ranges::any_of(names_, [](const auto& entry) {
    const Name& name = entry.second;
    return name.is_asked && !name.addresses && !name.has_failed;
  });
}

void BackendDirectory::on_resolved(const Address& address, const ResolvedAddresses& result) {
  Name& name = names_[address];
  name.is_asked = false;
  if (!result) {
    if (!name.has_failed)
      log_warning(fmt::format("backend {}: {}", to_string(address), result.error().what));
    name.has_failed = true;
    return;
  }
  name.has_failed = false;
  name.addresses = std::make_shared<const std::vector<SocketAddress>>(*result);
  book_.put(address, name.addresses);
  tell_prober();
}

void BackendDirectory::on_ask_again() {
  bool has_names = false;
  for (const BackendSpec& spec : current_.backends()) {
    const auto it = names_.find(spec.address);
    if (it == names_.end()) continue;
    has_names = true;
    if (it->second.is_asked) continue;
    it->second.is_asked = true;
    resolver_.ask(spec.address);
  }
  if (has_names) ask_again_.start(kAskAgain);
}

}  // namespace weir
