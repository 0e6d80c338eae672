// The report of `weir bench`: told of runs by the engine, it prints, writes files and judges. Main
// thread.
#pragma once

#include <memory>

#include "weir/result.h"

#include "bench/record/run_sink.h"

namespace weir {

// Or what is wrong with the options: a condition that cannot be read, a folder that is not there.
// Makes the folder of --out; writes nothing else before finish().
Result<std::unique_ptr<RunSink>, Problem> make_report(const ReportOptions& options);

}  // namespace weir
