// What tests exercised of a policy set: every grant, may, condition (both ways), limit (under, at
// and over its cap), forbid, ceiling, delegation, task, approval, separation …
//
//   Coverage coverage(&compilation);
//   options.observer = &coverage;                      // run.h
//   RunTests(coverage.program(), …);
//   coverage.covered(), coverage.points(), coverage.items()
//
// Collected by watching the decisions of the real engine (DecisionObserver), and only what settled
// an outcome counts: what a denial evaluates afterwards for its report exercised nothing. One
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/testing/compile.h"
#include "runtime/decide/engine.h"

namespace dpl::testing {

enum class CoverageKind : uint8_t {
  kStatement,
  kRow,
  kMay,
  kCovers,
  kScope,
  kCondition,
  kPart,
  kLimit,
  kTier
};

// One thing that tests should have seen happen.
struct CoveragePoint {
  std::string name;     // "permitted", "true", "false", "at": stable, for machines
  std::string missing;  // "never permitted anything": what to tell when it did not happen
  uint64_t hits = 0;
};
struct CoverageItem {
  CoverageKind kind = CoverageKind::kStatement;
  StatementKind of = StatementKind::kGrant;
  uint32_t statement = kNone;
  std::string name;   // the statement, qualified
  std::string label;  // "grant acme.spend.band_one", "may approve", "where amount < 5"
  Span span;          // file ids of the compilation's SourceSet
  std::vector<CoveragePoint> points;
  uint64_t unknown =
      0;  // conditions and limits: how often it could not be told (⊥); asked of nobody
  bool Covered() const;
};

std::string_view CoverageKindName(CoverageKind kind);  // "statement", "may", "condition" …
std::string_view StatementWord(StatementKind kind);    // "grant", "limit", "break_glass"

class Coverage : public DecisionObserver {
 public:
  // The compilation must have a program; it is read while this lives.
  explicit Coverage(Compilation* c);

  // The same policy set with the parts of its conditions as code: run the tests on this one.
  const std::shared_ptr<const Program>& program() const { return program_; }
  const std::vector<CoverageItem>& items() const { return items_; }
  size_t points() const;
  size_t covered() const;
  // Tenths of a percent, rounded down, so that 100.0 means everything.
  uint32_t Permille() const;
  // "87.5 %"
  std::string Percent() const;

  // After each Decide that this observed.
  void OnDecision(const Decision& d);
  // Statements that were looked at since the last call: which test concerns what (mutate.h).
  std::vector<bool> TakeTouched();

  void OnClause(uint32_t clause, Truth subject, Truth scope, Truth where) override;
  void OnLimit(const LimitLine& line) override;
  std::span<const uint32_t> OnCondition(uint32_t code, Truth truth) override;
  void OnPart(uint32_t code, Truth truth) override;
  void OnSettled(Reason reason) override;

 private:
  struct Whole {  // a condition and its parts
    uint32_t item = kNone;
    std::vector<uint32_t> codes, part_items;
  };
  struct Matched {
    uint32_t clause;
    bool full;  // T, not just ⊥
  };
  void AddStatement(const Compilation& c, uint32_t s);
  void AddClauses(const Compilation& c, uint32_t s);
  void AddLimits(const Compilation& c, uint32_t s);
  uint32_t Add(CoverageKind kind, uint32_t statement, std::string label, const Span& span,
               std::vector<CoveragePoint> points);
  uint32_t AddCondition(const Compilation& c, uint32_t s, const char* word, const ast::Expr& expr,
                        bool forbid_unless);
  void Hit(uint32_t item, size_t point);
  void EndCondition();

  std::shared_ptr<const Program> program_;
  std::vector<CoverageItem> items_;
  std::vector<uint32_t> statement_items_;  // by statement
  std::vector<std::map<uint32_t, std::vector<uint32_t>>>
      clause_items_;                               // by clause: action (kNone: any) → items
  std::vector<uint32_t> scope_items_;              // by clause
  std::vector<uint32_t> row_items_;                // by clause
  std::map<uint32_t, Whole> conditions_;           // by code
  std::vector<uint32_t> limit_items_;              // by limit
  std::vector<std::vector<uint32_t>> tier_items_;  // by limit
  std::map<std::pair<uint32_t, uint32_t>, uint32_t>
      by_span_;  // condition items by statement and place

  // the decision being watched
  bool settled_ = false;
  std::vector<Matched> matched_;
  std::vector<LimitLine> lines_;
  const Whole* asked_ = nullptr;
  std::vector<Truth> parts_;
  std::vector<bool> touched_;
};

}  // namespace dpl::testing
