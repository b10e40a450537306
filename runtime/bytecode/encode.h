// A Program as the bytes of a `.dplb` bundle. Equal programs give equal bytes; layout:
// docs/bytecode.md.
//
//   std::string bytes = EncodeBundle(program);      // write to a file; DecodeBundle reads it back
//   program.digest = BundleDigest(bytes);           // what decode would set
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/bytecode/program.h"

namespace dpl {

std::string EncodeBundle(const Program& program);

// The digest the header of these bytes holds; all zero when they are too short to have one.
std::array<uint8_t, 32> BundleDigest(std::string_view bytes);

// Writes the digest that belongs to these bytes into their header, so that a test can reach what
// lies behind the check.
void RepairDigestForTest(std::string* bytes);

}  // namespace dpl
