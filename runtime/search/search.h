// Who may do this, what may be reached, what may be done: lists of everything a question would be
// permitted for, page by page.
//
//   SearchQuery query;                     // the question, with the searched part left empty
//   query.request = request;  query.what = SearchFor::kResource;
//   SearchPage page = Search(index, &store, query, {.results = 50}, now, &scratch,
//                            [&](std::string_view id, const Decision& d) { … });
//   if (page.more) query.after = page.position;   // and ask again
//
// An entity is a result exactly when deciding the request for it, dry, says `would_permit`: nothing
// is charged, recorded or opened, and an `ask` is no result. Where to look comes from an index
// (plan.h); that an entity is a result comes from the decision alone.
//
// Searchable are the persons of the facts, the accounts of a system, the agents of the policy, the
// resources of a type that facts or policy name, and the actions of a type. What belongs to another
// realm is known to nobody here: no results.
//
// Results are in order of their ids (bytes), and a page goes on behind an id. So what changes
// between two pages moves nothing: what is there all the time is found exactly once. One page does
// a bounded piece of work; it may hold fewer results than wanted, even none, and still have `more`.
//
// Threads as for Decide.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/sha256.h"
#include "runtime/decide/engine.h"
#include "runtime/search/index.h"

namespace dpl {

enum class SearchFor : uint8_t { kSubject, kResource, kAction };
std::string_view SearchForName(SearchFor what);  // subject, resource, action

struct SearchQuery {
  SearchFor what = SearchFor::kSubject;
  Request request;         // the searched part's id or name is not read
  std::string_view after;  // go on behind this id; empty: from the start
  // The same request about another subject, for subjects that stand in their own chain (agents);
  // needed when agents are searched.
  std::function<Request(std::string_view id)> about_subject;
  // What is the same for all pages of one search and for no other: its plan is kept for the next
  // page. Without: each page plans anew.
  std::optional<Digest> question;
};

struct SearchBounds {
  uint32_t results = 50;
  uint32_t decisions = 4'000;   // tried on one page
  uint32_t skips = 400'000;     // looked at and ruled out without a decision
  std::function<bool()> tired;  // asked now and then: true ends the page; may be empty
};

struct SearchPage {
  uint32_t results = 0, decisions = 0;
  uint32_t clauses = 0;  // read backwards to plan it; 0: the plan was there already
  bool more = false;
  std::string position;   // for `after` of the next page, when there is more
  bool complete = false;  // this page holds all results there are
};

using SearchFound = std::function<void(std::string_view id, const Decision& decision)>;

SearchPage Search(const SearchIndex& index, DecisionState* state, const SearchQuery& query,
                  const SearchBounds& bounds, Instant now, Scratch* scratch,
                  const SearchFound& found);

}  // namespace dpl
