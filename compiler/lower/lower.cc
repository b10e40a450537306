#include "compiler/lower/lower.h"

#include <algorithm>
#include <numeric>

#include "compiler/lower/expr.h"
#include "compiler/lower/reach.h"
#include "compiler/lower/statement.h"
#include "runtime/base/result.h"
#include "runtime/bytecode/encode.h"
#include "runtime/bytecode/fields.h"

namespace dpl::lower {
namespace {

// Walks the field lists of a bundle and renumbers the file of every span.
class SpanRenumber {
 public:
  explicit SpanRenumber(const std::vector<uint32_t>& new_id) : new_id_(new_id) {}
  template <class... Xs>
  void operator()(Xs&... xs) {
    (Visit(xs), ...);
  }

 private:
  void Visit(Span& span) {
    if (span.known() && span.file < new_id_.size())
      span.file = new_id_[span.file];
    else
      span = Span{};
  }
  template <class T>
  void Visit(std::vector<T>& list) {
    if constexpr (std::is_class_v<T>) {
      for (T& item : list) Visit(item);
    }
  }
  void Visit(std::string&) {}
  template <class T>
  void Visit(T& x) {
    if constexpr (std::is_class_v<T>) fields::Fields(*this, x);
  }

  const std::vector<uint32_t>& new_id_;
};

// Sources in the order of their paths; spans and packages follow.
// `data` is not part of what is compiled: in the text that goes along for display it is blank.
std::string WithoutData(std::string text, const ast::File& file) {
  for (const auto& decl : file.decls) {
    if (decl->kind != ast::DeclKind::kData) continue;
    for (uint32_t at = decl->span.begin; at < decl->span.end && at < text.size(); ++at) {
      if (text[at] != '\n') text[at] = ' ';
    }
  }
  return text;
}

void PutSources(const SourceSet& sources, const std::vector<const ast::File*>& files,
                Program* program) {
  std::vector<uint32_t> order(sources.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return sources[a].path() < sources[b].path(); });
  std::vector<uint32_t> new_id(order.size());
  for (uint32_t i = 0; i < order.size(); ++i) {
    new_id[order[i]] = i;
    program->sources.push_back({sources[order[i]].path(), sources[order[i]].text()});
  }
  for (const ast::File* file : files) {
    if (file->file_id >= new_id.size()) continue;
    std::string& text = program->sources[new_id[file->file_id]].text;
    text = WithoutData(std::move(text), *file);
  }
  SpanRenumber renumber(new_id);
  for (uint32_t id = 1; id <= fields::kSectionCount; ++id) {
    fields::SectionFields(renumber, static_cast<fields::Section>(id), *program);
  }
  for (PackageDef& package : program->schema.packages) {
    if (package.file < new_id.size()) package.file = new_id[package.file];
  }
}

// A computed role's own code is for readers of the schema; whoever uses the role has the condition
// inlined.
void LowerRoles(Lowering* lower) {
  check::Model& model = lower->model();
  for (uint32_t r = 0; r < model.roles.size(); ++r) {
    const check::RoleModel& role = model.roles[r];
    RoleDef& def = model.schema.roles[r];
    uint32_t zone = def.package == kNone ? 0 : model.schema.packages[def.package].zone;
    if (role.where != nullptr) {
      def.where_code = lower->Expression(*role.where, kNone, zone);
    } else if (!role.where_by_type.empty()) {
      const auto& [type, condition] = *role.where_by_type.begin();
      def.where_code = lower->Expression(*condition, type, zone);
    }
  }
}

}  // namespace

Program Lower(check::Model&& model, const SourceSet& sources, PhaseTimes* times,
              std::string* bundle, bool digest) {
  Program program;
  BeginPhase(times, "lower");
  Lowering lower(&model, &program, sources);
  LowerRoles(&lower);
  LowerStatements(&lower);
  program.schema = std::move(model.schema);
  program.constants = std::move(model.constants);
  BeginPhase(times, "index");
  BuildIndex(&program);
  FillReach(&program);
  PutSources(sources, model.files, &program);
  if (digest || bundle != nullptr) {
    BeginPhase(times, "encode");
    std::string bytes = EncodeBundle(program);
    program.digest = BundleDigest(bytes);
    if (bundle != nullptr) *bundle = std::move(bytes);
  }
  EndPhase(times);
  return program;
}

}  // namespace dpl::lower
