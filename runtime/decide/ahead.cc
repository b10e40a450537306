// See ahead.h.
#include "runtime/decide/ahead.h"

#include "runtime/decide/fold.h"

namespace dpl {
namespace {

template <class T>
void FetchLines(const T* at, size_t bytes) {
  for (size_t line = 0; line < bytes; line += 64)
    __builtin_prefetch(reinterpret_cast<const char*>(at) + line);
}

}  // namespace

void Ahead::Begin(const Snapshot& snapshot, const Request& request, bool small) {
  if (!small && !snapshot.Large()) return;
  step_ = 1;
  snapshot.FetchNames(&names_, request.subject_id,
                      request.hop_count == 0 ? std::string_view() : request.hops[0].agent);
}

// Where an id of this kind would stand in the index.
void Ahead::Want(const Fold& f, ClauseRole role, SubjectKey key) {
  if (wanted_ == kMostClauses) return;
  const IndexEntry::Run* run = f.entry->FetchRun(role, key);
  if (run == nullptr) return;
  __builtin_prefetch(run);
  clauses_[static_cast<size_t>(wanted_++)] = {run, role, kNone};
}

void Ahead::Advance(const Fold& f, int part) {
  const Program& program = f.program;
  for (int i = 0; i < wanted_; ++i) {
    Wanted& w = clauses_[static_cast<size_t>(i)];
    // Those of the person were wanted later than those of the agent.
    switch (part - (i >= first_of_person_ ? 2 : 0)) {
      case 0: {
        const auto& items = f.entry->items[static_cast<size_t>(w.role)];
        __builtin_prefetch(&items[w.run->first]);
        break;
      }
      case 1:
        w.clause = f.entry->items[static_cast<size_t>(w.role)][w.run->first].clause;
        __builtin_prefetch(&f.notes.clauses[w.clause]);
        break;
      case 2: {
        const ClauseNote& note = f.notes.clauses[w.clause];
        FetchLines(&program.statements[note.statement], 128);
        if (note.delegation != kNone) FetchLines(&program.delegations[note.delegation], 128);
        if (note.where != kNone) __builtin_prefetch(&program.codes[note.where]);
        if (note.subject != kNone && note.test.steps == 0)
          __builtin_prefetch(&program.codes[note.subject]);
        break;
      }
      case 3: {
        const ClauseNote& note = f.notes.clauses[w.clause];
        if (note.where != kNone)
          __builtin_prefetch(&program.code[program.codes[note.where].offset]);
        if (note.delegation == kNone) break;
        const Delegation& lent = program.delegations[note.delegation];
        __builtin_prefetch(lent.to_agents.data());
        if (lent.from_code != kNone) __builtin_prefetch(&f.notes.tests[lent.from_code]);
        break;
      }
      default:
        break;
    }
  }
}

void Ahead::Go(const Fold& f) {
  const bool agent = names_.agent_index != kNone;
  const std::string_view run = agent ? f.request.hops[0].instance : std::string_view();
  switch (step_++) {
    case 1:
      return f.snapshot.FetchEntries(&names_);
    case 2:
      return f.snapshot.FetchTexts(&names_);
    case 3:
      f.snapshot.FetchRecords(&names_);
      if (!agent) break;
      __builtin_prefetch(&f.program.agent_statements[names_.agent_index]);
      FetchLines(&f.program.agents[names_.agent_index], sizeof(Agent));
      if (f.entry == nullptr) break;
      Want(f, ClauseRole::kAgentMay, {KeyKind::kAgent, names_.agent_index});
      Want(f, ClauseRole::kDelegationMay, {KeyKind::kAgent, names_.agent_index});
      first_of_person_ = wanted_;
      break;
    case 4:
      if (names_.entity != nullptr && names_.entity->person != nullptr) {
        const PersonFacts& facts = *names_.entity->person;
        __builtin_prefetch(names_.entity->attributes);
        __builtin_prefetch(facts.teams.data());
        __builtin_prefetch(facts.roles.data());
      }
      if (!agent) break;
      f.store.FetchRun(names_.agent_hash, run, 0);
      FetchLines(&f.program.statements[f.program.agent_statements[names_.agent_index]], 128);
      Advance(f, 0);
      break;
    case 5:
      if (agent) f.store.FetchRun(names_.agent_hash, run, 1);
      if (names_.entity != nullptr && names_.entity->person != nullptr && f.entry != nullptr) {
        uint32_t last = kNone;
        for (const Holding& held : names_.entity->person->roles) {
          if (held.role != last) Want(f, ClauseRole::kGrantMay, {KeyKind::kRole, held.role});
          last = held.role;
        }
        for (const Membership& member : names_.entity->person->teams)
          Want(f, ClauseRole::kGrantMay, {KeyKind::kTeam, member.team});
      }
      Advance(f, 1);
      break;
    case 6:
      if (agent) {
        f.store.FetchRun(names_.agent_hash, run, 2);
        const Statement& s = f.program.statements[f.program.agent_statements[names_.agent_index]];
        __builtin_prefetch(&f.schema.strings[s.name]);
      }
      Advance(f, 2);
      break;
    case 7:
      if (agent) f.store.FetchRun(names_.agent_hash, run, 3);
      Advance(f, 3);
      break;
    case 8:
      Advance(f, 4);
      break;
    default:
      Advance(f, 5);
      step_ = 0;
      break;
  }
}

}  // namespace dpl
