// Order, equality and text of values; and typing of what a request says.
#include "runtime/facts/value.h"

#include <gtest/gtest.h>

#include "runtime/json/json.h"
#include "tests/unit/facts/policy_for_test.h"

namespace dpl {
namespace {

int Order(const Value& a, const Value& b, bool* comparable) {
  return CompareValues(a, b, comparable);
}

TEST(Values, OrderWithinAKind) {
  bool comparable = true;
  auto i = [](int64_t n) { return Value::Int(ValueKind::kInt, n); };
  EXPECT_LT(Order(i(INT64_MIN), i(INT64_MAX), &comparable), 0);
  EXPECT_EQ(Order(i(4), i(4), &comparable), 0);
  EXPECT_GT(Order(Value::Text(ValueKind::kString, "b"), Value::Text(ValueKind::kString, "ab"),
                  &comparable),
            0);
  EXPECT_LT(Order(Value::Text(ValueKind::kString, ""), Value::Text(ValueKind::kString, "\x01"),
                  &comparable),
            0);
  EXPECT_LT(Order(Value::Text(ValueKind::kString, "z"), Value::Text(ValueKind::kString, "\xc3\xa9"),
                  &comparable),
            0)
      << "bytes are unsigned";
  EXPECT_TRUE(comparable);
}

TEST(Values, TwoCurrenciesOrEnumsDoNotCompare) {
  bool comparable = true;
  Order(Value::Int(ValueKind::kMoney, 5, 1), Value::Int(ValueKind::kMoney, 5, 2), &comparable);
  EXPECT_FALSE(comparable);
  comparable = true;
  Order(Value::Int(ValueKind::kEnum, 0, 0), Value::Int(ValueKind::kEnum, 0, 1), &comparable);
  EXPECT_FALSE(comparable);
  comparable = true;
  Order(Value::Int(ValueKind::kInt, 0), Value::Int(ValueKind::kDecimal, 0), &comparable);
  EXPECT_FALSE(comparable);
  comparable = true;
  Order(Value::Error(ErrorKind::kMissing), Value::Error(ErrorKind::kMissing), &comparable);
  EXPECT_FALSE(comparable);
}

TEST(Values, SetsCompareByTheirElements) {
  Value a[] = {Value::Int(ValueKind::kMoney, 1, 1), Value::Int(ValueKind::kMoney, 2, 1)};
  Value b[] = {Value::Int(ValueKind::kMoney, 1, 1), Value::Int(ValueKind::kMoney, 2, 2)};
  bool comparable = true;
  EXPECT_EQ(
      Order(Value::Items(ValueKind::kSet, a, 2), Value::Items(ValueKind::kSet, a, 2), &comparable),
      0);
  EXPECT_LT(
      Order(Value::Items(ValueKind::kSet, a, 1), Value::Items(ValueKind::kSet, a, 2), &comparable),
      0);
  EXPECT_TRUE(comparable);
  Order(Value::Items(ValueKind::kSet, a, 2), Value::Items(ValueKind::kSet, b, 2), &comparable);
  EXPECT_FALSE(comparable) << "a currency inside counts too";
}

TEST(Values, AnAbsentFieldDiffersFromAnyValue) {
  Value a[] = {Value::Int(ValueKind::kInt, 1), Value::Absent()};
  Value b[] = {Value::Int(ValueKind::kInt, 1), Value::Int(ValueKind::kInt, 2)};
  bool comparable = true;
  EXPECT_NE(Order(Value::Items(ValueKind::kRecord, a, 2), Value::Items(ValueKind::kRecord, b, 2),
                  &comparable),
            0);
  EXPECT_EQ(Order(Value::Items(ValueKind::kRecord, a, 2), Value::Items(ValueKind::kRecord, a, 2),
                  &comparable),
            0);
  EXPECT_TRUE(comparable);
}

TEST(Values, EntitiesAreTheirTypeAndId) {
  Entity a, b, c;
  a.type = b.type = 1;
  a.id = b.id = "x";
  c.type = 2;
  c.id = "x";
  bool comparable = true;
  auto of = [](const Entity& e) { return Value::Of(ValueKind::kResource, &e); };
  EXPECT_EQ(Order(of(a), of(b), &comparable), 0);
  EXPECT_NE(Order(of(a), of(c), &comparable), 0);
  EXPECT_TRUE(SameEntity(a, b));
  EXPECT_FALSE(SameEntity(a, c));
}

TEST(Values, CanonicalSets) {
  Value items[] = {Value::Int(ValueKind::kInt, 3), Value::Int(ValueKind::kInt, 1),
                   Value::Int(ValueKind::kInt, 3)};
  ASSERT_EQ(MakeCanonicalSet(items, 3), 2u);
  EXPECT_EQ(items[0].i, 1);
  EXPECT_EQ(items[1].i, 3);
  EXPECT_EQ(MakeCanonicalSet(items, 0), 0u);
}

TEST(Values, TextOfErrorsAndQuotes) {
  PolicyForTest policy;
  std::string out;
  AppendValue(&out, Value::Error(ErrorKind::kStale), policy.p.schema);
  EXPECT_EQ(out, "unknown (stale)");
  out.clear();
  AppendValue(&out, Value::Text(ValueKind::kString, "a\"\n"), policy.p.schema);
  EXPECT_EQ(out, "\"a\\\"\\n\"");
}

// ---------------------------------------------------------------- what requests say

class TypeValueTest : public testing::Test {
 protected:
  void SetUp() override {
    record_ = policy_.T(TypeKind::kRecord, 0);  // before the policy is handed over
    item_ = policy_.T(TypeKind::kResource, policy_.item);
    snapshot_ =
        Join(policy_,
             R"({"persons": [{"id": "E1"}], "resources": [{"type": "app.Folder", "id": "A"}]})")
            .take();
  }
  Result<Value> Type(std::string_view json, TypeId type) {
    Result<const WireValue*> wire = ParseJson(json, &arena_);
    EXPECT_TRUE(wire.ok());
    return snapshot_->TypeValue(**wire, type, &arena_);
  }
  PolicyForTest policy_;
  TypeId record_ = 0, item_ = 0;
  Arena arena_;
  std::unique_ptr<Snapshot> snapshot_;
};

TEST_F(TypeValueTest, ReferencesToKnownAndUnknownThings) {
  TypeId person = policy_.T(TypeKind::kPerson),
         folder = policy_.T(TypeKind::kResource, policy_.folder);
  EXPECT_EQ(Type("\"E1\"", person)->entity, snapshot_->FindPerson("E1"));
  Result<Value> unknown = Type("\"E9\"", person);
  ASSERT_TRUE(unknown.ok());
  EXPECT_EQ(unknown->entity->id, "E9");
  EXPECT_TRUE(unknown->entity->is_person);
  EXPECT_FALSE(unknown->entity->loaded);
  EXPECT_EQ(snapshot_->FindPerson("E9"), nullptr) << "a request adds nothing to the facts";
  EXPECT_EQ(snapshot_->InTeam(*unknown->entity, 0, At("2026-11-20T15:00Z")), Truth::kError);
  Result<Value> nowhere =
      Type(R"({"type": "app.Folder", "id": "Z", "properties": {"x": 1}})", folder);
  ASSERT_TRUE(nowhere.ok());
  EXPECT_EQ(nowhere->entity->parent_state, Entity::Parent::kNoFact);
  EXPECT_EQ(snapshot_->ResourceIn(*nowhere->entity, *snapshot_->FindResource(policy_.folder, "A")),
            Truth::kError);
}

TEST_F(TypeValueTest, AReferencesTypeIsItsNameOrItsWireName) {
  EXPECT_TRUE(Type(R"({"type": "item", "id": "a"})", item_).ok());
  EXPECT_TRUE(Type(R"({"type": "app.Item", "id": "a"})", item_).ok());
  EXPECT_FALSE(Type(R"({"type": "app.Doc", "id": "a"})", item_).ok());
  EXPECT_FALSE(Type(R"({"type": "person", "id": "a"})", item_).ok());
  EXPECT_FALSE(Type(R"({"type": "item", "id": "A"})", item_).ok()) << "the key's own form";
}

TEST_F(TypeValueTest, RecordsOfRequestsMayHoldMore) {
  EXPECT_TRUE(Type(R"({"street": "a", "extra": 1})", record_).ok());
  Result<Value> missing = Type(R"({"zip": "1"})", record_);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, "type");
}

TEST_F(TypeValueTest, MoneyIsNeverABareNumber) {
  TypeId money = policy_.T(TypeKind::kMoney);
  for (std::string_view bad : {"5000", "5000.0", "\"5000\"", "\"5000.00USD\"", "{}", "null"}) {
    Result<Value> value = Type(bad, money);
    ASSERT_FALSE(value.ok()) << bad;
    EXPECT_EQ(value.error().code, "type");
    EXPECT_EQ(value.error().line, 1u);
  }
  for (std::string_view good : {"\"5000.00 USD\"", R"({"amount": "5000.00", "currency": "USD"})",
                                R"({"minor": 500000, "currency": "USD"})"}) {
    Result<Value> value = Type(good, money);
    ASSERT_TRUE(value.ok()) << good;
    EXPECT_EQ(value->i, 500000);
  }
}

TEST_F(TypeValueTest, AFullArenaIsAnErrorAndNothingElse) {
  Arena small(64);
  Result<const WireValue*> wire = ParseJson("\"" + std::string(500, 'a') + "\"", &arena_);
  Result<Value> value = snapshot_->TypeValue(**wire, policy_.T(TypeKind::kString), &small);
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().code, "memory");
  EXPECT_TRUE(snapshot_->TypeValue(**wire, policy_.T(TypeKind::kString), &arena_).ok());
}

}  // namespace
}  // namespace dpl
