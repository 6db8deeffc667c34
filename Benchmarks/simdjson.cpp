// Measures simdjson for reading.py: walks each line of a JSON Lines file in memory on demand and unescapes its strings, on one thread.
//   c++ -O3 -std=c++17 Benchmarks/simdjson.cpp -lsimdjson -o simdjson && ./simdjson FILE REPEAT      prints the best time in seconds
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <simdjson.h>

using namespace simdjson;

int main(int count, char **arguments) {
  if (count != 3) return 64;
  padded_string text;
  if (padded_string::load(arguments[1]).get(text)) return 1;
  double best = 1e9;
  size_t bytes = 0;
  for (int repeat = atoi(arguments[2]); repeat > 0; --repeat) {
    auto start = std::chrono::steady_clock::now();
    ondemand::parser parser;
    for (size_t at = 0; at < text.size();) {
      auto newline = static_cast<const char *>(memchr(text.data() + at, '\n', text.size() - at));
      size_t length = newline ? static_cast<size_t>(newline - text.data()) - at : text.size() - at;
      ondemand::document document;
      ondemand::object object;
      if (parser.iterate(text.data() + at, length, text.size() - at + SIMDJSON_PADDING).get(document) || document.get_object().get(object))
        return 2;
      for (auto field : object) {
        ondemand::value value;
        ondemand::json_type type;
        std::string_view string;
        if (field.value().get(value) || value.type().get(type)) return 2;
        if (type == ondemand::json_type::string && !value.get_string().get(string)) bytes += string.size();
      }
      at += length + 1;
    }
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  printf("%.6f %zu\n", best, bytes);
}
