#!/usr/bin/env python3
"""Mutation of our own: changes one operator or drops one check of the engine or the checker at a time, and demands that the tests notice.

    mutate_engine.py [--build DIR] [-k WORD] [--only N,M] [--list] [--check]

Works in a copy of the tree below DIR (default build/mutation), never in the tree itself. An edit is an exact text that must stand in
its file exactly once, so that a table that no longer fits the code fails at once (`--check` does only that, and is part of the default
suite). An edit that does not compile is a mistake of the table; one that every test passes is a hole in the tests. For each edit the
quickest tests are built and run first, and the next ones only when these notice nothing. Ends with `N passed, N failed`: an edit that
was noticed is a pass."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# (file, what is there, what it becomes)
EDITS = [
    # ---- the fold: who is asking
    ("runtime/decide/step_identity.cc", "if (f.request.hop_count > 0 || !HasPublicGrant(f)) return", "if (!HasPublicGrant(f)) return"),
    ("runtime/decide/step_identity.cc", "if (f.hop_count == kMaxHops) return Reason::kIdentityChainMismatch;\n  if (!f.caller.asserts_actors || !f.caller.asserts_instances)",
     "if (f.hop_count == kMaxHops) return Reason::kIdentityChainMismatch;\n  if (!f.caller.asserts_actors)"),
    ("runtime/decide/step_identity.cc", "hop.born = recorded;", "hop.born = std::max(hop.born, recorded);"),
    ("runtime/decide/step_identity.cc", "if (f.store.HasParent(f.hops[0].name, f.hops[0].instance)) {", "if (false) {"),
    ("runtime/decide/step_identity.cc", "if (!IsActive(f.person)) return Reason::kPersonNotActive;", ""),
    ("runtime/decide/step_identity.cc", "if (until && f.now <= *until) {", "if (until) {"),
    ("runtime/decide/step_identity.cc", "if (!SameEntity(*claim.person, *claims[0].person)) return Found::kAmbiguous;", ""),
    ("runtime/decide/step_mode.cc", "return f.caller.serves_persons ? kPass : Reason::kAgentActorMissing;", "return kPass;"),
    ("runtime/decide/step_mode.cc", "if (f.program.agents[f.chain[0]].modes != kModeStanding)", "if (false)"),
    ("runtime/decide/step_mode.cc", "if (Subtract(f.now, f.hops[i].born).us > agent.lives_us)", "if (false)"),
    ("runtime/decide/step_mode.cc", "if (births > agent.instances_max) return", "if (births > agent.instances_max + 1) return"),
    ("runtime/decide/step_mode.cc", "if (f.store.IsRevoked(RevokedKind::kInstance, f.text, hop.born))", "if (false)"),
    ("runtime/decide/step_mode.cc", "if (f.person != nullptr && !f.snapshot.PersonsFresh(f.now)) return Reason::kStaleData;", ""),
    ("runtime/decide/step_mode.cc", "if (fresh > 1) return Reason::kIdentityAmbiguous;", ""),
    # ---- the fold: forbids, grants, ceilings
    ("runtime/decide/step_authority.cc", "if (match == Truth::kFalse || lifted()) {", "if (match != Truth::kTrue || lifted()) {"),
    ("runtime/decide/step_authority.cc", "if (s.expires_us <= f.now.us) return Factor::kExpired;",
     "if (s.expires_us < f.now.us) return Factor::kExpired;"),
    ("runtime/decide/step_authority.cc", "if (due <= f.now.us) return Factor::kOverdue;", ""),
    ("runtime/decide/step_authority.cc", "if (s.imported && reviewed == INT64_MIN) return Factor::kUnreviewed;", ""),
    ("runtime/decide/step_authority.cc", "return f.snapshot.ApproverOk(s.detail, f.now) ? Factor::kNone : Factor::kUnapproved;",
     "return Factor::kNone;"),
    ("runtime/decide/step_authority.cc", "if (limit == nullptr) return true;\n", "return true;\n"),
    ("runtime/decide/step_authority.cc", "    result = Reason::kAgentNotAllowed;\n", "    if (i + 1 == f.hop_count) result = Reason::kAgentNotAllowed;\n"),
    # ---- the fold: delegation and task
    ("runtime/decide/step_delegation.cc", "if (!Contains(d.onward_agents, f.chain[i])) return Reason::kDelegationDepth;", ""),
    ("runtime/decide/step_delegation.cc", "if (onward > static_cast<int>(", "if (onward - 1 > static_cast<int>("),
    ("runtime/decide/step_delegation.cc", "if (AgeUs(f.now, at) > within) return false;", ""),
    ("runtime/decide/step_delegation.cc", "return !f.consent.reach.empty() && std::includes(", "return f.consent.reach.empty() || !std::includes("),
    ("runtime/decide/step_delegation.cc", "if (AgeUs(at, since) > d.lasts_us) return Reason::kDelegationExpired;", ""),
    ("runtime/decide/step_delegation.cc", "(d.modes & ModeBitOf(f.mode)) != 0;", "true;"),
    ("runtime/decide/step_delegation.cc", "if (f.task->expires <= f.now) return Reason::kTaskExpired;", ""),
    ("runtime/decide/step_delegation.cc", "if (f.task->person != person || !right_agent) {", "if (!right_agent) {"),
    ("runtime/decide/step_delegation.cc", "if (hop.bound && !f.store.InstanceBoundTo(hop.name, hop.instance, f.request.task))", "if (false)"),
    # ---- the fold: separation and limits
    ("runtime/decide/step_separation.cc", "if (f.store.ActRecorded(f.Text(s.name), 1 - m.side,", "if (f.store.ActRecorded(f.Text(s.name), m.side,"),
    ("runtime/decide/step_separation.cc", "not_before.us -= 1;", "not_before.us += 1;"),
    ("runtime/decide/step_separation.cc", "if (accountable != kNone) concern(f.program.constants[accountable].text);", ""),
    ("runtime/decide/step_limits.cc", "s.kind == StatementKind::kGrant ? !InAuthority(f, b.statement) : !b.matched", "!b.matched"),
    ("runtime/decide/step_limits.cc", "else if (sum > b.cap) {", "else if (sum >= b.cap) {"),
    ("runtime/decide/step_limits.cc", "if (sum > up_to.i) continue;", "if (sum >= up_to.i) continue;"),
    ("runtime/decide/step_limits.cc", "Instant window_now = std::max(f.now, f.store.HighTime());", "Instant window_now = f.now;"),
    ("runtime/decide/step_limits.cc", "if (!seen) CheckOne(f, limit_index, checked, deputy, &f.hops[i], window_now, replay);",
     "if (!seen && i == 0) CheckOne(f, limit_index, checked, deputy, &f.hops[i], window_now, replay);"),
    ("runtime/decide/step_limits.cc", "if (f.unbounded) return Reason::kLimitUnbounded;", ""),
    ("runtime/decide/step_limits.cc", "if (left != right) return left < right;", "if (left != right) return left > right;"),
    ("runtime/decide/step_limits.cc", "return digest == own ? reservation : 0;", "return reservation;"),
    # ---- the fold: partners, and people who act for people
    ("runtime/decide/step_identity.cc", "return *partner != kNone || f.caller.trusts_all_issuers || Named(f.caller.issuers, issuer);", "return true;"),
    ("runtime/decide/step_identity.cc", "if (!f.request.subject_issuer.empty() && partner != named)", "if (false)"),
    ("runtime/decide/step_identity.cc", "if (!f.caller.asserts_all_partners && !Named(f.caller.partners, PartnerName(f, partner)))", "if (false)"),
    ("runtime/decide/step_identity.cc", "} else if (!f.snapshot.IsPersonWire(type)) {", "} else if (false) {"),
    ("runtime/decide/step_identity.cc", "if (hop.is_person || (!hop.issuer.empty() && hop.issuer != issuer)) {", "if (hop.is_person) {"),
    ("runtime/decide/step_identity.cc", "|| foreign != kNone) {", ") {"),
    ("runtime/decide/step_identity.cc", "if (f.person == nullptr || !first) {", "if (f.person == nullptr) {"),
    ("runtime/decide/step_identity.cc", "return IsActive(deputy) ? kPass : Reason::kPersonNotActive;", "return kPass;"),
    ("runtime/decide/step_identity.cc", "if (!f.store.HandoffRecorded(f.text, {}, f.hops[0].name, f.hops[0].instance, f.request.task)) {", "if (false) {"),
    ("runtime/decide/step_mode.cc", "return f.partner_hops > 0 || f.caller.serves_persons ? kPass : Reason::kAgentActorMissing;", "return kPass;"),
    ("runtime/decide/step_mode.cc", "if (f.deputy != nullptr && f.hop_count == 0 && !f.caller.serves_persons)", "if (false)"),
    ("runtime/decide/step_mode.cc", "if (!f.caller.asserts_instances) signed_in = std::nullopt;", ""),
    ("runtime/decide/step_mode.cc", "revoked(RevokedKind::kPartner, f.partner_subject, f.request.signed_in)", "false"),
    ("runtime/decide/step_authority.cc", "match = MatchForDeputy(f, hit.clause);\n      if (match == Truth::kFalse) continue;", "continue;"),
    ("runtime/decide/step_authority.cc", "DeputyView view(f);\n      if (lifted()) continue;", "if (lifted()) continue;"),
    ("runtime/decide/step_delegation.cc", "if (f.partner_hops > 0 && !partner.accepts_agents)", "if (false)"),
    ("runtime/decide/step_delegation.cc", "if (s.expires_us <= f.now.us)\n    return refuse", "if (s.expires_us < f.now.us)\n    return refuse"),
    ("runtime/decide/step_delegation.cc", "f.deputy != nullptr && d.to_code != kNone &&", "f.deputy != nullptr &&"),
    ("runtime/decide/step_delegation.cc", "right_agent = f.task->agent == f.text && shape.agents.empty();", "right_agent = shape.agents.empty();"),
    ("runtime/decide/step_separation.cc", "if (f.deputy != nullptr) concern(f.deputy->id);", ""),
    ("runtime/decide/step_approvals.cc", "if (f.deputy != nullptr && SameEntity(approver, *f.deputy)) return MayNotSign::kRequester;", ""),
    ("runtime/decide/step_limits.cc", "if (f.deputy != nullptr) AppendCounterPart(out, 'd', f.deputy->id);", ""),
    ("runtime/decide/step_limits.cc", "if (f.partner != kNone) AppendCounterPart(out, 'g', f.partner_subject);", ""),
    # ---- the fold: approvals and commit
    ("runtime/decide/step_approvals.cc", "if (record.binding != binding) return", "if (false) return"),
    ("runtime/decide/step_approvals.cc", "if (record.uses_left == 0) return", "if (false) return"),
    ("runtime/decide/step_approvals.cc", "if (f.person != nullptr && SameEntity(approver, *f.person)) return MayNotSign::kRequester;", ""),
    ("runtime/decide/step_approvals.cc", "if (accountable != kNone && f.program.constants[accountable].text == approver.id)\n      return MayNotSign::kAccountable;", ""),
    ("runtime/decide/step_approvals.cc", "asked <= record.approved_measures[static_cast<size_t>(i)];", "true;"),
    ("runtime/decide/step_approvals.cc", "if (!again) once |= uint32_t{1} << i;", "once |= uint32_t{1} << i, (void)again;"),
    ("runtime/decide/step_commit.cc", "if (f.request.clock_suspect && (f.d.metered || RemembersWhen(f))) return Reason::kErrorClock;", ""),
    ("runtime/decide/step_commit.cc", "s.born = f.request.clock_suspect ? std::min(hop.born, c.now) : hop.born;", "s.born = hop.born;"),
    ("runtime/decide/step_commit.cc", "if (f.request.clock_suspect && writes && f.store.HighTime().us == INT64_MIN)", "if (false)"),
    ("runtime/decide/step_commit.cc", "charge.returns = b.measure != kNone;", "charge.returns = true;"),
    ("runtime/decide/match.cc", "if (a == Truth::kFalse || b == Truth::kFalse) return Truth::kFalse;\n  return a == Truth::kTrue ? b : a;",
     "return a == Truth::kTrue ? b : a;"),
    ("runtime/decide/match.cc", "f.try_all = !f.snapshot.MembershipsFresh(f.now);", "f.try_all = false;"),
    # ---- the second level of the index
    ("runtime/decide/narrow.cc", "if (!PinOf(ReadPath(f_.program, path.path, &f_.env), &value)) return All(path);",
     "if (!PinOf(ReadPath(f_.program, path.path, &f_.env), &value)) return true;"),
    ("runtime/decide/narrow.cc", "if (path.path.OfPerson() && f_.deputy != nullptr) return All(path);", ""),
    ("runtime/decide/narrow.cc", "if (!known) return All(path);", ""),
    ("runtime/decide/narrow.cc", "return out->Add(narrowing.Of(narrowing.rest));", "return true;"),
    ("runtime/decide/narrow.cc", "if (!f_.snapshot.MembershipsFresh(f_.now)) return All(path);", ""),
    ("runtime/bytecode/pins.cc", "    out.pins = Either(a.pins, b.pins);\n", "    out.pins = Both(a.pins, b.pins);\n"),
    ("runtime/bytecode/pins.cc", "ended.stack.push_back(Slot());", "ended.stack.push_back(Of(Slot::Is::kTruth)), ended.stack.back().is_false = true;"),
    ("runtime/bytecode/index.cc", "subject_ ? whole : beside_subject", "whole"),
    ("runtime/decide/nearest.cc", "if (out->passed > most) return true;", "if (out->passed >= most) return true;"),
    ("runtime/decide/step_request.cc", "if (!a.from_request) continue;\n    const WireValue* wire", "const WireValue* wire"),
    ("runtime/decide/step_request.cc", "if (facts != nullptr && facts[i].kind != ValueKind::kUnset) continue;", ""),
    ("runtime/decide/step_request.cc", "if (!f.snapshot.Latest(named.entity)->loaded)", "if (false)"),
    # ---- the machine
    ("runtime/vm/machine.cc", "*top = top[1].IsFalse() ? top[1] : ErrorOf(*top);", "*top = ErrorOf(*top);"),
    ("runtime/vm/machine.cc", "*top = top[1].IsTrue() ? top[1] : ErrorOf(*top);", "*top = ErrorOf(*top);"),
    ("runtime/vm/machine.cc", "Value::Error(ErrorKind::kEmpty)", "Value::Bool(true)"),
    ("runtime/vm/machine.cc", "if (loop->error.kind == ValueKind::kUnset) loop->error = ErrorOf(truth);", ""),
    ("runtime/vm/machine.cc", "if (__builtin_expect(env->steps_left < 0, 0)) goto out_of_steps;", "if (false) goto out_of_steps;"),
    ("runtime/vm/ops_compare.cc", "return Value::Bool(order <= 0);", "return Value::Bool(order < 0);"),
    ("runtime/vm/ops_compare.cc", "low = middle + 1;", "low = middle + 2;"),
    ("runtime/vm/ops_compare.cc", "open_on(yesterday, open)", "open_on(date, open)"),
    ("runtime/vm/ops_compare.cc", "if (one.is_error() && !result.is_error()) result = one;", ""),
    ("runtime/vm/ops_compare.cc", "open.from_us <= time && time < open.to_us", "open.from_us <= time && time <= open.to_us"),
    ("runtime/vm/ops_arith.cc", "if (wide % kDecimalOne != 0) return Range();", ""),
    ("runtime/vm/ops_arith.cc", "if (us % kMicrosPerDay != 0) return Range();", ""),
    ("runtime/vm/ops_subject.cc", "c.env->standing && !c.env->chain.empty() && c.env->chain.front() == agent", "!c.env->chain.empty() && c.env->chain.front() == agent"),
    ("runtime/vm/ops_subject.cc", "if (hop == agent) return Value::Bool(true);", "return Value::Bool(hop == agent);"),
    # ---- state
    # `<` here would be no mistake: what is kept one event too long is not summed (the next edit), and room is made when it is needed.
    ("runtime/state/counter.cc", "while (gone < size_ && events_[gone].at_us <= start) ++gone;", "while (gone < size_ && events_[gone].at_us <= start + 1) ++gone;"),
    ("runtime/state/counter.cc", "events_[i].at_us > start; --i)", "events_[i].at_us >= start; --i)"),
    ("runtime/state/counter.cc", "return down + step;", "return down;"),
    ("runtime/state/clock_guard.cc", "if (offset - base_us_ > kTolerance) suspect_ = true;", "if (base_us_ - offset > kTolerance) suspect_ = true;"),
    ("runtime/state/memory_commit.cc", "if (Epoch() != request.epoch) {", "if (false) {"),
    ("runtime/state/memory_commit.cc", "if (wide || sum > charge.cap) {", "if (wide) {"),
    ("runtime/state/memory_commit.cc", "if (callers_.At(r->value.caller) != caller) return foreign;", "if (false) return foreign;"),
    ("runtime/state/counter.cc", "> WindowStart(now, key.sliding_us) ? used_ : 0;", ">= WindowStart(now, key.sliding_us) ? used_ : 0;"),
    ("runtime/state/memory_commit.cc", "if (reservations_.size() >= options_.max_reservations) return CommitOutcome::kFull;", "if (false) return CommitOutcome::kFull;"),
    ("runtime/state/memory_commit.cc", "if (first != nullptr && *actual > first->quantity) {", "if (false) {"),
    # ---- the checker
    ("compiler/check/grant.cc", "if ((agent.agent.modes & kModeStanding) == 0) {", "if (false) {"),
    ("compiler/check/grant.cc", "CheckTrust(c, s, statement.clauses, decl.trusting_request);", ""),
    ("compiler/check/grant.cc", "if (package.requires_ticket && !decl.meta.ticket.present) {", "if (false) {"),
    ("compiler/check/grant.cc", "if (other == &s) {", "if (false) {"),
    ("compiler/check/forbid.cc", "(attribute != nullptr && attribute->from_request);", "false;"),
    ("compiler/check/forbid.cc", "if (types.size() > 1 && ReadsResource(*decl.unless)) {", "if (false && ReadsResource(*decl.unless)) {"),
    ("compiler/check/limit_cover.cc", "if (covers.where == nullptr && !covers.has_id && covers.containers.empty())", "if (!covers.has_id && covers.containers.empty())"),
    ("compiler/check/limit_cover.cc", "Limits(*cover.block, measure) && AboutAll(c, *cover.covers, granted);", "Limits(*cover.block, measure);"),
    ("compiler/check/limit_cover.cc", "return !granted.subjects->empty() &&\n         std::all_of(", "return !granted.subjects->empty() &&\n         std::any_of("),
    ("compiler/check/delegation.cc", "if ((modes & kModeImpersonate) != 0) CheckBoundaries(c, statement, lent);", ""),
    ("compiler/check/delegation.cc", "if ((model.agent.modes & modes) == 0 && !to.empty()) {", "if (false) {"),
    ("compiler/check/delegation.cc", "if (*hops < 1 || *hops > kMaxHops) {", "if (*hops < 0) {"),
    ("compiler/check/agent.cc", "if (fresh) continue;\n      c.Report(DPL0202", "continue;\n      c.Report(DPL0202"),
    ("compiler/check/agent.cc", "if (standing && !granted[i]) {", "if (false) {"),
    ("compiler/check/approval.cc", "if (count && (*count < 1 || *count > 16)) {", "if (count && *count < 1) {"),
    ("compiler/check/overlap.cc", "return TeamWithin(c, inner.ref, outer.ref, &seen);", "return inner.ref == outer.ref;"),
    ("compiler/check/overlap.cc", "if (same != b_pins.end() && Disjoint(values, same->second)) return true;", "if (same != b_pins.end()) return true;"),
    ("compiler/check/conflict.cc", "bool done = AgainstAll(place, group.free, activity);", "bool done = true;"),
    ("compiler/check/conflict.cc", "if (meeting != Meeting::kApart) continue;", "continue;"),
    ("compiler/check/limit.cc", "if (*us >= kMinWindowUs && *us <= kMaxWindowUs) return true;", "if (*us >= kMinWindowUs) return true;"),
    ("compiler/check/limit.cc", "if (constant == kNone || c_.model.constants[constant].number > 0) return true;", "if (true) return true;"),
    # ---- searches: whom an index or a plan forgets
    ("runtime/search/candidates.cc", "agreed = at == from && agreed != 0 ? agreed + 1 : 1;", "agreed = agreed + 1;"),
    ("runtime/search/candidates.cc", "size_t low = at_ < list_.size() && list_[at_] <= from ? at_ : 0;", "size_t low = at_;"),
    ("runtime/search/index.cc", "Value value = entity.attributes == nullptr ? Value()", "Value value = rank == 1 || entity.attributes == nullptr ? Value()"),
    ("runtime/search/index.cc", "if (at->parent_state != Entity::Parent::kKnown) break;", "if (level == 1 || at->parent_state != Entity::Parent::kKnown) break;"),
    ("runtime/search/invert.cc", "return unsaid ? space_.Or({with, space_.Looked(index_.PersonsWithout(attribute))}) : with;", "return with;"),
    ("runtime/search/invert.cc", "any.push_back(space_.Looked(index_.InRoleAt(role, at)));\n      at = at->parent_state == Entity::Parent::kKnown ? snapshot_.Latest(at->parent) : nullptr;",
     "any.push_back(space_.Looked(index_.InRoleAt(role, at)));\n      at = nullptr;"),
    ("runtime/search/invert.cc", "if (h.scope == nullptr || searching_persons()) return space_.All();", "if (h.scope == nullptr || searching_persons()) continue;"),
    ("runtime/search/invert.cc", "truth(space_.Or({Truth(a), Truth(b)}));", "truth(space_.And({Truth(a), Truth(b)}));"),
    ("runtime/search/invert.cc", "return comparable ? Whether(order == 0) : space_.All();", "return comparable ? Whether(order != 0) : space_.All();"),
    ("runtime/search/invert.cc", "if (searching_persons() || parent_may_be_said_) return space_.All();", "if (searching_persons()) return space_.All();"),
    ("runtime/search/plan.cc", "for (const Holding& h : facts.roles) keys_.push_back({KeyKind::kRole, h.role});", ""),
    ("runtime/search/plan.cc", "if (hop.is_person) continue;", "if (hop.is_person) return space_.Empty();"),
    ("runtime/search/plan.cc", "if (foreign_ || people || r.hop_count == 0 || !of_person) return space_.All();", "if (foreign_ || r.hop_count == 0 || !of_person) return space_.All();"),
    ("runtime/search/plan.cc", "return s.granted_us > scene_.now.us || s.expires_us <= scene_.now.us;", "return s.granted_us <= scene_.now.us || s.expires_us <= scene_.now.us;"),
    ("runtime/search/plan.cc", "if (turn > scene_.now.us) plan_.until.us = std::min(plan_.until.us, turn);", "if (turn > scene_.now.us) plan_.until.us = std::max(plan_.until.us, turn);"),
    ("runtime/search/plan_cache.cc", "one.question == question;", "one.question.size() == question.size();"),
    ("runtime/search/search.cc", "if (page_.results == bounds_.results) {", "if (page_.results + 1 == bounds_.results) {"),
    ("runtime/search/search.cc", "d.reason == Reason::kWouldPermit && d.partner == kNone", "d.reason == Reason::kWouldPermit"),
    ("runtime/search/search.cc", "return what == SearchFor::kResource && step >= 2 && step <= 5;", "return step >= 2 && step <= 5;"),
    ("runtime/search/search.cc", "same_but_for_id_ = query_.what == SearchFor::kResource ||", "same_but_for_id_ = true ||"),
]

# What an edit leaves unused is no mistake of the edit.
UNUSED = "".join(f'#pragma GCC diagnostic ignored "-Wunused-{what}"\n' for what in ("variable", "parameter", "function", "but-set-variable"))

# What is to notice, quick ones first: a program and its arguments. It is built only when those before it noticed nothing.
STORIES = ("dplc",)  # the tests of every story under policies/, and the goldens
ORACLE = ("test_oracle", "--gtest_filter=Oracle.*")
LAWS = ("test_laws",)
TESTS = [
    ("runtime/decide/", [("test_decide",), ("test_testing",), STORIES, ORACLE, LAWS]),
    ("runtime/bytecode/", [("test_bytecode",), ("test_laws", "--gtest_filter=Narrowing.*"), ORACLE]),
    ("runtime/vm/", [("test_vm",), ("test_decide",), STORIES, ORACLE, LAWS]),
    ("runtime/state/", [("test_state",), ("test_decide",), ORACLE]),
    ("runtime/search/", [("test_search",)]),
    ("compiler/check/", [("test_check",), ("test_decide",), LAWS]),
]


def tests_of(file):
    return next(tests for prefix, tests in TESTS if file.startswith(prefix))


def label(edit):
    file, old, new = edit
    return f"{file}: {' '.join(old.split())} => {' '.join(new.split()) or 'nothing'}"


def misplaced():
    """Edits whose text does not stand in its file exactly once."""
    out = []
    for edit in EDITS:
        path = ROOT / edit[0]
        found = path.read_text().count(edit[1]) if path.exists() else 0
        if found != 1:
            out.append(f"{label(edit)}: the text is there {found} times")
    return out


class Scratch:
    """A copy of the tree with its own build."""

    def __init__(self, where):
        self.tree, self.build = where / "tree", where / "tree" / "build"
        self.tree.mkdir(parents=True, exist_ok=True)
        names = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"], check=True, capture_output=True, text=True)
        kept = set()
        for name in names.stdout.splitlines():
            source, target = ROOT / name, self.tree / name
            if not source.is_file():
                continue
            kept.add(name)
            if target.exists() and target.read_bytes() == source.read_bytes():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            shutil.copymode(source, target)
        for old in self.tree.rglob("*"):
            name = str(old.relative_to(self.tree))
            if old.is_file() and not name.startswith("build/") and name not in kept:
                old.unlink()
        self.env = dict(os.environ, CCACHE_BASEDIR=str(self.tree), DPL_ORACLE_CASES="60000")

    def run(self, command, timeout=None):
        try:
            done = subprocess.run(command, cwd=self.tree, env=self.env, capture_output=True, text=True, errors="replace", timeout=timeout)
        except subprocess.TimeoutExpired:
            return None, "it did not end"
        return done.returncode, done.stdout + done.stderr

    def make(self, targets):
        if not (self.build / "build.ninja").exists():
            code, output = self.run(["cmake", "--preset", "release"])
            if code != 0:
                return code, output
        return self.run(["ninja", "-C", str(self.build), *targets])

    def noticed(self, tests):
        """(whether it compiles, the first test that fails or None)"""
        for name, *arguments in tests:
            code, output = self.make([name])
            if code != 0:
                return False, "\n".join(line for line in output.splitlines() if "error" in line)[:2000]
            if name == "dplc":
                for story in self.stories():
                    code, _ = self.run([str(self.build / "bin/dplc"), "test", story], timeout=60)
                    if code != 0:
                        return True, f"dplc test {story}"
                continue
            code, output = self.run([str(self.build / "tests" / name), "--gtest_brief=1", "--gtest_fail_fast", *arguments], timeout=300)
            if code != 0:
                failed = [line.split("]", 1)[1].strip() for line in output.splitlines() if line.startswith("[  FAILED  ]")]
                return True, f"{name}: {failed[0].split(',')[0] if failed else 'it crashed or did not end'}"
        return True, None

    def stories(self):
        folders = {p.parent for p in self.tree.glob("policies/**/*.dpl") if "refused" not in p.parts}
        folders = {f for f in folders if not any(o in f.parents for o in folders)}
        goldens = [self.tree / "tests/golden/samples", *self.tree.glob("tests/golden/regressions/*.dpl")]
        return [str(p.relative_to(self.tree)) for p in sorted(folders) + sorted(goldens)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", type=Path, default=ROOT / "build" / "mutation")
    arguments.add_argument("-k", metavar="WORD", default="", help="only edits whose label holds WORD")
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--check", action="store_true", help="only see whether the table fits the code")
    arguments.add_argument("--only", default="", metavar="N,M…", help="only the edits of these numbers")
    options = arguments.parse_args()
    wrong = misplaced()
    for line in wrong:
        print(f"FAILED {line}")
    if options.list:
        print("\n".join(label(e) for e in EDITS))
    if options.check or options.list:
        print(f"{len(EDITS) - len(wrong)} passed, {len(wrong)} failed")
        return 1 if wrong else 0
    if wrong:
        print(f"0 passed, {len(wrong)} failed")
        return 1
    edits = [e for e in EDITS if options.k in label(e)]
    scratch = Scratch(options.build)
    for tests in {tests_of(e[0])[0][0]: tests_of(e[0]) for e in edits}.values():
        compiles, failed = scratch.noticed(tests)
        if failed:
            print(f"FAILED the unchanged tree fails {failed}\n0 passed, 1 failed")
            return 1
    passed = failed = 0
    only = {int(n) for n in options.only.split(",") if n}
    for number, edit in enumerate(edits, 1):
        if only and number not in only:
            continue
        file, old, new = edit
        path, start = scratch.tree / file, time.monotonic()
        text = path.read_text()
        path.write_text(UNUSED + text.replace(old, new))
        try:
            compiles, noticed = scratch.noticed(tests_of(file))
        finally:
            path.write_text(text)
        took = f"{time.monotonic() - start:.0f} s"
        if not compiles:
            print(f"{noticed}\nFAILED {number}/{len(edits)} does not compile: {label(edit)}", flush=True)
        elif noticed is None:
            print(f"FAILED {number}/{len(edits)} nobody noticed: {label(edit)} ({took})", flush=True)
        else:
            print(f"ok {number}/{len(edits)} {label(edit)}\n     {noticed} ({took})", flush=True)
        good = compiles and noticed is not None
        passed += good
        failed += not good
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
