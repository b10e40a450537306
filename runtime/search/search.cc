// See search.h.
#include "runtime/search/search.h"

#include <algorithm>
#include <vector>

#include "runtime/search/plan.h"

namespace dpl {
namespace {

// Reasons that hold for every candidate of the search once they hold for one: what they judge is
// not the searched part.
bool HoldsForAll(SearchFor what, Reason reason, bool makes) {
  switch (reason) {
    case Reason::kRequestInvalid:
      return what == SearchFor::kSubject || !makes;
    case Reason::kIdentityAttestation:
    case Reason::kAccountableMissing:
    case Reason::kStaleData:
    case Reason::kRevokedAgent:
    case Reason::kRevokedInstance:
    case Reason::kTaskUnknown:
    case Reason::kTaskExpired:
      return true;
    case Reason::kTaskWrongActor:
      return what == SearchFor::kResource;
    default: {  // who asks, and through whom, is judged before what it is about
      int step = ReasonStep(reason);
      return what == SearchFor::kResource && step >= 2 && step <= 5;
    }
  }
}

constexpr uint32_t kAskedEvery = 4;  // decisions, whether the page has taken long enough

class Searcher {
 public:
  Searcher(const SearchIndex& index, DecisionState* state, const SearchQuery& query,
           const SearchBounds& bounds, Instant now, Scratch* scratch, const SearchFound& found)
      : index_(index),
        snapshot_(index.snapshot()),
        schema_(snapshot_.program().schema),
        state_(*state),
        query_(query),
        bounds_(bounds),
        now_(now),
        scratch_(scratch),
        found_(found),
        caller_(*query.request.caller),
        request_(query.request) {
    caller_.dry_run = true;
    caller_.details = false;
    page_.complete = query.after.empty();
  }

  SearchPage Run() {
    // A dry run that the caller may not ask for is refused, here as there.
    bool refused = query_.request.dry_run && !query_.request.caller->dry_run;
    if (!refused && bounds_.results != 0) Walk();
    if (page_.more) page_.complete = false;
    return std::move(page_);
  }

 private:
  void Walk() {
    uint32_t type = snapshot_.ResourceTypeOfWire(query_.request.resource_type);
    if (type == kNone) return;
    if (query_.what == SearchFor::kAction) return Actions(type);
    uint32_t action = snapshot_.ActionOfWire(type, query_.request.action);
    if (action == kNone) return;
    makes_ = schema_.resources[type].actions[action].makes;
    SearchScene scene{index_, query_.request, state_, now_, type, action, {}};
    if (query_.what == SearchFor::kResource) return Resources(scene);
    Result<std::string_view> id = snapshot_.CheckResourceId(type, query_.request.resource_id);
    if (!id.ok()) return;
    if (const Entity* known = snapshot_.FindResource(type, *id)) scene.resource = *known;
    scene.resource.slot = kNone;  // a copy, which stands for itself
    scene.resource.type = type;
    scene.resource.id = *id;
    Subjects(scene);
  }

  // ---------------------------------------------------------------- what can be searched

  void Actions(uint32_t type) {
    std::vector<std::string_view> names;
    for (const ActionDef& action : schema_.resources[type].actions)
      names.push_back(schema_.Text(action.wire));
    std::sort(names.begin(), names.end());
    EachOf(names, [&](std::string_view name) { request_.action = name; });
  }

  void Resources(const SearchScene& scene) {
    std::span<const Entity* const> all = snapshot_.Resources(scene.type);
    std::unique_ptr<SearchPlan> plan = Planned(all.size(), scene, PlanResources);
    EachRanked(all, CandidatesOf(*plan), [&](std::string_view id) { request_.resource_id = id; });
    Keep(std::move(plan));
  }

  // As the page before left it, and as much more of it as this page has time for.
  template <class Make>
  std::unique_ptr<SearchPlan> Planned(size_t size, const SearchScene& scene, const Make& make) {
    const auto entities = static_cast<uint32_t>(size);
    std::unique_ptr<SearchPlan> plan;
    if (query_.question) plan = index_.plans().Take(*query_.question, now_);
    if (plan == nullptr) plan = std::make_unique<SearchPlan>(entities);
    if (plan->candidates != nullptr) return plan;
    const uint32_t before = plan->clauses;
    make(scene, bounds_.tired, plan.get());
    page_.clauses = plan->clauses - before;
    if (plan->candidates != nullptr || plan->space.Bytes() <= PlanCache::kMostBytes) return plan;
    // Too much to be kept, too long to be made anew by each page: nobody is ruled out.
    auto none = std::make_unique<SearchPlan>(entities);
    none->candidates = none->space.All();
    none->made = plan->made;
    none->until = plan->until;
    return none;
  }
  // Of an unfinished plan: everybody. The page's time is over then, so these are a few, one after
  // the other; but every page gets on, even if no plan could ever be kept.
  static const Candidates& CandidatesOf(const SearchPlan& plan) {
    return plan.candidates != nullptr ? *plan.candidates : *plan.space.All();
  }
  // One that lacks parts of the index will be made better by the next page.
  void Keep(std::unique_ptr<SearchPlan> plan) {
    if (page_.more && query_.question && (plan->candidates == nullptr || !plan->space.untold()))
      index_.plans().Put(*query_.question, std::move(plan));
  }

