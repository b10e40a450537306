# Writes OUTPUT, a .cc that carries repository files (`explain` pages, the starting policy) inside dplc.
# cmake -DROOT=... -DOUTPUT=... -P embed.cmake ; a file larger than a string literal may be is a build error by itself.
file(GLOB files RELATIVE ${ROOT} ${ROOT}/docs/diagnostics/*.md ${ROOT}/policies/quickstart/policy.dpl
     ${ROOT}/policies/quickstart/facts.json)
list(SORT files)
set(rows "")
foreach(path IN LISTS files)
  file(READ ${ROOT}/${path} text)
  string(APPEND rows "    {\"${path}\",\n     R\"DPLFILE(${text})DPLFILE\"},\n")
endforeach()
file(WRITE ${OUTPUT}.new "// Made by compiler/dplc/embed.cmake.
#include \"compiler/dplc/embedded.h\"

namespace dpl::dplc {
namespace {
struct Row {
  std::string_view path, text;
};
constexpr Row kRows[] = {
${rows}    {\"\", \"\"},
};
}  // namespace

std::string_view EmbeddedFile(std::string_view path) {
  for (const Row& row : kRows) {
    if (row.path == path) return row.text;
  }
  return {};
}

}  // namespace dpl::dplc
")
file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
