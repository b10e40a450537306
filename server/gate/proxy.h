// HTTP proxies that ask before they pass a request on: nginx `auth_request` and Envoy `ext_authz`
// in its HTTP mode. Described in docs/integrations/.
//
// Both name the request by method and target, and the caller's caller by headers (identity.h); the
// routes say what that means. A permit is 200, a denial and an `ask` are 403. What cannot be
// understood for certain is a denial.
#pragma once

#include <memory>
#include <string>

#include "server/api/adapter.h"
#include "server/gate/routes.h"

namespace dpl {

class ProxyAdapter : public Adapter {
 public:
  void Answer(std::string_view evaluation, const WireValue& answer,
              HttpResponse* response) const override;
  void Refuse(std::string_view why, HttpResponse* response) const override;

 protected:
  ProxyAdapter(std::string path, std::string subject_type, std::shared_ptr<const RouteTable> routes,
               bool body)
      : path_(std::move(path)),
        subject_type_(std::move(subject_type)),
        routes_(std::move(routes)),
        body_(body) {}
  std::string AskAbout(const HttpRequest& request, std::string_view method, std::string_view host,
                       std::string_view target, std::string* evaluation) const;

  const std::string path_;

 private:
  const std::string subject_type_;
  const std::shared_ptr<const RouteTable> routes_;
  const bool body_;  // a denial says in its body what it is
};

// X-Original-Method and X-Original-URI say what nginx was asked, X-Original-Host (optional) where.
class NginxAdapter final : public ProxyAdapter {
 public:
  NginxAdapter(std::string path, std::string subject_type, std::shared_ptr<const RouteTable> routes)
      : ProxyAdapter(std::move(path), std::move(subject_type), std::move(routes), false) {}
  bool Takes(std::string_view path) const override { return path == path_; }
  std::string Ask(const HttpRequest& request, std::string* evaluation) const override;
};

// The request's own method and Host; its target behind the adapter's path (`path_prefix`).
class EnvoyAdapter final : public ProxyAdapter {
 public:
  EnvoyAdapter(std::string path, std::string subject_type, std::shared_ptr<const RouteTable> routes)
      : ProxyAdapter(std::move(path), std::move(subject_type), std::move(routes), true) {}
  bool Takes(std::string_view path) const override {
    return path.size() > path_.size() && path.starts_with(path_) && path[path_.size()] == '/';
  }
  std::string Ask(const HttpRequest& request, std::string* evaluation) const override;
};

}  // namespace dpl
