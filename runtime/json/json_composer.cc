// What is seldom needed of the composer: more room, and texts with something to escape.
#include "runtime/json/json_composer.h"

#include <algorithm>

namespace dpl {

void JsonComposer::Reserve(size_t more) {
  const size_t needed = size_ + more;
  // What is there already is used before more is asked for.
  out_->resize(std::max(needed, std::min(out_->capacity(), size_ + std::max(more, kFirst))));
}

void JsonComposer::Awkward(std::string_view value) {
  out_->resize(size_);
  AppendJsonString(out_, value);
  size_ = out_->size();
}

}  // namespace dpl
