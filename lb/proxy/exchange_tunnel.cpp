// An exchange whose backend switched protocols: what its tunnel means for lease, report and client.
// Another part of exchange.cpp.
#include "lb/proxy/exchange.h"
#include "lb/proxy/proxy_context.h"

namespace weir {

void Exchange::begin_tunnel(std::string_view from_backend) {
  become(State::tunnel);
  on_committed();
  drop_pending();
  deadlines_.clear_all();
  report_.bytes_in = report_.bytes_out = 0;
  is_backend_paused_ = false;
  tunnel_ = std::make_unique<Tunnel>(client_->client_stream(), backend_->stream(),
                                     std::span<char>(context_.scratch));
  const Tunnel::Status status = tunnel_->add(Tunnel::Side::backend, from_backend);
  client_->on_tunnel_begun();
  deadlines_.set_after(Limit::silence, context_.options.tunnel);
  settle_tunnel(status);
  if (state_ == State::tunnel) resume_.post();  // what came behind the 101, on either side
}

void Exchange::on_tunnel_input(std::string_view input) {
  if (state_ == State::tunnel) settle_tunnel(tunnel_->add(Tunnel::Side::client, input));
}

void Exchange::on_tunnel_ready(Readiness readiness) {
  if (readiness.writable && state_ == State::tunnel) {
    settle_tunnel(tunnel_->on_writable(Tunnel::Side::client));
  }
  if ((readiness.readable || readiness.hangup) && state_ == State::tunnel) {
    settle_tunnel(tunnel_->on_readable(Tunnel::Side::client));
  }
}

void Exchange::settle_tunnel(Tunnel::Status status) {
  const uint64_t before = report_.bytes_in + report_.bytes_out;
  report_.bytes_in = tunnel_->bytes(Tunnel::Side::client);
  report_.bytes_out = tunnel_->bytes(Tunnel::Side::backend);
  if (tunnel_->moved() != before) {
    last_byte_ = context_.loop.now();
    lease_.saw_byte(last_byte_);
    deadlines_.set_after(Limit::silence, context_.options.tunnel);
  }
  switch (status) {
    case Tunnel::Status::open:
      return;
    case Tunnel::Status::busy:
      resume_.post();
      return;
    case Tunnel::Status::closed:
      lease_.succeeded(context_.loop.now());
      finish(ClientFate::close);
      return;
    case Tunnel::Status::client_broke:
      client_->on_client_broken();
      return;
    case Tunnel::Status::backend_broke:
      report_.has_error = true;
      report_.error = Error{ErrorKind::stream_interrupted, false, 0};
      lease_.failed(report_.error, context_.loop.now());
      finish(ClientFate::reset);  // as one is passed on as one
      return;
  }
}

}  // namespace weir
