// What the machine reads from facts and request: attributes, staleness, membership, containment,
// subjects, scopes.
#include "runtime/json/json.h"
#include "tests/unit/vm/machine_for_test.h"

namespace dpl {
namespace {

class FactsOps : public MachineTest {
 protected:
  Words Doc(uint32_t attribute) {
    return Op(Opcode::kLoadResource) + Op(Opcode::kResourceAttr, policy.doc, attribute);
  }
  Words Me(uint32_t attribute) {
    return Op(Opcode::kLoadPerson) + Op(Opcode::kPersonAttr, attribute);
  }
};

constexpr const char* kCompany = R"({"as_of": "2026-11-20T00:00Z",
  "persons": [{"id": "boss"}, {"id": "E1", "attributes": {"name": "Sarah", "region": "emea", "manager": "boss", "team": "sales"}},
              {"id": "E2"}],
  "teams": {"marketing": ["E1"], "interns": [{"person": "E2", "until": "2026-11-20T16:00Z"}]},
  "roles": [{"role": "purchaser", "members": ["E1"]}, {"role": "editor", "in": {"type": "app.Tenant", "id": "T1"}, "members": ["E1"]}],
  "resources": [{"type": "app.Folder", "id": "A"}, {"type": "app.Folder", "id": "B", "parent": "A"}, {"type": "app.Folder", "id": "C"},
                {"type": "app.Doc", "id": "d", "parent": "B", "attributes": {"title": "Plan", "owner": "E1", "viewers": ["E1"],
                 "labels": {"tier": "prod"}, "team": "marketing"}},
                {"type": "app.Doc", "id": "lost"},
                {"type": "app.Project", "id": "P1", "parent": "T1"}, {"type": "app.Project", "id": "P2"},
                {"type": "fs.File", "id": "/srv/out/a.txt"}]})";

TEST_F(FactsOps, ValuesDefaultsAndGaps) {
  Facts(kCompany);
  policy.Resource(policy.doc, "unknown");
  resource = "d";
  EXPECT_EQ(Show(Doc(policy.d_title)), "\"Plan\"");
  EXPECT_EQ(Show(Doc(policy.d_public)), "false") << "the default";
  EXPECT_EQ(Show(Doc(policy.d_limit)), "10.00 USD") << "a default comes before absent";
  EXPECT_EQ(Show(Doc(policy.d_size)), "⊥missing");
  EXPECT_EQ(Show(Doc(policy.d_note)), "⊥missing") << "absent, and used";
  EXPECT_EQ(Show(Doc(policy.d_prices)), "{}") << "a set on a record is empty";
  resource = "unknown";
  EXPECT_EQ(Show(Doc(policy.d_title)), "⊥missing");
  EXPECT_EQ(Show(Doc(policy.d_prices)), "⊥missing") << "no record";
  EXPECT_EQ(Show(Doc(policy.d_public)), "⊥missing") << "nor could a default stand on one";
  policy.p.schema.resources[policy.doc].attributes[policy.d_public].from_request = true;
  Facts(kCompany);
  EXPECT_EQ(Show(Doc(policy.d_public)), "false") << "a request that says nothing says the default";
  policy.p.schema.resources[policy.doc].attributes[policy.d_public].from_request = false;
  Facts(kCompany);
  ActionDef makes;
  makes.makes = true;
  env.action = &makes;
  EXPECT_EQ(Show(Doc(policy.d_public)), "false") << "what is being made begins with its defaults";
  env.action = nullptr;
  Facts("{}");
  EXPECT_EQ(Show(Doc(policy.d_public)), "⊥stale") << "an unloaded feed could have said otherwise";
  EXPECT_EQ(Show(Doc(policy.d_note) + Op(Opcode::kIsKnown)), "⊥stale");
  EXPECT_EQ(Show(Op(Opcode::kLoadResource) + Op(Opcode::kResourceParent, policy.doc) +
                 Op(Opcode::kIsKnown)),
            "⊥stale");
  resource = "";
  EXPECT_EQ(Show(Doc(policy.d_title)), "⊥missing");
}

