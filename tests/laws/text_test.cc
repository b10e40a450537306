// Laws of the text: formatting changes no meaning and is done in one go; the order of the operands
// of `and` and `or` changes no outcome; the same inputs give the same bytes. Over generated
// policies.
#include <algorithm>

#include <gtest/gtest.h>

#include "compiler/ast/dump.h"
#include "compiler/format/format.h"
#include "compiler/syntax/parse.h"
#include "compiler/testing/compile.h"
#include "runtime/bytecode/decode.h"
#include "runtime/bytecode/encode.h"
#include "tests/laws/asked.h"

namespace dpl::laws {
namespace {

using gen::Ask;

struct Parsed {
  SourceSet sources;
  ParseResult result;
  Layout layout;
  explicit Parsed(std::string text) {
    DiagnosticSink sink;
    result = Parse(sources.Add("p.dpl", std::move(text)), &sink, &layout);
  }
  std::string Dump() const { return ast::Dump(*result.file); }
  std::string Formatted() const { return Format(sources[0], layout); }
};

// The same words with other blanks, and comments between some of them.
std::string Rumpled(const Parsed& p, gen::Rng* rng, int* comments) {
  const std::string& text = p.sources[0].text();
  std::string out;
  for (size_t t = 0; t < p.layout.tokens.size(); ++t) {
    const Layout::Token& token = p.layout.tokens[t];
    bool tight = token.tight_before || (t > 0 && p.layout.tokens[t - 1].tight_after);
    if (t > 0 && !tight) {
      if (rng->Chance(2)) {
        ++*comments;
        out += rng->Chance(50) ? " // why\n" : " /* why */ ";
      } else {
        out += rng->Of(gen::Texts{" ", " ", "\n", "\n\n\n", "\t", "  ", "\r\n"});
      }
    }
    out += text.substr(token.begin, token.end - token.begin);
  }
  return out + "\n";
}

TEST(Law, FormattingKeepsTheMeaningAndIsDoneInOneGo) {
  int comments = 0, policies = 0, asked = 0;
  ForCases(70, [&](Case& c) {
    Parsed plain(c.policy.Text());
    ASSERT_TRUE(plain.result.ok);
    std::string tree = plain.Dump(), once = plain.Formatted();
    std::string rumpled_text = Rumpled(plain, &c.rng, &comments);
    Parsed rumpled(rumpled_text);
    ASSERT_TRUE(rumpled.result.ok) << rumpled_text;
    EXPECT_EQ(rumpled.Dump(), tree);
    for (const std::string& text : {once, rumpled.Formatted()}) {
      Parsed again(text);
      ASSERT_TRUE(again.result.ok) << text;
      EXPECT_EQ(again.Dump(), tree);       // parse(format(p)) = p
      EXPECT_EQ(again.Formatted(), text);  // format(format(p)) = format(p)
    }
    EXPECT_EQ(Parsed(rumpled.Formatted()).layout.comments.size(), rumpled.layout.comments.size());
    ++policies;
    // And the engine sees no difference.
    std::vector<gen::CompileError> errors;
    std::unique_ptr<gen::Compiled> compiled = gen::CompileText(once, &errors);
    ASSERT_NE(compiled, nullptr) << once;
    Engine before(c, c.compiled->program), after(c, compiled->program);
    for (size_t a = 0; a < 20; ++a, ++asked)
      EXPECT_EQ(before.Put(c.asks[a], c.Now()), after.Put(c.asks[a], c.Now()));
  });
  EXPECT_EQ(policies, 70);
  EXPECT_GT(comments, 300);
  EXPECT_GT(asked, 1'000);
}

// ---------------------------------------------------------------- closing rule 12

bool AsksWhatIsKnown(const ast::Expr& e) {
  return e.kind == ast::ExprKind::kIsKnown || e.kind == ast::ExprKind::kIsNotKnown ||
         std::any_of(e.args.begin(), e.args.end(),
                     [](const ast::ExprPtr& arg) { return AsksWhatIsKnown(*arg); });
}
// An `is known` stands before what it guards, so it keeps its place.
void Swap(ast::Expr* e, gen::Rng* rng, int* swaps) {
  if (e == nullptr) return;
  if ((e->kind == ast::ExprKind::kAnd || e->kind == ast::ExprKind::kOr) &&
      !AsksWhatIsKnown(*e->args[0]) && rng->Chance(80)) {
    std::swap(e->args[0], e->args[1]);
    ++*swaps;
  }
  for (const ast::ExprPtr& arg : e->args) Swap(arg.get(), rng, swaps);
}

// Every condition of every statement.
void SwapAll(ast::File* file, gen::Rng* rng, int* swaps) {
  auto may = [&](const std::vector<ast::MayClause>& clauses) {
    for (const ast::MayClause& m : clauses) Swap(m.on.where.get(), rng, swaps);
  };
  auto covers = [&](const std::vector<ast::CoversClause>& clauses) {
    for (const ast::CoversClause& c : clauses) Swap(c.what.on.where.get(), rng, swaps);
  };
  for (const std::unique_ptr<ast::Decl>& d : file->decls) {
    if (auto* grant = dynamic_cast<ast::GrantDecl*>(d.get())) {
      for (const ast::GrantRow& row : grant->rows) may(row.may);
    } else if (auto* limit = dynamic_cast<ast::LimitDecl*>(d.get())) {
      covers(limit->covers);
    } else if (auto* forbid = dynamic_cast<ast::ForbidDecl*>(d.get())) {
      covers(forbid->covers);
      Swap(forbid->unless.get(), rng, swaps);
    } else if (auto* agent = dynamic_cast<ast::AgentDecl*>(d.get())) {
      may(agent->may);
    } else if (auto* delegation = dynamic_cast<ast::DelegationDecl*>(d.get())) {
      may(delegation->may);
    } else if (auto* task = dynamic_cast<ast::TaskDecl*>(d.get())) {
      may(task->may);
    } else if (auto* separate = dynamic_cast<ast::SeparateDecl*>(d.get())) {
      for (const ast::SeparateDecl::Side& side : separate->sides)
        Swap(side.what.on.where.get(), rng, swaps);
    } else if (auto* role = dynamic_cast<ast::RoleDecl*>(d.get())) {
      Swap(role->where.get(), rng, swaps);
    }
  }
}

TEST(ClosingRule, R12_TheOrderOfOperandsChangesNoOutcome) {
  int swaps = 0, permits = 0;
  ForCases(120, [&](Case& c) {
    std::vector<gen::CompileError> errors;
    std::unique_ptr<gen::Compiled> swapped = gen::CompileText(
        c.policy.Text(), &errors, [&](ast::File* file) { SwapAll(file, &c.rng, &swaps); });
    ASSERT_NE(swapped, nullptr) << errors[0].text;
    Engine one(c, c.compiled->program), two(c, swapped->program);
    for (const Ask& ask : c.asks) {
      Answer a = one.Put(ask, c.Now()), b = two.Put(ask, c.Now());
      permits += a.permits;
      EXPECT_EQ(a, b) << Describe(ask) << ReasonCode(a.reason) << " " << ReasonCode(b.reason);
    }
  });
  EXPECT_GT(swaps, 150);
  EXPECT_GT(permits, 500);
}

// ---------------------------------------------------------------- same inputs, same bytes

// A program of several files, in this order.
std::shared_ptr<const Program> Build(
    const std::vector<std::pair<std::string, std::string>>& files) {
  ::dpl::testing::Compilation c;
  for (const auto& [path, text] : files) c.sources.Add(path, text);
  return ::dpl::testing::Compile({}, &c) ? c.program : nullptr;
}

TEST(Law, TheSamePolicyGivesTheSameBundle) {
  int policies = 0;
  ForCases(60, [&](Case& c) {
    std::string text = c.policy.Text();
    std::shared_ptr<const Program> once = Build({{"p.dpl", text}}),
                                   again = Build({{"p.dpl", text}});
    ASSERT_NE(once, nullptr);
    ASSERT_NE(again, nullptr);
    std::string bytes = EncodeBundle(*once);
    EXPECT_EQ(bytes, EncodeBundle(*again));
    // And through a bundle and back.
    Result<Program> loaded = DecodeBundle(bytes);
    ASSERT_TRUE(loaded.ok());
    EXPECT_EQ(EncodeBundle(*loaded), bytes);
    ++policies;
  });
  EXPECT_EQ(policies, 60);
}

TEST(Law, TheOrderOfTheFilesChangesNoDecision) {
  int policies = 0, permits = 0;
  ForCases(60, [&](Case& c) {
    // The schema in one file, the statements in two others.
    std::vector<std::pair<std::string, std::string>> files = {
        {"a.dpl", ""}, {"b.dpl", ""}, {"c.dpl", ""}};
    for (const std::string& part : c.policy.head) files[0].second += part;
    for (size_t f : {1, 2}) files[f].second = c.policy.head[0];
    for (const std::string& block : c.policy.blocks)
      files[static_cast<size_t>(c.rng.Between(1, 2))].second += block;
    std::shared_ptr<const Program> one = Build(files);
    std::reverse(files.begin(), files.end());
    std::shared_ptr<const Program> two = Build(files);
    ASSERT_NE(one, nullptr);
    ASSERT_NE(two, nullptr);
    ++policies;
    Engine forth(c, one), back(c, two);
    for (const Ask& ask : c.asks) {
      Answer a = forth.Put(ask, c.Now());
      permits += a.permits;
      EXPECT_EQ(a, back.Put(ask, c.Now())) << Describe(ask);
    }
  });
  EXPECT_EQ(policies, 60);
  EXPECT_GT(permits, 300);
}

TEST(Law, TheSameQuestionGivesTheSameBytes) {
  int asked = 0;
  ForCases(40, [&](Case& c) {
    // Two engines of two compilations, two snapshots, two stores.
    std::vector<gen::CompileError> errors;
    std::unique_ptr<gen::Compiled> again = gen::CompileText(c.policy.Text(), &errors);
    ASSERT_NE(again, nullptr);
    Engine one(c, c.compiled->program), two(c, again->program);
    for (size_t a = 0; a < c.asks.size(); a += 2, ++asked) {
      std::string bytes = one.Json(c.asks[a], c.Now());
      EXPECT_FALSE(bytes.empty());
      EXPECT_EQ(bytes, two.Json(c.asks[a], c.Now())) << Describe(c.asks[a]);
      EXPECT_EQ(bytes, one.Json(c.asks[a], c.Now())) << Describe(c.asks[a]);
    }
  });
  EXPECT_GT(asked, 1'000);
}

}  // namespace
}  // namespace dpl::laws
