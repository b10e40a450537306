#include "compiler/lower/reach.h"

#include <algorithm>
#include <set>
#include <string>

#include "runtime/base/instant.h"
#include "runtime/base/sha256.h"
#include "runtime/bytecode/disasm.h"
#include "runtime/bytecode/opcode.h"

namespace dpl::lower {
namespace {

// Spans of time people write; 0 stands for "no bound" elsewhere and is not on the ladder.
constexpr int64_t kTimeSteps[] = {
    1 * kMicrosPerMinute,  5 * kMicrosPerMinute,  10 * kMicrosPerMinute, 15 * kMicrosPerMinute,
    30 * kMicrosPerMinute, 45 * kMicrosPerMinute, 1 * kMicrosPerHour,    2 * kMicrosPerHour,
    3 * kMicrosPerHour,    4 * kMicrosPerHour,    6 * kMicrosPerHour,    8 * kMicrosPerHour,
    10 * kMicrosPerHour,   12 * kMicrosPerHour,   18 * kMicrosPerHour,   1 * kMicrosPerDay,
    2 * kMicrosPerDay,     3 * kMicrosPerDay,     5 * kMicrosPerDay,     7 * kMicrosPerDay,
    10 * kMicrosPerDay,    14 * kMicrosPerDay,    21 * kMicrosPerDay,    30 * kMicrosPerDay,
    45 * kMicrosPerDay,    60 * kMicrosPerDay,    90 * kMicrosPerDay,    120 * kMicrosPerDay,
    180 * kMicrosPerDay,   270 * kMicrosPerDay,   365 * kMicrosPerDay,   730 * kMicrosPerDay};

class Reach {
 public:
  Reach(Program* program, uint32_t statement)
      : program_(*program),
        statement_(program->statements[statement]),
        delegation_(program->delegations[statement_.detail]) {}

  void Fill() {
    for (uint32_t c : statement_.clauses) Lent(&program_.clauses[c]);
    for (uint32_t agent : delegation_.to_agents) Add("to " + AgentName(agent));
    if (delegation_.to_code != kNone)
      Add("to people " + MeaningOfCode(program_, delegation_.to_code));
    for (int bit = 0; bit < 3; ++bit) {
      if (delegation_.modes & (1 << bit)) Add("mode " + std::to_string(bit));
    }
    Tasks();
    Onward();
    Time("lasts", delegation_.lasts_us);
    Consent();
    Limits();
    std::sort(hashes_.begin(), hashes_.end());
    hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
    delegation_.reach = std::move(hashes_);
  }

 private:
  void Add(const std::string& element) { hashes_.push_back(Hash64(element)); }

  std::string AgentName(uint32_t agent) const {
    return std::string(program_.Text(program_.statements[program_.agent_statements[agent]].name));
  }

  void Lent(Clause* clause) {
    const ResourceDef& type = program_.schema.resources[clause->type];
    std::string how = "\nscope " + MeaningOfCode(program_, clause->scope_code) + "\nwhere " +
                      MeaningOfCode(program_, clause->where_code);
    if (clause->ask_approval != kNone) {
      uint32_t approval = program_.approval_statements[clause->ask_approval];
      how += "\nask " + std::string(program_.Text(program_.statements[approval].name));
    }
    std::string type_name(program_.Text(type.name));
    std::string all = "may on " + type_name;
    for (uint32_t action : clause->actions) {
      std::string name(program_.Text(type.actions[action].name));
      std::string element = "may ";
      element.append(name).append(" on ").append(type_name).append(how);
      Add(element);
      all.append(" ").append(name);
    }
    clause->reach = Hash64(all + how);
  }

  // Bound to no task is wider than bound to any; more tasks are wider than fewer.
  void Tasks() {
    if (delegation_.only_in_tasks.empty()) Add("any task or none");
    for (uint32_t task : delegation_.only_in_tasks) {
      Add("in task " +
          std::string(program_.Text(program_.statements[program_.task_statements[task]].name)));
    }
  }

  void Onward() {
    for (uint32_t agent : delegation_.onward_agents) Add("onward to " + AgentName(agent));
    for (uint32_t hop = 1; hop <= std::min<uint32_t>(delegation_.onward_hops, 64); ++hop) {
      Add("onward hop " + std::to_string(hop));
    }
  }

