#include "bench/mock/request_parser.h"

#include <algorithm>

namespace weir {
namespace {

constexpr int kStop = -1;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

void lower_all(std::string& text) {
  std::ranges::transform(text, text.begin(), lower);
}

bool contains_token(std::string_view list, std::string_view token) {
  return std::ranges::search(list, token, {}, lower).begin() != list.end();
}

}  // namespace

std::string_view MockRequest::path() const {
  std::string_view rest = target;
  const size_t scheme = rest.find("://");
  if (!rest.starts_with('/') && scheme != std::string_view::npos) {
    const size_t slash = rest.find('/', scheme + 3);
    rest = slash == std::string_view::npos ? std::string_view("/") : rest.substr(slash);
  }
  return rest.substr(0, rest.find('?'));
}

MockRequestParser::MockRequestParser() {
  llhttp_init(&parser_, HTTP_REQUEST, &settings());
  parser_.data = this;
}

const llhttp_settings_t& MockRequestParser::settings() {
  static const llhttp_settings_t kSettings = [] {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_message_begin = &on_begin;
    settings.on_method = &on_method;
    settings.on_url = &on_url;
    settings.on_header_field = &on_field;
    settings.on_header_value = &on_value;
    settings.on_header_value_complete = &on_value_complete;
    settings.on_headers_complete = &on_head_complete;
    settings.on_body = &on_body;
    settings.on_message_complete = &on_complete;
    return settings;
  }();
  return kSettings;
}

MockRequestParser::Status MockRequestParser::feed(std::string_view& bytes) {
  for (;;) {
    const llhttp_errno_t error = llhttp_execute(&parser_, bytes.data(), bytes.size());
    if (error == HPE_OK) {
      bytes = {};
      return Status::incomplete;
    }
    if (error != HPE_PAUSED && error != HPE_PAUSED_UPGRADE) {
      bytes = {};
      return is_too_large_ ? Status::too_large : Status::bad;
    }
    bytes.remove_prefix(static_cast<size_t>(llhttp_get_error_pos(&parser_) - bytes.data()));
    if (error == HPE_PAUSED) {
      llhttp_resume(&parser_);
      return Status::complete;
    }
    // The request was handed over already. uvicorn ignores an upgrade that it does not know: what
    // follows is HTTP again.
    llhttp_resume_after_upgrade(&parser_);
  }
}

bool MockRequestParser::take_continue() {
  const bool expects = expects_continue_ && !is_in_head_;
  if (expects) expects_continue_ = false;
  return expects;
}

MockRequestParser& MockRequestParser::self(llhttp_t* parser) {
  return *static_cast<MockRequestParser*>(parser->data);
}

int MockRequestParser::on_begin(llhttp_t* parser) {
  MockRequestParser& me = self(parser);
  me.request_ = MockRequest();
  me.field_.clear();
  me.value_.clear();
  me.head_bytes_ = 0;
  me.has_begun_ = true;
  me.is_in_head_ = true;
  me.expects_continue_ = false;
  return 0;
}

bool MockRequestParser::count_head(size_t length) {
  head_bytes_ += length;
  return head_bytes_ <= kMostHead;
}

int MockRequestParser::on_method(llhttp_t* parser, const char* at, size_t length) {
  self(parser).request_.method.append(at, length);
  return 0;
}

int MockRequestParser::on_url(llhttp_t* parser, const char* at, size_t length) {
  MockRequest& request = self(parser).request_;
  request.target.append(at, length);
  return request.target.size() <= kMostTarget ? 0 : kStop;
}

int MockRequestParser::on_field(llhttp_t* parser, const char* at, size_t length) {
  MockRequestParser& me = self(parser);
  me.field_.append(at, length);
  return me.count_head(length) ? 0 : kStop;
}

int MockRequestParser::on_value(llhttp_t* parser, const char* at, size_t length) {
  MockRequestParser& me = self(parser);
  me.value_.append(at, length);
  return me.count_head(length) ? 0 : kStop;
}

int MockRequestParser::on_value_complete(llhttp_t* parser) {
  MockRequestParser& me = self(parser);
  lower_all(me.field_);
  if (me.is_in_head_) me.take_header();
  me.field_.clear();
  me.value_.clear();
  return 0;
}

void MockRequestParser::take_header() {
  if (field_ == "host" && request_.host.empty()) request_.host = value_;
  if (field_ == "content-type") request_.content_type = value_;
  if (field_ == "authorization") request_.authorization = value_;
  if (field_ == "x-request-id") request_.request_id = value_;
  if (field_ == "x-mock-fault") request_.fault = value_;
  if (field_ == "expect") expects_continue_ = contains_token(value_, "100-continue");
  if (field_ == "upgrade") request_.is_websocket = contains_token(value_, "websocket");
}

int MockRequestParser::on_head_complete(llhttp_t* parser) {
  MockRequestParser& me = self(parser);
  me.is_in_head_ = false;
  // HTTP/1.0 is always closed, whatever it asks for.
  const bool is_old =
      parser->http_major == 0 || (parser->http_major == 1 && parser->http_minor == 0);
  me.request_.should_close = is_old || llhttp_should_keep_alive(parser) == 0;
  return 0;
}

int MockRequestParser::on_body(llhttp_t* parser, const char* at, size_t length) {
  MockRequestParser& me = self(parser);
  if (me.request_.body.size() + length > kMostBody) {
    me.is_too_large_ = true;
    return kStop;
  }
  me.request_.body.append(at, length);
  return 0;
}

int MockRequestParser::on_complete(llhttp_t* parser) {
  self(parser).has_begun_ = false;
  return HPE_PAUSED;
}

}  // namespace weir
