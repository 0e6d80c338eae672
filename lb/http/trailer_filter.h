// Which trailer fields of an answer pass: not those that say how a message is framed, routed,
// guarded, cached or read (RFC 9110 6.5.1), nor those that are ours. Pure; the lines have been
// checked by BodyReader, which bounds them too.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lb/http/head_rewriter.h"

namespace weir::http {

bool may_be_trailer(std::string_view name, std::span<const HeaderRule> rules);

// `piece`: trailer lines in any pieces. Appends to `out` the lines that end in it and may pass, and
// keeps in `unfinished` what belongs to the next piece.
void filter_trailers(std::string_view piece, std::span<const HeaderRule> rules,
                     std::string* unfinished, std::string* out);

}  // namespace weir::http