TEST_F(FactsOps, PersonsAttributes) {
  Facts(kCompany);
  person = "E1";
  EXPECT_EQ(Show(Me(policy.full_name)), "\"Sarah\"");
  EXPECT_EQ(Show(Me(policy.home)), "emea");
  EXPECT_EQ(Show(Me(policy.level)), "1");
  EXPECT_EQ(Show(Me(policy.tags)), "{}");
  EXPECT_EQ(Show(Me(policy.spend)), "⊥missing");
  EXPECT_EQ(Show(Me(policy.joined)), "⊥missing");
  EXPECT_EQ(Show(Op(Opcode::kLoadPerson) + Op(Opcode::kEntityKey)), "\"E1\"");
  At("2026-11-21T00:00:00.000001Z");
  for (uint32_t attribute :
       {policy.full_name, policy.level, policy.tags, policy.spend, policy.joined}) {
    EXPECT_EQ(Show(Me(attribute)), "⊥stale") << attribute;
  }
  EXPECT_EQ(Show(Me(policy.joined) + Op(Opcode::kIsKnown)), "⊥stale");
  EXPECT_EQ(Show(Op(Opcode::kLoadPerson) + Op(Opcode::kEntityKey)), "\"E1\"")
      << "who it is does not go stale";
  At("2026-11-21T00:00Z");
  EXPECT_EQ(Show(Me(policy.full_name)), "\"Sarah\"") << "exactly at the bound";
  person = "";
  EXPECT_EQ(Show(Me(policy.full_name)), "⊥missing");
  person = "E1";
  Facts(R"({"teams": {"sales": ["E1"]}})");
  EXPECT_EQ(Show(Me(policy.level)), "⊥stale") << "the feed is not loaded";
}

TEST_F(FactsOps, ARequestsValuesCountWhereFactsHaveNone) {
  Facts(kCompany);
  uint32_t title = policy.Code(Doc(policy.d_title)), size = policy.Code(Doc(policy.d_size));
  uint32_t same = policy.Code(Op(Opcode::kLoadResource) + Push(policy.Resource(policy.doc, "d")) +
                              Op(Opcode::kEq));
  uint32_t inside = policy.Code(Op(Opcode::kResourceIn, policy.Resource(policy.folder, "A")));
  Rebuild();
  // As the engine lays a request over a fact: a copy with its own slots.
  const Entity& fact = *snapshot->FindResource(policy.doc, "d");
  std::vector<Value> slots(
      fact.attributes, fact.attributes + policy.p.schema.resources[policy.doc].attributes.size());
  slots[policy.d_size] = Value::Int(ValueKind::kInt, 7);
  slots[policy.d_size].flags = kFromRequest;
  Entity overlay = fact;
  overlay.attributes = slots.data();
  env.snapshot = snapshot.get();
  env.arena = &arena;
  env.resource = &overlay;
  EXPECT_EQ(machine->Run(title, &env).text(), "Plan");
  Value v = machine->Run(size, &env);
  EXPECT_EQ(v.i, 7);
  EXPECT_EQ(v.flags, kFromRequest) << "the rationale can say where it came from";
  EXPECT_TRUE(machine->Run(same, &env).IsTrue()) << "a copy is the same thing";
  EXPECT_TRUE(machine->Run(inside, &env).IsTrue());
}

TEST_F(FactsOps, AResourceOfAnotherTypeHasNoSuchAttribute) {
  Facts(kCompany);
  resource_type = policy.folder;
  resource = "A";
  EXPECT_EQ(Show(Doc(policy.d_title)), "⊥missing");
  EXPECT_EQ(Show(Doc(policy.d_public)), "⊥missing");
  EXPECT_EQ(Show(Doc(policy.d_prices)), "⊥missing");
  EXPECT_EQ(Show(Op(Opcode::kLoadResource) + Op(Opcode::kResourceParent, policy.doc)), "⊥missing");
}

