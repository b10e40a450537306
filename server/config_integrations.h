// Reads the member `integrations` of the configuration file.
#pragma once

#include "runtime/base/wire.h"
#include "server/config_reader.h"
#include "server/gate/gate.h"

namespace dpl {

void ReadIntegrations(const WireValue& value, ConfigProblems* problems, GateOptions* out);

}  // namespace dpl
