// What one run of Check() shares between the files of this room: the model being built, the
// symbols, the basic types, and how things are reported. Internal to compiler/check.
//
// The phases are free functions over this struct, declared in phases.h and run in order by
// check.cc.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "compiler/check/check.h"
#include "compiler/diag/sink.h"
#include "runtime/base/near_name.h"

namespace dpl::check {

// What a name can name. Each kind is a name space of its own, but all statements of a package share
// one (a decision names a statement by its qualified name alone), and so do the words an expression
// can say (const, enum, calendar, function).
enum class SymbolKind : uint8_t {
  kConst,
  kEnum,
  kFunction,
  kCalendar,
  kTeam,
  kRole,
  kSystem,
  kResource,
  kActivity,
  kGrant,
  kLimit,
  kForbid,
  kAgent,
  kDelegation,
  kTask,
  kApproval,
  kObligation,
  kSeparate,
  kBreakGlass,
  kPartner,
};
constexpr int kSymbolKinds = 20;
const char* KindWord(SymbolKind kind);  // "team", "system", …

struct FileScope;

struct Symbol {
  SymbolKind kind = SymbolKind::kConst;
  ast::Decl* decl = nullptr;
  FileScope* file = nullptr;
  uint32_t package = kNone;
  std::string name;            // short; resources: "system.Type"
  std::string qualified;       // package and name; systems and resources: as `name`
  uint32_t index = kNone;      // into the schema's vector; statements: position among their kind
  uint32_t statement = kNone;  // statements: position in Model::statements
};

// A file and what it can see.
struct FileScope {
  struct Use {
    const ast::Import* import = nullptr;
    uint32_t package = kNone;
    bool used = false;
  };
  ast::File* file = nullptr;
  uint32_t package = kNone;
  std::vector<Use> imports;
  bool in_test = false;  // tests may name things of packages their file does not import
};

struct Package {
  std::string name;
  std::vector<FileScope*> files;
  Span owner_span;  // of the `owned by` that counts; unknown: nobody owns it
  uint32_t owner_team = kNone;
  uint32_t zone = kNone;  // Schema::zones, after the imports had their say
  bool requires_ticket = false, requires_approval = false;
  std::array<std::map<std::string, Symbol*, std::less<>>, kSymbolKinds> names;
};

// Where the owner of a type was written, for messages and for DPL0401/0402.
struct TypeOwner {
  bool own_clause = false, owner_of = false, from_system = false;
  Span span;
};

// A parameter of a function, and what is known of a function once its declaration was checked.
struct FunctionParam {
  std::string name;
  TypeId type = kNone;
};
struct FunctionInfo {
  bool busy = false, done = false, ok = false;
  std::vector<FunctionParam> params;
  TypeId result = kNone;
  uint64_t size = 0;          // operations, with what it calls written out
  std::vector<bool> used;     // parallel to params
  Span person, now, context;  // where it reads each of these; unknown: it does not
};

struct Checker {
  Checker(const SourceSet& source_set, const CheckOptions& check_options, DiagnosticSink* the_sink,
          Model* the_model)
      : sources(source_set), options(check_options), sink(the_sink), model(*the_model) {}

  const SourceSet& sources;
  const CheckOptions& options;
  DiagnosticSink* sink;
  Model& model;

  std::deque<FileScope> files;    // in the order of Model::files
  std::deque<Symbol> symbols;     // in that order too
  std::vector<Package> packages;  // parallel to Schema::packages
  std::map<std::string, uint32_t, std::less<>> package_ids;
  std::map<std::string, Symbol*, std::less<>> systems, resources;  // of the whole set, by name
  std::vector<Symbol*> resource_symbols, activity_symbols, role_symbols,
      team_symbols;                                            // by schema index
  std::vector<Symbol*> statement_symbols;                      // by Model::statements
  std::array<std::vector<uint32_t>, kStatementKinds> by_kind;  // statements of a kind, by ordinal
  std::vector<TypeOwner> type_owners;                          // by resource
  struct Folded {
    bool busy = false, done = false;
    uint32_t value = kNone;
  };
  std::map<const Symbol*, Folded> folded;                     // constants whose value is known
  std::vector<std::unique_ptr<FunctionInfo>> function_infos;  // by Symbol::index
  // Attributes and parameters whose type could not be read, by resource (or one of the two below):
  // their uses are no news.
  static constexpr uint32_t kPersonAttributes = kNone - 1, kContextAttributes = kNone - 2;
  std::set<std::pair<uint32_t, std::string>> broken;
  bool Broken(uint32_t owner, const std::string& name) const {
    return broken.contains({owner, name});
  }
  // A declaration was not read whole: what nothing names or gives may be named or given there.
  bool any_incomplete = false;
  uint32_t person_package = kNone;
  std::set<uint32_t> context_packages;
  size_t pair_comparisons = 0;  // of limits that might contradict each other

  // ---- the types without names, interned once
  TypeId t_bool = 0, t_int = 0, t_decimal = 0, t_money = 0, t_string = 0, t_date = 0,
         t_datetime = 0, t_time = 0, t_duration = 0, t_path = 0, t_ip = 0, t_labels = 0,
         t_person = 0, t_agent = 0, t_team = 0, t_role = 0, t_task = 0;

  // ---- reporting: the same code at the same place is said once, so that one cause makes one
  // message
  DiagnosticRef Report(DiagCode code, const Span& span, std::vector<std::string> args = {});
  DiagnosticRef ReportText(DiagCode code, const Span& span, std::string message);
  DiagnosticRef ReportAs(Severity severity, DiagCode code, const Span& span, std::string message);
  bool AlreadySaid(DiagCode code, const Span& span)
      const;  // not for DPL0104: a declaration may lack several clauses

  // ---- small services
  std::string_view Text(Str s) const { return model.schema.Text(s); }
  std::string_view SourceText(const Span& span) const;
  // The span, or the whole of its lines when nothing else stands on them: what to take out with it.
  Span LineOf(const Span& span) const;
  std::string Place(const Span& span) const;  // "policies/spend.dpl:18:3"
  const TypeDef& Type(TypeId id) const { return model.schema.types[id]; }
  TypeId ResourceType(uint32_t resource) {
    return model.AddType({TypeKind::kResource, resource, false});
  }
  std::string ResourceName(uint32_t resource) const {
    return std::string(Text(model.schema.resources[resource].name));
  }
  StatementModel& StatementOf(const Symbol& s) { return model.statements[s.statement]; }
  const StatementModel& Agent(uint32_t ordinal) const {
    return model.statements[by_kind[static_cast<size_t>(StatementKind::kAgent)][ordinal]];
  }
  std::string OwnerText(
      const OwnerDef& owner) const;  // "team acme.base.finance", "person \"E1\"", "nobody"
  // A person by id; one that no directory could hold is reported at `span`.
  uint32_t PersonConstant(std::string_view id, const Span& span);
  uint32_t ResourceConstant(uint32_t resource, std::string_view id);

 private:
  DiagnosticRef Say(Severity severity, DiagCode code, const Span& span, std::string message);
  std::set<std::tuple<DiagCode, uint32_t, uint32_t, uint32_t, std::string>> said_;
  Diagnostic repeated_;  // takes the labels of what was already said
};

// Backticks round the user's words.
std::string Quoted(std::string_view text);
// "a, b and c"
std::string Listed(const std::vector<std::string>& items);

}  // namespace dpl::check
