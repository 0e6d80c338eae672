// The field lines of a head in one pass, when nothing about them is unusual. Takes less than llhttp
// takes, never more and nothing else: what it turns down is for llhttp to judge. Pure; part of
// HeadParser, not for others.
#pragma once

#include <cstddef>
#include <string_view>

#include "lb/http/message_head.h"

namespace weir::http {

// `lines` = all bytes behind the first line, with the empty line at the end. False: not that plain,
// or more than `limit` fields; the list is then of no use.
bool read_field_lines(std::string_view lines, size_t limit, FieldList* fields);

}  // namespace weir::http
