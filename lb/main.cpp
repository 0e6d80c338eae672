#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "lb/cli/run.h"

int main(int argc, char** argv) {
  try {
    return weir::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "weir: error: %s\n", problem.what());
  } catch (...) {
    std::fprintf(stderr, "weir: error: something that is no std::exception was thrown\n");
  }
  return 1;
}
