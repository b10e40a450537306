// See gate.h.
#include "server/gate/gate.h"

#include "server/gate/proxy.h"

namespace dpl {

Gate::Gate(const GateOptions& options) {
  if (!options.nginx_path.empty()) {
    adapters_.push_back(
        std::make_unique<NginxAdapter>(options.nginx_path, options.subject_type, options.routes));
  }
  if (!options.envoy_path.empty()) {
    adapters_.push_back(
        std::make_unique<EnvoyAdapter>(options.envoy_path, options.subject_type, options.routes));
  }
  if (options.kubernetes)
    adapters_.push_back(std::make_unique<KubernetesAdapter>(*options.kubernetes));
}

std::vector<const Adapter*> Gate::adapters() const {
  std::vector<const Adapter*> out;
  for (const std::unique_ptr<const Adapter>& adapter : adapters_) out.push_back(adapter.get());
  return out;
}

}  // namespace dpl
