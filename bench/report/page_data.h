// What the plots of the HTML report are drawn from, as JSON: bounded, however long the run was.
// Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "bench/report/documents.h"

namespace weir {

// The measures that have a plot, in the order of the JSON's "measures".
std::vector<MeasureRow> plotted_measures(const RunNumbers& numbers);

std::string page_data(const ReportDocument& document);

}  // namespace weir