TEST_F(FactsOps, ConfusedOperandsAreAborts) {
  Facts(kCompany);
  resource = "d";
  person = "E1";
  Words five = Push(policy.Int(5));
  for (Words op :
       {Op(Opcode::kPersonAttr, 0), Op(Opcode::kResourceAttr, 0, 0), Op(Opcode::kResourceParent, 0),
        Op(Opcode::kEntityKey), Op(Opcode::kLabelValue, policy.Text("k")), Op(Opcode::kInTeam, 0),
        Op(Opcode::kInRole, 0), Op(Opcode::kDuring, 0)}) {
    EXPECT_EQ(Show(five + op), "abort internal") << op[0];
  }
  Words me = Op(Opcode::kLoadPerson), it = Op(Opcode::kLoadResource);
  EXPECT_EQ(Show(me + Op(Opcode::kResourceAttr, policy.doc, 0)), "abort internal");
  EXPECT_EQ(Show(it + Op(Opcode::kPersonAttr, 0)), "abort internal");
  EXPECT_EQ(Show(me + Op(Opcode::kPersonAttr, 999)), "abort internal");
  EXPECT_EQ(Show(it + Op(Opcode::kResourceAttr, policy.doc, 999)), "abort internal");
  EXPECT_EQ(Show(it + Op(Opcode::kResourceAttr, 999, 0)), "abort internal");
  EXPECT_EQ(Show(Op(Opcode::kLoadContext, 99)), "abort internal");
  EXPECT_EQ(Show(Op(Opcode::kNowDate, 99)), "abort internal");
  EXPECT_EQ(Show(Op(Opcode::kSubjPerson, policy.Int(5))), "abort internal");
  EXPECT_EQ(Show(Op(Opcode::kResourceIs, policy.Int(5))), "abort internal");
  EXPECT_EQ(Show(Op(Opcode::kResourceIn, policy.Int(5))), "abort internal");
  EXPECT_EQ(Show(me + Op(Opcode::kInTeam, 99)), "abort internal");
  EXPECT_EQ(Show(me + five + Op(Opcode::kIn)), "abort internal");
  EXPECT_EQ(Show(me + it + Op(Opcode::kIn)), "abort internal");
}

// ---------------------------------------------------------------- request

TEST_F(FactsOps, ParametersContextAndTask) {
  ActionDef approve = policy.p.schema.resources[policy.doc].actions[0];
  Value params[3], context[3], task[2];
  params[0] = Value::Int(ValueKind::kMoney, 500, *CurrencyIndex("USD"));
  env.action = &approve;
  env.params = params;
  env.context = context;
  EXPECT_EQ(Show(Op(Opcode::kLoadParam, policy.S("amount"))), "5.00 USD");
  EXPECT_EQ(Show(Op(Opcode::kLoadParam, policy.S("count"))), "3") << "its default";
  EXPECT_EQ(Show(Op(Opcode::kLoadParam, policy.S("memo"))), "⊥missing");
  EXPECT_EQ(Show(Op(Opcode::kLoadParam, policy.S("memo")) + Op(Opcode::kIsKnown)), "false");
  EXPECT_EQ(Show(Op(Opcode::kLoadParam, policy.S("region"))), "⊥missing") << "not of this action";
  EXPECT_EQ(Show(Op(Opcode::kLoadContext, 1)), "2") << "its default";
  EXPECT_EQ(Show(Op(Opcode::kLoadContext, 2)), "⊥missing");
  context[2] = Value::Text(ValueKind::kString, "laptop");
  EXPECT_EQ(Show(Op(Opcode::kLoadContext, 2)), "\"laptop\"");
  EXPECT_EQ(Show(Op(Opcode::kLoadTaskParam, 0)), "⊥missing") << "no task";
  EXPECT_EQ(Show(Op(Opcode::kLoadTaskParam, 0) + Op(Opcode::kIsKnown)), "⊥missing")
      << "the task is the step before";
  task[0] = Value::Int(ValueKind::kInt, 9);
  env.task_params = task;
  env.task_param_count = 2;
  EXPECT_EQ(Show(Op(Opcode::kLoadTaskParam, 0)), "9");
  EXPECT_EQ(Show(Op(Opcode::kLoadTaskParam, 1)), "⊥missing");
  EXPECT_EQ(Show(Op(Opcode::kLoadTaskParam, 1) + Op(Opcode::kIsKnown)), "false");
  EXPECT_EQ(Show(Op(Opcode::kLoadTaskParam, 2)), "⊥missing");
  env.action = nullptr;
  EXPECT_EQ(Show(Op(Opcode::kLoadParam, policy.S("amount"))), "⊥missing");
  env.params = nullptr;
  env.action = &approve;
  EXPECT_EQ(Show(Op(Opcode::kLoadParam, policy.S("count"))), "3");
  EXPECT_EQ(Show(Op(Opcode::kLoadParam, policy.S("amount"))), "⊥missing");
}

