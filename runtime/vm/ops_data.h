// Operations that fetch: request, facts, attributes, time.
#pragma once

#include "runtime/vm/context.h"

namespace dpl::vm {

Value LoadParam(Context& c, uint32_t name);
Value LoadContext(Context& c, uint32_t attribute);
Value LoadTaskParam(Context& c, uint32_t index);
Value PersonAttr(Context& c, const Value& person, uint32_t attribute);
Value ResourceAttr(Context& c, const Value& resource, uint32_t type, uint32_t attribute);
Value ResourceParent(Context& c, const Value& resource, uint32_t type);
Value EntityKey(Context& c, const Value& entity);
Value RecordField(Context& c, const Value& record, uint32_t field);
Value LabelValue(Context& c, const Value& labels, uint32_t key);
Value NowDate(Context& c, uint32_t zone);
Value NowTime(Context& c, uint32_t zone);
Value NowWeekday(Context& c, uint32_t zone);
Value IsKnown(const Value& v);
Value MakeSet(Context& c, const Value* items, uint32_t count);
Value MakeRecord(Context& c, const Value* items, uint32_t count);

}  // namespace dpl::vm
