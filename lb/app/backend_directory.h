// Brings together what the sources of backends publish, resolves their names off the loop, and
// tells address book, balancer and prober. Owned by BalancerService. Main loop's thread only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weir/discovery.h"

#include "lb/backend/address_book.h"
#include "lb/backend/prober.h"
#include "lb/balance/balancer.h"
#include "lb/net/resolver.h"

namespace weir {

class BackendDirectory final : public BackendSetSink, public ResolverUser {
 public:
  BackendDirectory(EventLoop& loop, Balancer& balancer, Prober& prober, AddressBook& book);
  BackendDirectory(const BackendDirectory&) = delete;
  BackendDirectory& operator=(const BackendDirectory&) = delete;

  void publish(std::string_view source, std::shared_ptr<const BackendSet> set,
               size_t pending) override;
  // "Host becomes the backend's address": for --change-host-header.
  void set_host_headers() { sets_host_headers_ = true; }
  // A name has been asked for and there has been no answer yet, neither a good one nor a bad one.
  bool is_resolving() const;

 private:
  struct Source {
    std::shared_ptr<const BackendSet> set;
    size_t pending = 0;
  };
  struct Name {
    SocketAddresses addresses;  // of the last good answer
    bool is_asked = false;
    bool has_failed = false;
  };

  void on_resolved(const Address& address, const ResolvedAddresses& result) override;
  void on_ask_again();
  void apply();
  void tell_prober();
  SocketAddresses addresses_of(const Address& address);

  EventLoop& loop_;
  Balancer& balancer_;
  Prober& prober_;
  AddressBook& book_;
  std::map<std::string, Source, std::less<>> sources_;
  std::map<Address, Name> names_;
  BackendSet current_;
  Resolver resolver_;
  Timer ask_again_;
  bool sets_host_headers_ = false;
};

}  // namespace weir
