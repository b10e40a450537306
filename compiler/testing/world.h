// The world of one test row: facts as the test gave them so far, the snapshot made of them, the
// state, and the time.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "compiler/ast/nodes.h"
#include "compiler/testing/values.h"
#include "runtime/base/arena.h"
#include "runtime/base/instant.h"
#include "runtime/base/result.h"
#include "runtime/bytecode/program.h"
#include "runtime/facts/snapshot.h"
#include "runtime/state/memory_store.h"

namespace dpl::testing {

class World {
 public:
  World(std::shared_ptr<const Program> program, uint32_t package);

  // Adds the data of one `given` block and rebuilds the snapshot. The error's line and column point
  // into the test.
  Status Given(const std::vector<ast::Datum>& data, const Columns& columns);
  // Takes facts and seeds in without a snapshot or a state: what `dplc facts` writes. Only persons
  // that the data mentions.
  Result<FactsInput> Collect(const std::vector<const ast::DataDecl*>& data);
  Status SetTime(const ast::Step& step);  // at …
  Status Advance(const ast::Step& step);  // advance …
  // Makes sure there is a snapshot (a test may give nothing).
  Status Ready();
  // A role or team holder nobody mentioned: added as an active member (approvers; see run.h).
  Status PresumeEligible(uint32_t approval, const std::string& person);

  const Snapshot& snapshot() const { return *snapshot_; }
  StateStore* store() { return store_.get(); }
  Arena* arena() { return arena_.get(); }
  Instant now() const { return now_; }
  bool has_time() const { return has_time_; }
  const ZoneTable& zone() const;

  // A statement of this kind by the name as written in the test: qualified, of the own package, or
  // the only one so called.
  uint32_t FindStatement(StatementKind kind, std::string_view name) const;
  std::string QualifiedStatement(StatementKind kind,
                                 std::string_view name) const;  // the name itself when unknown

 private:
  Status AddDatum(const ast::Datum& d, const Columns& columns, FactsInput* seeds);
  void PresumePersons(const ast::Expr& value);
  Status Rebuild();
  void AddNamedPersons();
  // A team or role of the test's own package goes before one of the same name elsewhere.
  std::string QualifiedGroup(bool is_role, const std::string& name) const;
  FactsInput::Person& PersonNamed(const std::string& id);
  Result<Instant> ReadDay(const ast::Literal& literal, bool end_of_day) const;

  std::shared_ptr<const Program> program_;
  uint32_t package_;
  std::shared_ptr<Arena> arena_;
  FactsInput input_;
  std::set<std::string, std::less<>> mentioned_;  // persons that a `given` named
  std::unique_ptr<Snapshot> snapshot_;
  std::unique_ptr<MemoryStore> store_;
  Instant now_{};
  bool has_time_ = false;
};

}  // namespace dpl::testing
