// The integration endpoints that the configuration switches on, as adapters for the service.
//
//   service.Publish(snapshot, callers, inputs, MakeAdapters(config.integrations));
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/api/adapter.h"
#include "server/gate/kubernetes.h"
#include "server/gate/routes.h"

namespace dpl {

struct GateOptions {
  std::string nginx_path, envoy_path;   // empty: off
  std::string subject_type = "person";  // where a proxy does not say
  std::shared_ptr<RouteTable> routes = std::make_shared<RouteTable>();
  std::optional<KubernetesOptions> kubernetes;
};

std::shared_ptr<const Adapters> MakeAdapters(const GateOptions& options);

}  // namespace dpl
