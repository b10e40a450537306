// What may stand in a text, and how texts are quoted for JSON and for DPL.
//
// None of these throws or needs a locale. All take any bytes; those that need UTF-8 say so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dpl {

// Strict: no overlong forms, no surrogates, nothing above U+10FFFF. `at` gets the first bad byte.
bool IsValidUtf8(std::string_view text, size_t* at = nullptr);

// Decodes the code point at `*at` of valid UTF-8 and moves `*at` past it. On invalid bytes it gives
// U+FFFD and moves one byte. `*at` must be below text.size().
char32_t NextCodePoint(std::string_view text, size_t* at);

void AppendUtf8(std::string* out, char32_t code_point);  // invalid code points become U+FFFD

size_t CodePointCount(std::string_view text);  // of valid UTF-8

// Unicode normal form C. ASCII answers at once; other text asks the Unicode tables. Invalid UTF-8
// is not NFC.
bool IsNfc(std::string_view text);

// C0 controls, DEL, C1 controls, and the line and paragraph separators U+2028/2029.
bool HasControl(std::string_view text, size_t* at = nullptr);

// Characters that change how a line looks without being seen: bidi controls, zero-width characters
// and joiners, BOM, soft hyphen, invisible operators, tag characters, variation selectors, fillers.
// `at` gets the byte of the first one. Valid UTF-8 expected.
bool HasBidiOrInvisible(std::string_view text, size_t* at = nullptr);
bool IsBidiOrInvisible(char32_t code_point);

// True when a JSON string takes every byte of it as it is: printable ASCII without quote and
// backslash. (AppendJsonString leaves other texts alone too; these it need not look at.)
bool IsPlainJson(std::string_view text);

// Appends `text` as a JSON string with its quotes. Controls, U+2028/2029, bidi and invisible
// characters are escaped, invalid bytes become U+FFFD, so the result is always valid JSON in valid
// UTF-8, on one line, and shows what it holds.
void AppendJsonString(std::string* out, std::string_view text);

// Appends `text` so that it stays in its line and changes nothing around it: what Quote escapes,
// but for quotation marks.
void AppendPrintable(std::string* out, std::string_view text);

// `text` as a DPL string literal with its quotes: \" \\ \n \t, and \u{...} for controls and for
// bidi or invisible characters. Invalid bytes become U+FFFD.
std::string Quote(std::string_view text);
void AppendQuoted(std::string* out, std::string_view text);

}  // namespace dpl