// ---------------------------------------------------------------- membership

TEST_F(FactsOps, Membership) {
  Facts(kCompany);
  person = "E1";
  Words me = Op(Opcode::kLoadPerson);
  EXPECT_EQ(Show(me + Op(Opcode::kInTeam, policy.marketing)), "true");
  EXPECT_EQ(Show(me + Op(Opcode::kInTeam, policy.staff)), "true");
  EXPECT_EQ(Show(me + Op(Opcode::kInTeam, policy.interns)), "false");
  EXPECT_EQ(Show(Push(policy.Team(policy.marketing)) + Op(Opcode::kInTeam, policy.staff)), "true");
  EXPECT_EQ(Show(me + Push(policy.Team(policy.marketing)) + Op(Opcode::kInTeamValue)), "true");
  EXPECT_EQ(Show(me + Me(policy.team_of) + Op(Opcode::kInTeamValue)), "false")
      << "a team in an attribute: sales";
  EXPECT_EQ(Show(me + Op(Opcode::kInRole, policy.purchaser)), "true");
  EXPECT_EQ(Show(me + Op(Opcode::kInRole, policy.viewer)), "false")
      << "scoped, and no resource of it";
  person = "E2";
  EXPECT_EQ(Show(me + Op(Opcode::kInTeam, policy.interns)), "true");
  At("2026-11-20T16:00Z");
  EXPECT_EQ(Show(me + Op(Opcode::kInTeam, policy.interns)), "false") << "until is over";
  At("2026-11-22T00:00Z");
  EXPECT_EQ(Show(me + Op(Opcode::kInTeam, policy.interns)), "⊥membership") << "stale";
  EXPECT_EQ(Show(me + Op(Opcode::kInRole, policy.purchaser)), "⊥membership");
  At("2026-11-20T15:00Z");
  Facts(R"({"persons": [{"id": "E2"}]})");
  EXPECT_EQ(Show(me + Op(Opcode::kInTeam, policy.interns)), "⊥membership") << "unloaded";
  EXPECT_EQ(Show(me + Op(Opcode::kInRole, policy.purchaser)), "⊥membership");
  EXPECT_EQ(Show(Op(Opcode::kSubjTeam, policy.interns)), "⊥membership");
  EXPECT_EQ(Show(Op(Opcode::kSubjRole, policy.purchaser)), "⊥membership");
}

TEST_F(FactsOps, ScopedRolesAtTheRequestsResource) {
  Facts(kCompany);
  policy.Resource(policy.project, "P9");
  person = "E1";
  resource_type = policy.project;
  resource = "P1";
  EXPECT_EQ(Show(Op(Opcode::kSubjRole, policy.editor)), "true");
  EXPECT_EQ(Show(Op(Opcode::kLoadPerson) + Op(Opcode::kInRole, policy.viewer)), "true");
  resource = "P2";
  EXPECT_EQ(Show(Op(Opcode::kSubjRole, policy.editor)), "false");
  resource = "P9";
  EXPECT_EQ(Show(Op(Opcode::kSubjRole, policy.editor)), "⊥containment");
}

// ---------------------------------------------------------------- containment

