// Kubernetes' authorization webhook: SubjectAccessReview of authorization.k8s.io/v1. Described in
// docs/integrations/kubernetes.md.
//
//   resource attributes      k8s:pods, k8s:deployments.apps/scale …   namespace/name, or
//   namespace/* non-resource attributes  k8s-url                                  the path
//
// The action is the verb. The answer is always 200: `allowed`, or `denied`, which no later
// authorizer of the cluster can undo, or neither where the configuration leaves it to them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/api/adapter.h"

namespace dpl {

struct KubernetesOptions {
  // Which users are what: the first that fits. `user` is a name, or ends in `*`; then a `*` at the
  // end of `id` stands for the same. Empty id: the user's name.
  struct Subject {
    std::string user, type, id;
  };
  std::string path;
  std::string subject_type = "person";  // of users that none of `subjects` fits
  std::vector<Subject> subjects;
  // Else such a denial has no opinion, and the cluster's next authorizer may allow: of what no
  // grant covers, and of subjects that nobody knows. What an agent asks, or asks in a task, is
  // always denied for good, and so is what is forbidden or revoked.
  bool final_ungranted = true, final_unknown = true;
  std::string agent_extra;     // the `extra` key that names the agent; empty: none does
  std::string instance_extra;  // its run
  std::string task_extra;      // the task
};

class KubernetesAdapter final : public Adapter {
 public:
  explicit KubernetesAdapter(KubernetesOptions options) : options_(std::move(options)) {}
  bool Takes(std::string_view path) const override { return path == options_.path; }
  std::string Ask(const HttpRequest& request, std::string* evaluation) const override;
  void Answer(std::string_view evaluation, const WireValue& answer,
              HttpResponse* response) const override;
  void Refuse(std::string_view why, HttpResponse* response) const override;

 private:
  bool IsFinal(std::string_view evaluation, const WireValue& answer) const;
  const KubernetesOptions options_;
};

}  // namespace dpl
