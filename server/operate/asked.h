// A request for access as it is kept: the evaluation that was answered `ask`, decided again
// whenever somebody looks at it or signs it, so that nobody signs what is no longer asked.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/decide/ask.h"
#include "runtime/decide/wire_request.h"
#include "server/operate/call.h"

namespace dpl {

// The `shown` of an AccessRequest: {"sentence", "because", "evaluation"}.
std::string MakeShown(const WireValue& body, std::string_view sentence, std::string_view because);

class AskedAgain {
 public:
  // The caller that asked must still be registered, and the decision still be the same `ask`: else
  // null, and `why` says what has changed. `signatures`: of those who said yes.
  static std::unique_ptr<AskedAgain> Decide(const Call& call, const AccessRequest& record,
                                            const std::vector<Signature>& signatures,
                                            std::string* why);

  const Decision& decision() const { return *decision_; }
  int which() const { return which_; }  // the approval's place in Decision::approvals
  const Approval& approval(const Program& program) const {
    return program.approvals[decision_->approvals.items[which_]];
  }
  MayNotSign MaySign(size_t signature) const { return asked().signers[signature]; }
  bool Enough() const { return asked().enough; }  // of the signatures given

 private:
  const AskReport::Asked& asked() const { return report_.approvals[static_cast<size_t>(which_)]; }

  Arena arena_;
  std::optional<Request> request_;
  const Decision* decision_ = nullptr;
  AskReport report_;
  int which_ = 0;
};

}  // namespace dpl