TEST_F(FactsOps, Containment) {
  Facts(kCompany);
  uint32_t a = policy.Resource(policy.folder, "A"), b = policy.Resource(policy.folder, "B"),
           c = policy.Resource(policy.folder, "C");
  resource = "d";
  EXPECT_EQ(Show(Op(Opcode::kResourceIn, b)), "true");
  EXPECT_EQ(Show(Op(Opcode::kResourceIn, a)), "true");
  EXPECT_EQ(Show(Op(Opcode::kResourceIn, c)), "false");
  Words it = Op(Opcode::kLoadResource);
  EXPECT_EQ(Show(it + Push(a) + Op(Opcode::kIn)), "true");
  EXPECT_EQ(Show(it + Push(policy.SetK({c, a})) + Op(Opcode::kIn)), "true");
  EXPECT_EQ(Show(it + Push(policy.SetK({c})) + Op(Opcode::kIn)), "false");
  EXPECT_EQ(Show(it + Op(Opcode::kResourceParent, policy.doc)), "app.Folder \"B\"");
  EXPECT_EQ(Show(it + Op(Opcode::kResourceParent, policy.doc) +
                 Op(Opcode::kResourceParent, policy.folder)),
            "app.Folder \"A\"");
  EXPECT_EQ(Show(it + Op(Opcode::kResourceParent, policy.doc) +
                 Op(Opcode::kResourceParent, policy.folder) +
                 Op(Opcode::kResourceParent, policy.folder) + Op(Opcode::kIsKnown)),
            "false")
      << "a root has none";
  resource = "lost";
  EXPECT_EQ(Show(Op(Opcode::kResourceIn, a)), "⊥containment");
  EXPECT_EQ(Show(it + Push(policy.SetK({c, a})) + Op(Opcode::kIn)), "⊥containment");
  EXPECT_EQ(Show(it + Op(Opcode::kResourceParent, policy.doc)), "⊥missing");
  resource = "";
  EXPECT_EQ(Show(Op(Opcode::kResourceIn, a)), "⊥missing");
}

TEST_F(FactsOps, TheNamedParent) {
  Facts(kCompany);
  Words home = Op(Opcode::kLoadResource) + Op(Opcode::kResourceAttr, policy.project, 0);
  resource_type = policy.project;
  resource = "P1";
  EXPECT_EQ(Show(home), "app.Tenant \"T1\"");
  resource = "P2";
  EXPECT_EQ(Show(home), "⊥missing");
  EXPECT_EQ(Show(home + Op(Opcode::kIsKnown)), "false");
}

TEST_F(FactsOps, PersonsUnderPersons) {
  Facts(kCompany);
  person = "E1";
  Words me = Op(Opcode::kLoadPerson), boss = Push(policy.Person("boss"));
  EXPECT_EQ(Show(me + boss + Op(Opcode::kIn)), "true");
  EXPECT_EQ(Show(boss + me + Op(Opcode::kIn)), "false");
  EXPECT_EQ(Show(me + Push(policy.SetK({policy.Person("boss")})) + Op(Opcode::kIn)), "false")
      << "a set names persons, not those beneath them";
  At("2026-11-22T00:00Z");
  EXPECT_EQ(Show(me + boss + Op(Opcode::kIn)), "⊥stale");
  EXPECT_EQ(Show(me + me + Op(Opcode::kIn)), "true") << "reflexive without any fact";
}

TEST_F(FactsOps, PathKeys) {
  Facts(kCompany);
  resource_type = policy.file;
  resource = "/srv/out/a.txt";
  EXPECT_EQ(Show(Op(Opcode::kResourceInPath, policy.Path("/srv/out"))), "true");
  EXPECT_EQ(Show(Op(Opcode::kResourceInPath, policy.Path("/srv/ou"))), "false");
  EXPECT_EQ(Show(Op(Opcode::kLoadResource) + Op(Opcode::kEntityKey) + Push(policy.Path("/srv")) +
                 Op(Opcode::kIn)),
            "true");
  EXPECT_EQ(Show(Op(Opcode::kLoadResource) + Push(policy.Path("/srv")) + Op(Opcode::kIn)), "true");
}

TEST_F(FactsOps, WithinATasksParameter) {
  Facts(kCompany);
  resource = "d";
  EXPECT_EQ(Show(Op(Opcode::kResourceInTask, 0)), "⊥missing");
  Entity a, c;  // as a request would name them
  a.type = c.type = policy.folder;
  a.id = "A";
  c.id = "C";
  Value task[1] = {Value::Of(ValueKind::kResource, &a)};
  env.task_params = task;
  env.task_param_count = 1;
  EXPECT_EQ(Show(Op(Opcode::kResourceInTask, 0)), "true");
  task[0] = Value::Of(ValueKind::kResource, &c);
  EXPECT_EQ(Show(Op(Opcode::kResourceInTask, 0)), "false");
  resource = "lost";
  EXPECT_EQ(Show(Op(Opcode::kResourceInTask, 0)), "⊥containment");
}

