// The field lines of a head in one pass, when nothing about them is unusual. Takes less than llhttp
// takes, never more and nothing else: what it turns down is for llhttp to judge. Pure; part of
// HeadParser, not for others.
#pragma once

#include <cstddef>
#include <string_view>

#include "lb/http/message_head.h"

namespace weir::http {

// [at, end) = what stands behind the first line of a head. The byte behind its empty line; nullptr
// = not that plain, or not all here, or more than `limit` fields: the list is then of no use.
const char* read_field_lines(const char* at, const char* end, size_t limit, FieldList* fields);

}  // namespace weir::http
