// The operating API behind its own listeners: what every call has in common before and after its
// route's function.
//
//   OperateService operate({.service = &service, .store = &store, .clock = &clock});
//   HttpServer server(limits, [&](const HttpRequest& q, HttpResponse* a) { operate.Handle(q, a); },
//                     &gate, ErrorForm::kProblem);
//
// Nothing of it is reachable from the listeners of decisions, and no decision is asked for here.
// Every caller is registered (server/api/callers.h). Where none is, for development, only a peer on
// a unix socket with our own user id is let in, with all roles. Any number of threads at once; a
// call may take as long as a walk over what the store holds.
#pragma once

#include "server/operate/call.h"

namespace dpl {

class OperateService {
 public:
  explicit OperateService(OperateOptions options) : options_(std::move(options)) {}
  OperateService(const OperateService&) = delete;
  OperateService& operator=(const OperateService&) = delete;

  void Handle(const HttpRequest& request, HttpResponse* response) const;

 private:
  const OperateOptions options_;
};

}  // namespace dpl
