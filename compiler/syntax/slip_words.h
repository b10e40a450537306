// Words that begin a clause in one kind of block and are called otherwise in another. Internal to
// this room.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "DplParser.h"

namespace dpl::syntax {

// A word of one kind of block that is called otherwise there.
struct Otherwise {
  size_t clause_rule;  // 0: anywhere
  std::string_view word, meant, why;
};
inline constexpr std::array kOtherwise = {
    Otherwise{DplParser::RuleGrantClause, "can", "may", "what is granted is said by `may`"},
    Otherwise{DplParser::RuleGrantClause, "covers", "may", "what is granted is said by `may`"},
    Otherwise{DplParser::RuleGrantClause, "allow", "may", "what is granted is said by `may`"},
    Otherwise{DplParser::RuleGrantClause, "allows", "may", "what is granted is said by `may`"},
    Otherwise{DplParser::RuleGrantClause, "permit", "may", "what is granted is said by `may`"},
    Otherwise{DplParser::RuleGrantClause, "actions", "may", "what is granted is said by `may`"},
    Otherwise{DplParser::RuleGrantClause, "cap", "limit", "inside a grant, a cap is a `limit`"},
    Otherwise{DplParser::RuleGrantClause, "for", "to", "whom it is for is said by `to`"},
    Otherwise{DplParser::RuleGrantClause, "who", "to", "whom it is for is said by `to`"},
    Otherwise{DplParser::RuleGrantClause, "from", "to", "whom it is for is said by `to`"},
    Otherwise{DplParser::RuleAgentClause, "can", "may",
              "what an agent can do at most is said by `may`"},
    Otherwise{DplParser::RuleAgentClause, "covers", "may",
              "what an agent can do at most is said by `may`"},
    Otherwise{DplParser::RuleAgentClause, "mode", "modes", "an agent lists its `modes`"},
    Otherwise{DplParser::RuleAgentClause, "lasts", "lives",
              "how long an agent's run lives is `lives at most`"},
    Otherwise{DplParser::RuleAgentClause, "responsible", "accountable",
              "who answers for an agent is its `accountable` person"},
    Otherwise{DplParser::RuleDelegationClause, "can", "may", "what is lent is said by `may`"},
    Otherwise{DplParser::RuleDelegationClause, "covers", "may", "what is lent is said by `may`"},
    Otherwise{DplParser::RuleDelegationClause, "modes", "mode", "a delegation has one `mode`"},
    Otherwise{DplParser::RuleDelegationClause, "lives", "lasts",
              "how long a delegation holds is `lasts at most`"},
    Otherwise{DplParser::RuleTaskClause, "can", "may", "what belongs to a task is said by `may`"},
    Otherwise{DplParser::RuleTaskClause, "lives", "lasts",
              "how long a task is open is `lasts at most`"},
    Otherwise{DplParser::RuleForbidClause, "may", "covers", "what it reaches is said by `covers`"},
    Otherwise{DplParser::RuleForbidClause, "except", "unless",
              "what lifts a forbid is said by `unless`"},
    Otherwise{DplParser::RuleForbidClause, "to", "applies to",
              "whom it concerns is said by `applies to`"},
    Otherwise{DplParser::RuleForbidClause, "for", "applies to",
              "whom it concerns is said by `applies to`"},
    Otherwise{DplParser::RuleLimitDeclClause, "may", "covers",
              "what it reaches is said by `covers`"},
    Otherwise{DplParser::RuleLimitDeclClause, "limit", "cap",
              "in a block of its own, a limit is a `cap`"},
    Otherwise{DplParser::RuleLimitDeclClause, "to", "applies to",
              "whom it concerns is said by `applies to`"},
    Otherwise{DplParser::RuleLimitDeclClause, "for", "applies to",
              "whom it concerns is said by `applies to`"},
    Otherwise{DplParser::RuleObligationClause, "may", "covers",
              "what it reaches is said by `covers`"},
    Otherwise{DplParser::RuleObligationClause, "to", "applies to",
              "whom it concerns is said by `applies to`"},
    Otherwise{DplParser::RuleResourceClause, "may", "can",
              "what can be done with it is said by `can`"},
    Otherwise{DplParser::RuleResourceClause, "action", "can",
              "what can be done with it is said by `can`"},
    Otherwise{DplParser::RuleResourceClause, "actions", "can",
              "what can be done with it is said by `can`"},
    Otherwise{DplParser::RuleResourceClause, "operations", "can",
              "what can be done with it is said by `can`"},
    Otherwise{DplParser::RuleResourceClause, "attribute", "has",
              "an attribute is declared by `has`"},
    Otherwise{DplParser::RuleResourceClause, "property", "has",
              "an attribute is declared by `has`"},
    Otherwise{DplParser::RuleResourceClause, "parent", "within", "its parent is said by `within`"},
    Otherwise{DplParser::RuleResourceClause, "id", "key", "its id is declared by `key id: string`"},
    Otherwise{DplParser::RulePersonClause, "attribute", "has", "an attribute is declared by `has`"},
    Otherwise{DplParser::RuleTeamClause, "in", "within",
              "the team above it is said by `within team`"},
    Otherwise{DplParser::RuleRoleClause, "when", "where", "a computed role says `where`"},
    Otherwise{DplParser::RuleApprovalClause, "never_by", "never by", "it is two words"},
    Otherwise{0, "reason", "because", "the reason of a statement is its `because`"},
    Otherwise{0, "why", "because", "the reason of a statement is its `because`"},
    Otherwise{0, "until", "expires", "the day it ends is said by `expires`"},
};

}  // namespace dpl::syntax
