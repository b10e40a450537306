// Another protocol's way to ask the same question: what server/gate gives the service.
//
//   service.Publish(snapshot, callers, inputs, MakeAdapters(config.integrations));
//
// The service admits the caller, has the adapter put the request into AuthZEN's words, evaluates
// those as if they had come to /access/v1/evaluation, and has the adapter put the answer into its
// protocol's words. There is no other way to a decision. An adapter keeps nothing between requests;
// any number of threads use it at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/wire.h"
#include "server/http/message.h"

namespace dpl {

class Adapter {
 public:
  virtual ~Adapter() = default;

  // True for the paths of the decision listener that are this adapter's.
  virtual bool Takes(std::string_view path) const = 0;

  // Appends the JSON of one evaluation. When it returns a text, the request cannot be understood
  // for certain: nothing is asked, the text is recorded, and Refuse() answers.
  virtual std::string Ask(const HttpRequest& request, std::string* evaluation) const = 0;

  // Puts an answer of /access/v1/evaluation into the protocol's words. `evaluation`: what was
  // asked.
  virtual void Answer(std::string_view evaluation, const WireValue& answer,
                      HttpResponse* response) const = 0;

  // A denial without a decision: `why` is for the operator.
  virtual void Refuse(std::string_view why, HttpResponse* response) const = 0;
};

// Each on its paths of the decision listener.
using Adapters = std::vector<std::unique_ptr<const Adapter>>;

}  // namespace dpl
