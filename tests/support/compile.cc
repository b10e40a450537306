// Generated text to a model and a program; see compile.h.
#include "tests/support/compile.h"

#include <algorithm>
#include <set>

#include "compiler/lower/lower.h"
#include "compiler/syntax/parse.h"

namespace dpl::gen {

Texts Compiled::Names(StatementKind kind) const {
  Texts out;
  for (const check::StatementModel& s : model.statements) {
    if (s.kind == kind) out.push_back(s.name);
  }
  return out;
}

std::unique_ptr<Compiled> CompileText(const std::string& text, std::vector<CompileError>* errors,
                                      const std::function<void(ast::File*)>& edit) {
  auto c = std::make_unique<Compiled>();
  DiagnosticSink sink;
  c->sources.Add("generated.dpl", text);
  ParseResult parsed = Parse(c->sources[0], &sink);
  if (parsed.ok && edit) edit(parsed.file.get());
  c->files.push_back(std::move(parsed.file));
  check::Model model;
  bool ok = parsed.ok && check::Check(c->files, c->sources, {}, &sink, &model);
  if (!ok || sink.HasErrors()) {
    for (const Diagnostic& d : sink.Sorted()) {
      if (d.severity == Severity::Error)
        errors->push_back({d.span.line, CodeText(d.code) + " " + d.message});
    }
    return nullptr;
  }
  c->model.schema = model.schema;
  c->model.constants = model.constants;
  c->model.statements = model.statements;
  c->model.roles = model.roles;
  c->model.files = model.files;
  c->owned = std::move(model.owned);
  Program program = lower::Lower(std::move(model), c->sources);
  BuildIndex(&program, 2);
  c->program = std::make_shared<const Program>(std::move(program));
  return c;
}

std::unique_ptr<Compiled> CompilePolicy(PolicyText* policy, std::map<std::string, int>* refused) {
  for (int round = 0; round < 8; ++round) {
    std::vector<CompileError> errors;
    std::unique_ptr<Compiled> c = CompileText(policy->Text(), &errors);
    if (c != nullptr) return c;
    auto lines_of = [](const std::string& s) {
      return static_cast<uint32_t>(std::count(s.begin(), s.end(), '\n'));
    };
    uint32_t line = 1;
    for (const std::string& part : policy->head) line += lines_of(part);
    std::vector<std::string> kept;
    for (const std::string& block : policy->blocks) {
      uint32_t end = line + lines_of(block);
      bool bad = std::any_of(errors.begin(), errors.end(),
                             [&](const CompileError& e) { return e.line >= line && e.line < end; });
      if (!bad) kept.push_back(block);
      line = end;
    }
    for (const CompileError& e : errors) ++(*refused)[e.text.substr(0, 70)];
    if (kept.size() == policy->blocks.size()) {
      ++(*refused)["schema: " + errors[0].text];
      return nullptr;
    }
    policy->blocks = std::move(kept);
  }
  return nullptr;
}

}  // namespace dpl::gen
