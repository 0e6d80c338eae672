// What people type behind --at of `weir bench`, made into the two words that the option takes: a
// time and an action. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "weir/result.h"

namespace weir {

// --at 30s drain n01-0, --at '30s drain n01-0' and --at=30s 'drain n01-0' all become
// --at 30s 'drain n01-0'. Or what is wrong with one of them: an action without its backend, a
// command that is not quoted. Whether the time and the action are good is asked later.
Result<std::vector<std::string>, Problem> join_actions(std::vector<std::string> words);

}  // namespace weir
