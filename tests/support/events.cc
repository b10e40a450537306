// What happens in a generated case, and requests in the form that Decide takes; see events.h.
#include "tests/support/events.h"

namespace dpl::gen {

World0 MakeWorld(Rng* rng, const Vocabulary& v, const Compiled& compiled, int asks) {
  World0 w;
  w.start =
      Instant{ParseInstant(v.start).value().us + rng->Between(0, 7'200) * kMicrosPerSecond + 321};
  w.facts = MakeFacts(rng, v, w.start);
  w.consents = MakeConsents(rng, v, w.start, compiled.Names(StatementKind::kDelegation));
  Texts agents = compiled.Names(StatementKind::kAgent);
  Texts shapes = compiled.Names(StatementKind::kTask);
  std::vector<FactsInput::Task> tasks;
  Arena* arena = w.facts.arena.get();
  int revocations = 0;
  Instant now = w.start;
  std::vector<Ask> recent;
  auto task = [&]() {
    Event e;
    e.kind = Event::Kind::kTask;
    std::optional<FactsInput::Task> t =
        MakeTask(rng, v, "task-" + std::to_string(tasks.size()), now, arena, shapes, agents);
    if (!t) return;
    e.task = *t;
    tasks.push_back(*t);
    w.events.push_back(e);
  };
  auto advance = [&](int64_t us) {
    Event e;
    e.kind = Event::Kind::kAdvance;
    e.advance_us = us;
    now = Instant{now.us + us};
    w.events.push_back(e);
  };
  for (int i = 0; i < 3; ++i) task();
  for (int i = 0; i < asks; ++i) {
    if (rng->Chance(20))
      advance(rng->Between(1, 40) * kMicrosPerMinute + rng->Between(0, 59'999'999));
    if (rng->Chance(4)) advance(rng->Between(1, 20) * kMicrosPerHour + 7);
    if (rng->Chance(4)) task();
    if (rng->Chance(4) && revocations < 3) {
      ++revocations;
      Event e;
      e.kind = Event::Kind::kRevoke;
      static const std::vector<RevokedKind> kKinds = {
          RevokedKind::kPerson,  RevokedKind::kAgent,    RevokedKind::kInstance,
          RevokedKind::kTask,    RevokedKind::kGrant,    RevokedKind::kDelegation,
          RevokedKind::kAccount, RevokedKind::kApproval, RevokedKind::kBreakGlass,
          RevokedKind::kPartner};
      e.revoked = kKinds[static_cast<size_t>(
          rng->Below(static_cast<int>(kKinds.size()) - (v.realms ? 0 : 1)))];
      Texts names;
      switch (e.revoked) {
        case RevokedKind::kPerson:
          names = v.persons;
          break;
        case RevokedKind::kAgent:
          names = agents;
          break;
        case RevokedKind::kInstance:
          for (const std::string& a : agents)
            names.push_back(a + "/" + a.substr(6) + "-run-" + std::to_string(rng->Below(3)));
          break;
        case RevokedKind::kTask:
          for (const FactsInput::Task& t : tasks) names.push_back(t.id);
          break;
        case RevokedKind::kGrant:
          names = compiled.Names(StatementKind::kGrant);
          break;
        case RevokedKind::kDelegation:
          names = compiled.Names(StatementKind::kDelegation);
          break;
        case RevokedKind::kPartner:
          names = {"gen.p.globex", "gen.p.globex/ana"};
          break;
        case RevokedKind::kBreakGlass:
          names = compiled.Names(StatementKind::kBreakGlass);
          break;
        case RevokedKind::kAccount:
          names = {"bank:login-" + rng->Of(v.persons)};
          break;
        default:
          names = {"approval-1", "approval-2"};
          break;
      }
      if (rng->Chance(40))
        e.before_us = -static_cast<int64_t>(rng->Between(0, 60)) * kMicrosPerMinute - 5;
      bool all = rng->Chance(8);  // of the kind, or of every kind; for good there would be no more
      if (all && !e.before_us) e.before_us = -5 * kMicrosPerMinute;
      if (all && rng->Chance(50)) e.revoked = RevokedKind::kEverything;
      if (all || !names.empty()) {
        e.name = all ? std::string() : rng->Of(names);
        w.events.push_back(e);
      }
    }
    if (rng->Chance(4) && !w.consents.empty()) {
      Event e;
      e.kind = Event::Kind::kConsent;
      e.consent = rng->Of(w.consents);
      e.consent.at = now;
      e.consent.whole_day = rng->Chance(30);
      w.events.push_back(e);
    }
    Event e;
    e.ask = MakeAsk(rng, v, arena, agents, tasks);
    e.record_handoffs = !rng->Chance(4);
    e.handoff_in_task = rng->Chance(25);
    e.with_approval = rng->Chance(3);
    if (rng->Chance(12) && !recent.empty()) e.ask = rng->Of(recent);  // somebody asks again
    if (rng->Chance(8)) e.ask.key = "key-" + std::to_string(rng->Below(4));
    // A reservation is asked for, perhaps ended, and asked for again under its key, perhaps with
    // something else in it.
    if (e.ask.type == v.order_wire && rng->Chance(12)) {
      e.ask.key = "order-" + std::to_string(rng->Below(1000));
      w.events.push_back(e);
      if (rng->Chance(30)) {
        Event end;
        end.kind = rng->Chance(50) ? Event::Kind::kCancel : Event::Kind::kConfirm;
        w.events.push_back(end);
      }
      if (rng->Chance(25)) advance(rng->Between(1, 80) * kMicrosPerMinute + 11);
      if (rng->Chance(20))
        e.ask.params = WireObject(
            {{"amount", WireString("10 USD", arena)}, {"memo", WireString("ab", arena)}}, arena);
    }
    recent.push_back(e.ask);
    if (recent.size() > 6) recent.erase(recent.begin());
    w.events.push_back(e);
    if (rng->Chance(5)) {
      Event c;
      c.kind = rng->Chance(60) ? Event::Kind::kCancel : Event::Kind::kConfirm;
      w.events.push_back(c);
    }
    if (e.ask.action == "approve" || rng->Chance(5)) {
      Event a;
      a.kind = Event::Kind::kApprove;
      for (const char* who : {"E8", "E9"}) {
        if (rng->Chance(75)) a.approvers.push_back(who);
      }
      if (rng->Chance(50)) a.approvers.push_back(rng->Of(v.persons));
      w.events.push_back(a);
      Event again = e;
      again.with_approval = true;
      again.ask.key.clear();
      if (rng->Chance(20)) again.ask.id = rng->Of(v.orders);
      if (rng->Chance(30)) {
        again.ask.params = WireObject(
            {{"amount",
              WireString(rng->Of(Texts{"90 USD", "50 EUR", "260 USD", "100.01 USD"}), arena)},
             {"memo", WireString(rng->Of(v.words), arena)}},
            arena);
      }
      if (rng->Chance(50)) w.events.push_back(again);
    }
  }
  return w;
}

namespace {

const Caller& CallerOf(int which) {
  static const std::vector<Caller> kCallers = [] {
    std::vector<Caller> out(3, Caller::Everything("app"));
    out[1].asserts_all_attributes = false;
    out[1].asserts = {"person.region", "app.Doc.author", "app.Doc.project", "bank.Order.vendor",
                      "context.ip"};
    out[1].charge_keys = false;
    out[1].duties = {"step_up", "notify"};
    out[1].trusts_all_issuers = out[1].asserts_all_partners = false;
    out[1].partners = {"gen.p.globex"};
    out[1].name = "small";
    out[2].serves_persons = false;
    out[2].asserts_all_partners = out[2].trusts_all_issuers = false;
    out[2].name = "batch";
    return out;
  }();
  return kCallers[static_cast<size_t>(which)];
}

}  // namespace

Request ToRequest(const Ask& a, Instant now) {
  Request r;
  r.subject_type = a.subject_type;
  r.subject_id = a.subject_id;
  r.subject_properties = &a.said_person;
  r.subject_issuer = a.issuer;
  for (const Ask::Hop& h : a.hops) {
    Request::Hop& out = r.hops[static_cast<size_t>(r.hop_count++)];
    out.agent = h.agent;
    out.instance = h.instance;
    out.is_person = h.is_person;
    out.issuer = h.issuer;
  }
  r.action = a.action;
  r.action_properties = &a.params;
  r.resource_type = a.type;
  r.resource_id = a.id;
  r.resource_properties = &a.said_resource;
  r.context = &a.context;
  r.task = a.task;
  r.charge_key = a.key;
  r.break_glass = a.break_glass;
  r.break_glass_reason = a.reason;
  r.break_glass_ticket = a.ticket;
  r.duties = a.duties;
  r.dry_run = a.dry_run;
  r.clock_suspect = a.clock_suspect;
  if (a.signed_in_us) r.signed_in = Instant{now.us - *a.signed_in_us};
  r.caller = &CallerOf(a.caller);
  return r;
}

}  // namespace dpl::gen
