// See gate.h.
#include "server/gate/gate.h"

#include "server/gate/proxy.h"

namespace dpl {

std::shared_ptr<const Adapters> MakeAdapters(const GateOptions& options) {
  auto made = std::make_shared<Adapters>();
  if (!options.nginx_path.empty()) {
    made->push_back(
        std::make_unique<NginxAdapter>(options.nginx_path, options.subject_type, options.routes));
  }
  if (!options.envoy_path.empty()) {
    made->push_back(
        std::make_unique<EnvoyAdapter>(options.envoy_path, options.subject_type, options.routes));
  }
  if (options.kubernetes) made->push_back(std::make_unique<KubernetesAdapter>(*options.kubernetes));
  return made;
}

}  // namespace dpl
