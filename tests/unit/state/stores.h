// What the tests of stores share: a store of each kind, in a folder of its own, and a commit in a
// line.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "runtime/state/durable_store.h"
#include "runtime/state/memory_store.h"
#include "tests/support/temporary_folder.h"

namespace dpl {

// One store, in memory or on disk.
class StoreTest : public ::testing::TestWithParam<const char*> {
 protected:
  StoreTest() { Open(); }
  void Open() {
    if (GetParam() == std::string("memory")) {
      store_ = std::make_unique<MemoryStore>();
      return;
    }
    Result<std::unique_ptr<DurableStore>> opened = DurableStore::Open({.folder = folder_.path()});
    DPL_CHECK(opened.ok());
    store_ = opened.take();
  }
  StateStore& store() { return *store_; }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<StateStore> store_;
};

inline Instant At(int64_t seconds) {
  return Instant{1'800'000'000'000'000 + seconds * kMicrosPerSecond};
}

inline CounterKey Total(std::string_view name) {
  CounterKey key;
  key.identity = name;
  return key;
}

struct One {
  explicit One(StateStore* s, std::string_view counter = "c", int64_t quantity = 1,
               int64_t cap = INT64_MAX)
      : store(s) {
    charge.counter = Total(counter);
    charge.quantity = quantity;
    charge.cap = cap;
    request.charges = {&charge, 1};
    request.now = At(0);
    request.caller = "pep";
    request.reservation_deadline = At(3600);
  }
  CommitResult Commit() {
    request.epoch = store->Epoch();
    return store->Commit(request);
  }
  StateStore* store;
  Charge charge;
  CommitRequest request;
};

}  // namespace dpl
