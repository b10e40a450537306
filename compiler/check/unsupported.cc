// Parts of the language that parse but that this version does not carry out: said at once, never
// silently ignored.
#include "compiler/check/phases.h"

namespace dpl::check {

void ReportUnsupported(Checker& c) {
  auto say = [&](const Span& span, const std::string& what) { c.Report(DPL0199, span, {what}); };
  for (FileScope& file : c.files) {
    for (const auto& decl : file.file->decls) {
      switch (decl->kind) {
        case ast::DeclKind::kPartner:
          say(decl->head_span, "`partner`");
          break;
        case ast::DeclKind::kData:
          say(decl->head_span, "`data`");
          break;
        case ast::DeclKind::kSeparate:
          if (!static_cast<const ast::SeparateDecl&>(*decl).roles.empty())
            say(decl->head_span, "`separate` by role");
          break;
        default:
          break;
      }
    }
  }
}

}  // namespace dpl::check