// ---------------------------------------------------------------- labels

TEST_F(FactsOps, Labels) {
  Facts(kCompany);
  resource = "d";
  EXPECT_EQ(Show(Doc(policy.d_labels) + Op(Opcode::kLabelValue, policy.Text("tier"))), "\"prod\"");
  EXPECT_EQ(Show(Doc(policy.d_labels) + Op(Opcode::kLabelValue, policy.Text("Tier"))), "⊥missing");
  EXPECT_EQ(Show(Doc(policy.d_labels) + Op(Opcode::kLabelValue, policy.Text("")) +
                 Push(policy.Text("prod")) + Op(Opcode::kNe)),
            "⊥missing");
}

// ---------------------------------------------------------------- subjects

TEST_F(FactsOps, Subjects) {
  Facts(kCompany);
  uint32_t agents[] = {3, 5};
  uint32_t e1 = policy.Person("E1"), e2 = policy.Person("E2");
  person = "E1";
  env.person_active = true;
  EXPECT_EQ(Show(Op(Opcode::kSubjPerson, e1)), "true");
  EXPECT_EQ(Show(Op(Opcode::kSubjPerson, e2)), "false");
  EXPECT_EQ(Show(Op(Opcode::kSubjTeam, policy.marketing)), "true");
  EXPECT_EQ(Show(Op(Opcode::kSubjRole, policy.purchaser)), "true");
  EXPECT_EQ(Show(Op(Opcode::kSubjEveryone)), "true");
  EXPECT_EQ(Show(Op(Opcode::kSubjPublic)), "true");
  EXPECT_EQ(Show(Op(Opcode::kSubjAnyAgent)), "false");
  EXPECT_EQ(Show(Op(Opcode::kLoadAgent)), "⊥missing");
  env.person_active = false;
  EXPECT_EQ(Show(Op(Opcode::kSubjEveryone)), "false");
  env.chain = agents;
  EXPECT_EQ(Show(Op(Opcode::kSubjAnyAgent)), "true");
  EXPECT_EQ(Show(Op(Opcode::kSubjAgentHop, 3)), "true");
  EXPECT_EQ(Show(Op(Opcode::kSubjAgentHop, 5)), "true");
  EXPECT_EQ(Show(Op(Opcode::kSubjAgentHop, 4)), "false");
  EXPECT_EQ(Show(Op(Opcode::kSubjAgentRoot, 3)), "false") << "a person stands behind it";
  EXPECT_EQ(Show(Op(Opcode::kLoadAgent) + Push(policy.Agent(5)) + Op(Opcode::kEq)), "true")
      << "the last one acts";
  person = "";
  env.standing = true;
  EXPECT_EQ(Show(Op(Opcode::kSubjAgentRoot, 3)), "true");
  EXPECT_EQ(Show(Op(Opcode::kSubjAgentRoot, 5)), "false");
  EXPECT_EQ(Show(Op(Opcode::kSubjPerson, e1)), "false");
  EXPECT_EQ(Show(Op(Opcode::kSubjTeam, policy.marketing)), "false");
  EXPECT_EQ(Show(Op(Opcode::kSubjRole, policy.purchaser)), "false");
  env.person_active = true;
  EXPECT_EQ(Show(Op(Opcode::kSubjEveryone)), "false");
}

TEST_F(FactsOps, ALiteralIdIsNeverUnknown) {
  Facts("{}");
  uint32_t d = policy.Resource(policy.doc, "d"), e = policy.Resource(policy.doc, "e"),
           folder = policy.Resource(policy.folder, "d");
  resource = "d";
  EXPECT_EQ(Show(Op(Opcode::kResourceIs, d)), "true");
  EXPECT_EQ(Show(Op(Opcode::kResourceIs, e)), "false");
  EXPECT_EQ(Show(Op(Opcode::kResourceIs, folder)), "false");
  EXPECT_EQ(Show(Op(Opcode::kResourceIs, policy.Text("d"))), "true");
  resource = "";
  EXPECT_EQ(Show(Op(Opcode::kResourceIs, d)), "false");
}

}  // namespace
}  // namespace dpl
