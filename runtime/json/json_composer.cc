// What is seldom needed of the composer: more room, and texts with something to escape.
#include "runtime/json/json_composer.h"

#include <algorithm>

namespace dpl {

void JsonComposer::Reserve(size_t more) {
  const auto size = static_cast<size_t>(at_ - out_->data());
  const size_t needed = size + more;
  // What is there already is used before more is asked for.
  out_->resize(std::max(needed, std::min(out_->capacity(), size + std::max(more, kFirst))));
  at_ = out_->data() + size;
  end_ = out_->data() + out_->size();
}

void JsonComposer::Awkward(std::string_view value) {
  out_->resize(static_cast<size_t>(at_ - out_->data()));
  AppendJsonString(out_, value);
  at_ = end_ = out_->data() + out_->size();
}

}  // namespace dpl
