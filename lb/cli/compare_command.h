// `weir compare A B`: two results of `weir bench` held against each other. Main thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lb/cli/flag_row.h"

namespace weir {

// As typed.
struct CompareFlags {
  std::vector<std::string> files;  // A and B
  std::string threshold;
  std::string confidence;
  std::string seed;
  bool json = false;
  bool anyway = false;
};

std::span<const FlagRow<CompareFlags>> compare_flag_rows();

// 0 = the same, better, or one cannot tell; 2 = a file cannot be read or the workloads differ; 3 =
// worse; 4 = a run was not trusted.
int run_compare(const CompareFlags& flags);

}  // namespace weir
