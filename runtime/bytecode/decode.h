// The bytes of a `.dplb` bundle as a verified Program.
//
//   Result<Program> program = DecodeBundle(bytes);
//   if (!program.ok()) …   // "bundle.digest": "the digest does not match the content"
//
// Refuses with a reason whatever it cannot prove to be a program that is safe to run; memory stays
// in proportion to the size of the bytes. Codes: bundle.size, bundle.magic, bundle.version,
// bundle.header, bundle.digest, bundle.content, and those of verify.h. The result owns everything;
// any thread.
#pragma once

#include <string_view>

#include "runtime/base/result.h"
#include "runtime/bytecode/program.h"

namespace dpl {

Result<Program> DecodeBundle(std::string_view bytes);

}  // namespace dpl