  void Subjects(const SearchScene& scene) {
    std::string_view type = query_.request.subject_type;
    constexpr std::string_view kAccount = "account:";
    if (type == "agent") {
      std::vector<std::string_view> names;
      for (uint32_t s : snapshot_.program().agent_statements)
        names.push_back(schema_.Text(snapshot_.program().statements[s].name));
      std::sort(names.begin(), names.end());
      return EachOf(names, [&](std::string_view name) {
        request_ = query_.about_subject(name);
        Dry();
      });
    }
    bool persons = snapshot_.IsPersonWire(type);
    uint32_t system = kNone;
    if (!persons && type.starts_with(kAccount))
      system = FindSystem(schema_, type.substr(kAccount.size()));
    if (!persons && system == kNone) return;
    std::span<const Entity* const> all = snapshot_.Persons();
    std::unique_ptr<SearchPlan> plan = Planned(all.size(), scene, PlanPersons);
    // What the task says is of this moment, the plan is of the facts.
    CandidateSpace of_task(static_cast<uint32_t>(all.size()));
    const Candidates* candidates = &CandidatesOf(*plan);
    if (uint32_t rank = kNoRank; TaskPerson(scene, &rank))
      candidates = of_task.And({candidates, of_task.One(rank)});
    if (persons) {
      EachRanked(all, *candidates, [&](std::string_view id) { request_.subject_id = id; });
    } else {
      Accounts(snapshot_.Accounts(system), *candidates);
    }
    Keep(std::move(plan));
  }

  // ---------------------------------------------------------------- walks

  void Dry() {
    request_.caller = &caller_;
    request_.dry_run = true;
    request_.explain = false;
  }

  template <class Put>
  void EachRanked(std::span<const Entity* const> all, const Candidates& plan, const Put& put) {
    auto from = std::upper_bound(all.begin(), all.end(), query_.after,
                                 [](std::string_view id, const Entity* e) { return id < e->id; });
    if (plan.IsEmpty()) return;
    Dry();
    // A person who acts for another acts directly for themselves: of that candidate all is
    // different.
    const Request& r = query_.request;
    same_but_for_id_ = query_.what == SearchFor::kResource ||
                       std::none_of(r.hops.begin(), r.hops.begin() + r.hop_count,
                                    [](const Request::Hop& hop) { return hop.is_person; });
    for (uint32_t at = plan.Seek(static_cast<uint32_t>(from - all.begin())); at != kNoRank;
         at = plan.Seek(at + 1)) {
      put(all[at]->id);
      if (!Try(all[at]->id)) return;
    }
  }

  template <class Put>
  void EachOf(const std::vector<std::string_view>& ids, const Put& put) {
    Dry();
    for (auto id = std::upper_bound(ids.begin(), ids.end(), query_.after); id != ids.end(); ++id) {
      put(*id);
      if (!Try(*id)) return;
    }
  }

  // An account is looked at where its person is a candidate.
  void Accounts(std::span<const AccountFact> all, const Candidates& plan) {
    auto at =
        std::upper_bound(all.begin(), all.end(), query_.after,
                         [](std::string_view key, const AccountFact& a) { return key < a.key; });
    if (plan.IsEmpty()) return;
    Dry();
    uint32_t skipped = 0;
    while (at != all.end()) {
      std::string_view key = at->key;
      bool candidate = false;
      for (; at != all.end() && at->key == key; ++at) {
        candidate = candidate || plan.IsAll() || plan.Has(index_.RankOfPerson(at->person->id));
      }
      if (!candidate) {
        ++skipped;
        if (skipped >= bounds_.skips || (skipped % 1024 == 0 && Tired())) {
          if (at != all.end()) Stop(key);
          return;
        }
        continue;
      }
      request_.subject_id = key;
      if (!Try(key)) return;
    }
  }

  bool Tired() const { return bounds_.tired && bounds_.tired(); }

  void Stop(std::string_view behind) {
    page_.more = true;
    page_.position = behind;
  }

  // Decides for one candidate; false: the page ends here.
  bool Try(std::string_view id) {
    if (page_.decisions >= bounds_.decisions ||
        (page_.decisions % kAskedEvery == kAskedEvery - 1 && Tired())) {
      Stop(behind_);
      return false;
    }
    ++page_.decisions;
    const Decision& d = Decide(snapshot_, &state_, request_, now_, scratch_);
    if (d.reason == Reason::kWouldPermit && d.partner == kNone) {
      if (page_.results == bounds_.results) {  // one more than wanted: so there is another page
        Stop(behind_);
        return false;
      }
      ++page_.results;
      found_(id, d);
    } else if (same_but_for_id_ && HoldsForAll(query_.what, d.reason, makes_)) {
      return false;
    }
    behind_ = id;
    return true;
  }

  const SearchIndex& index_;
  const Snapshot& snapshot_;
  const Schema& schema_;
  DecisionState& state_;
  const SearchQuery& query_;
  const SearchBounds& bounds_;
  const Instant now_;
  Scratch* scratch_;
  const SearchFound& found_;
  Caller caller_;
  Request request_;
  SearchPage page_;
  std::string_view behind_;  // the last one that was tried
  bool makes_ = false;
  bool same_but_for_id_ = false;  // the candidates' requests are
};

}  // namespace

std::string_view SearchForName(SearchFor what) {
  switch (what) {
    case SearchFor::kSubject:
      return "subject";
    case SearchFor::kResource:
      return "resource";
    case SearchFor::kAction:
      return "action";
  }
  return {};
}

SearchPage Search(const SearchIndex& index, DecisionState* state, const SearchQuery& query,
                  const SearchBounds& bounds, Instant now, Scratch* scratch,
                  const SearchFound& found) {
  DPL_CHECK(state != nullptr && query.request.caller != nullptr && bounds.decisions != 0);
  return Searcher(index, state, query, bounds, now, scratch, found).Run();
}

}  // namespace dpl
