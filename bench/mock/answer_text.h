// What the pretend model says: words that follow from the prompt alone, so that a client can check
// an answer byte by byte. Word i of choice c of a prompt is kWords[mix(fnv1a64(prompt) + c +
// 0x9e3779b97f4a7c15 * (i + 1)) % 64] with a space before it; mix is splitmix64's finaliser. The
// prompt of a chat is the text of its messages joined by "\n", that of a list of token ids the ids
// in decimal joined by ",". Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

uint64_t prompt_key(std::string_view prompt) noexcept;  // FNV-1a, 64 bits
uint64_t mix(uint64_t value) noexcept;

// One token: a space and a word of ASCII letters, which JSON needs not escape. index counts from 0.
std::string_view answer_word(uint64_t key, uint32_t choice, uint32_t index) noexcept;
// The first `words` of them.
std::string answer_text(uint64_t key, uint32_t choice, uint32_t words);

// How long the answer is when nobody says max_tokens: 32 to 95 words, by the prompt.
uint32_t natural_length(uint64_t key) noexcept;

// About as many tokens as a real tokenizer makes of it: one for four bytes.
uint32_t count_tokens(std::string_view text) noexcept;

// JSON's escapes, without the quotes around it; invalid UTF-8 passes as it is.
std::string json_escaped(std::string_view text);

}  // namespace weir
