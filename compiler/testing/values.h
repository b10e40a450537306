// Test expressions as WireValues: what a fact or a request parameter written in a `test` block says
// on the wire.
//
// Tests go through the same untyped front door as JSON (the schema types the value), so that a test
// cannot say what a caller could not. Literals, enum members, constants, sets, records, references
// and the columns of `with` are values; anything else is an error.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ast/nodes.h"
#include "runtime/base/arena.h"
#include "runtime/base/result.h"
#include "runtime/base/wire.h"

namespace dpl::testing {

// The cells of the row being run, by column name.
using Columns = std::map<std::string, const ast::Cell*, std::less<>>;

Result<WireValue> ToWire(const ast::Expr& expr, const Columns& columns, Arena* arena);
Result<WireValue> ToWire(const ast::Quantity& quantity, const Columns& columns, Arena* arena);

// An object of the fields, names as given by `wire_name(field name)`.
struct NamedWire {
  std::string_view name;
  WireValue value;
};
WireValue MakeObject(const std::vector<NamedWire>& members, Arena* arena);

WireValue WireText(std::string_view text, Arena* arena);
std::string WithoutUnderscores(std::string_view digits);

}  // namespace dpl::testing
