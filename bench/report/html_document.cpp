#include "bench/report/documents.h"
namespace weir {
std::string html_document(const ReportDocument&, const ReportSettings&) {
  return {};
}
}  // namespace weir
