// Time zones by name, as tables that travel in the bundle. The only file that asks ICU about zones
// is zones.cc.
#pragma once

#include <string>

#include "runtime/base/zone.h"

namespace dpl::check {

// False when the time-zone database has no zone of this (IANA) name.
bool ReadZone(const std::string& name, ZoneTable* out);

// Zone names near to this one, for suggestions.
std::string SuggestZone(const std::string& name);

}  // namespace dpl::check
