#include "lb/proxy/request_facts.h"

#include "lb/proxy/tunnel.h"

namespace weir {
namespace {

constexpr size_t kKeptBytes = 256;
constexpr size_t kKeptDraftBytes = 8 * 1024;

}  // namespace

void RequestDraft::trim() {
  for (std::string* text : {&request.lines, &request.credentials, &request.host, &head}) {
    text->clear();
    if (text->capacity() > kKeptDraftBytes) text->shrink_to_fit();
  }
}

void RequestFacts::take(const http::RequestHead& head, const http::PathVerdict& verdict,
                        const ClientPeer& peer, std::string_view its_id,
                        const ProxyOptions& options) {
  method = head.method;
  shape = verdict.shape;
  client_minor_version = head.minor_version;
  is_repeatable = http::is_repeatable(head.method, verdict.path_class);
  is_inference = verdict.path_class == http::PathClass::inference;
  client_keeps_alive = head.keep_alive;
  accepts_trailers = head.accepts_trailers;
  framing = head.framing;
  client_ = peer.address;
  texts_.assign(its_id);
  id_end_ = texts_.size();
  texts_.append(head.path);
  path_end_ = texts_.size();
  const std::string_view protocol = passing_upgrade(head, verdict, options.paths);
  if (!protocol.empty()) texts_.append(protocol);
}

void RequestFacts::write(const http::RequestHead& head, const ClientPeer& peer,
                         const ProxyOptions& options, RequestDraft* draft) const {
  http::RequestRewrite how;
  how.client_address = client();
  how.request_id = id();
  how.trusts_client = peer.is_trusted_proxy;
  how.adds_via = options.adds_via;
  how.upgrade = upgrade();
  how.rules = options.header_up;
  draft->sent = 0;
  draft->head.clear();
  draft->request.clear();
  http::rewrite_request(head, how, &draft->request);
}

void RequestFacts::tell(ExchangeReport* report) const {
  report->request_id = id();
  report->client = client();
  report->method = http::to_string(method);
  report->path = path();
}

void RequestFacts::release() {
  client_ = {};
  id_end_ = path_end_ = 0;
  texts_.clear();
  if (texts_.capacity() > kKeptBytes) texts_.shrink_to_fit();
}

}  // namespace weir