  void Time(const std::string& what, int64_t us) {
    if (us == 0) Add(what + " without bound");
    bool exact = false;
    for (int64_t step : kTimeSteps) {
      if (us == 0 || step <= us) Add(what + " at least " + std::to_string(step));
      exact = exact || step == us;
    }
    if (!exact && us != 0) Add(what + " exactly " + std::to_string(us));
  }

  // Each task < every D < by policy.
  void Consent() {
    if (delegation_.consent == ConsentKind::kEachTask) return;
    Add("consent outlasts a task");
    Time("consent", delegation_.consent == ConsentKind::kEvery ? delegation_.consent_every_us : 0);
  }

  // ---- limits: per measure that a lent action has, which limits there are, and how high
  void Limits() {
    std::set<std::string> measures{"requests"};
    for (uint32_t c : statement_.clauses) {
      const Clause& clause = program_.clauses[c];
      for (uint32_t action : clause.actions) {
        for (const ParamDef& param :
             program_.schema.resources[clause.type].actions[action].params) {
          measures.insert(std::string(program_.Text(param.name)));
        }
      }
    }
    for (const std::string& measure : measures) {
      std::string form = "limits on " + measure + ":";
      std::vector<std::string> forms;
      for (uint32_t l : statement_.limits) {
        const Limit& limit = program_.limits[l];
        if (program_.Text(limit.measure) == measure && !limit.no_limit) {
          forms.push_back(FormOf(limit));
          Height(limit, forms.back());
        }
      }
      std::sort(forms.begin(), forms.end());
      for (const std::string& one : forms) form += one;
      Add(form);
    }
  }

  std::string FormOf(const Limit& limit) const {
    std::string form = " [" + std::string(program_.Text(limit.measure)) + " period " +
                       std::to_string(static_cast<int>(limit.period)) + " window " +
                       std::to_string(limit.window_us) + " zone " +
                       program_.schema.zones[limit.zone].name;
    for (const LimitKeyPart& part : limit.keys) {
      form += " key " + std::string(program_.Text(part.name)) + MeaningOfCode(program_, part.code);
    }
    for (const LimitTier& tier : limit.tiers) {
      uint32_t approval = program_.approval_statements[tier.approval];
      form += " ask " + std::string(program_.Text(program_.statements[approval].name)) + " up to " +
              MeaningOfCode(program_, tier.up_to_code);
    }
    return form + "]";
  }

  // A cap that is one number climbs the ladder 1 … 9, 10 … 90, 100 …; any other is what it
  // computes.
  void Height(const Limit& limit, const std::string& form) {
    const Code& code = program_.codes[limit.cap_code];
    const uint32_t* words = program_.code.data() + code.offset;
    bool number = code.size == 3 && words[0] == static_cast<uint32_t>(Opcode::kPushConst);
    const Constant* cap = number ? &program_.constants[words[1]] : nullptr;
    if (cap == nullptr || cap->number < 0) {
      Add("cap" + form + MeaningOfCode(program_, limit.cap_code));
      return;
    }
    std::string unit = "cap" + form + " unit " + std::to_string(static_cast<int>(cap->kind)) + " " +
                       std::to_string(cap->extra) + " ";
    int64_t power = 1;
    bool exact = cap->number == 0;
    for (int digits = 0; digits < 19; ++digits) {
      for (int64_t digit = 1; digit <= 9; ++digit) {
        int64_t step = 0;
        if (__builtin_mul_overflow(power, digit, &step) || step > cap->number) break;
        Add(unit + "at least " + std::to_string(step));
        exact = exact || step == cap->number;
      }
      if (__builtin_mul_overflow(power, int64_t{10}, &power)) break;
    }
    if (!exact) Add(unit + "exactly " + std::to_string(cap->number));
  }

  Program& program_;
  const Statement& statement_;
  Delegation& delegation_;
  std::vector<uint64_t> hashes_;
};

}  // namespace

void FillReach(Program* program) {
  for (uint32_t s : program->delegation_statements) Reach(program, s).Fill();
}

}  // namespace dpl::lower
