#include "lb/http/message_head.h"

#include "lb/http/ascii.h"

namespace weir::http {

std::string_view to_string(Method method) noexcept {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::del:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
    case Method::patch:
      return "PATCH";
    case Method::trace:
      return "TRACE";
    case Method::connect:
      return "CONNECT";
  }
  return "";
}

bool is_idempotent(Method method) noexcept {
  return method != Method::post && method != Method::patch && method != Method::connect;
}

bool FieldList::add(Field field) {
  if (count_ == fields_.size()) return false;
  fields_[count_++] = field;
  return true;
}

std::optional<std::string_view> FieldList::find(std::string_view name) const {
  for (const Field& field : all()) {
    if (equals_without_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> FieldList::find(FieldName id) const {
  for (const Field& field : all()) {
    if (field.id == id) return field.value;
  }
  return std::nullopt;
}

}  // namespace weir::http
