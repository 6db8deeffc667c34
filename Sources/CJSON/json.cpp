#include "weir_json.h"

#include <cstring>
#include <new>
#include <simdjson.h>
#include <string>
#include <string_view>

using namespace simdjson;

struct weir_json_parser {
  dom::parser parser;
  std::string members;
  std::string id;
  std::string finite;  // a line with null in place of NaN and the infinities
  std::string masked;  // the same, with zeros in place of numbers that are too large for simdjson
  const char *message = "";
};

static_assert(SIMDJSON_PADDING <= WEIR_JSON_PADDING, "WEIR_JSON_PADDING is less than simdjson needs");
// Nodes and iterators are two words in simdjson (document, tape position); C passes them by value.
static_assert(sizeof(dom::element) == sizeof(weir_json_node) && std::is_trivially_copyable<dom::element>::value, "element");
static_assert(sizeof(dom::array::iterator) == sizeof(weir_json_node), "array iterator");
static_assert(sizeof(dom::object::iterator) == sizeof(weir_json_node), "object iterator");

template <typename To, typename From> static To cast(const From &from) {
  static_assert(sizeof(To) == sizeof(From), "sizes differ");
  To to;
  std::memcpy(static_cast<void *>(&to), static_cast<const void *>(&from), sizeof(To));
  return to;
}

static weir_json_bytes bytes_of(std::string_view view) {
  // A null pointer means "absent": an empty string keeps a pointer.
  return {reinterpret_cast<const uint8_t *>(view.data() ? view.data() : ""), view.size()};
}

static int status_of(weir_json_parser *p, error_code error) {
  p->message = error_message(error);
  switch (error) {
  case SUCCESS: return WEIR_JSON_OK;
  case UTF8_ERROR: return WEIR_JSON_UTF8;
  case CAPACITY:
  case MEMALLOC: return WEIR_JSON_MEMORY;
  default: return WEIR_JSON_BROKEN;
  }
}

extern "C" weir_json_parser *weir_json_parser_create(void) { return new (std::nothrow) weir_json_parser(); }
extern "C" void weir_json_parser_destroy(weir_json_parser *parser) { delete parser; }
extern "C" const char *weir_json_message(const weir_json_parser *parser) { return parser->message; }
extern "C" bool weir_json_utf8(const uint8_t *bytes, size_t count) {
  return count == 0 || validate_utf8(reinterpret_cast<const char *>(bytes), count);
}

// Finds where each member of an object starts and ends in the raw text, which simdjson has validated.

static inline bool blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// `at` is just after an opening quote; returns the position just after the closing one.
static const uint8_t *behind_string(const uint8_t *at, const uint8_t *end) {
  bool plain;
  at = weir_json_string_end(at, end, &plain);
  return at < end ? at + 1 : end;
}

// The same for a value that is not a string.
static const uint8_t *behind_value(const uint8_t *at, const uint8_t *end) {
  size_t depth = 0;
  while (at < end) {
    uint8_t c = *at;
    if (c == '"') {
      at = behind_string(at + 1, end);
      continue;
    }
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || blank(c))) {
      return at;
    }
    ++at;
  }
  return end;
}

// Python's json, DuckDB and others write numbers that are not finite as bare words, which JSON does not have. Copies the line to `out` with null in
// place of each; returns their number.
static size_t replace_non_finite(const uint8_t *bytes, size_t count, std::string &out) {
  static const std::string_view words[] = {"infinity", "inf", "nan"};
  const uint8_t *at = bytes, *end = bytes + count, *copied = bytes;
  size_t found = 0;
  auto boundary = [](uint8_t c) { return blank(c) || c == ',' || c == ']' || c == '}'; };
  out.clear();
  while (at < end) {
    if (*at == '"') {
      at = behind_string(at + 1, end);
      continue;
    }
    const uint8_t *word = at + (*at == '-' || *at == '+');
    size_t length = 0;
    for (auto name : words) {
      if (static_cast<size_t>(end - word) < name.size()) continue;
      bool same = true;
      for (size_t i = 0; i < name.size(); ++i) same = same && (word[i] | 0x20) == static_cast<uint8_t>(name[i]);
      if (!same || (word + name.size() < end && !boundary(word[name.size()]))) continue;
      length = static_cast<size_t>(word - at) + name.size();
      break;
    }
    if (length == 0) {
      ++at;
      continue;
    }
    out.append(reinterpret_cast<const char *>(copied), static_cast<size_t>(at - copied));
    out.append("null");
    at += length;
    copied = at;
    ++found;
  }
  out.append(reinterpret_cast<const char *>(copied), static_cast<size_t>(end - copied));
  return found;
}

// JSON does not limit numbers, but simdjson does: to 64 bits, and to a double's range. Replaces each number that may exceed it by as many characters of
// zero, so that positions stay, or by null. The text is followed by WEIR_JSON_PADDING bytes. Returns their number.
static size_t mask_numbers(std::string &text, bool by_null) {
  std::string out;
  const size_t count = text.size() - WEIR_JSON_PADDING;
  size_t found = 0, copied = 0, i = 0;
  const auto *bytes = reinterpret_cast<const uint8_t *>(text.data());
  auto digits = [&](size_t at) { while (at < count && bytes[at] >= '0' && bytes[at] <= '9') ++at; return at; };
  while (i < count) {
    if (bytes[i] == '"') {
      i = static_cast<size_t>(behind_string(bytes + i + 1, bytes + count) - bytes);
      continue;
    }
    if (bytes[i] != '-' && (bytes[i] < '0' || bytes[i] > '9')) {
      ++i;
      continue;
    }
    const size_t first = i + (bytes[i] == '-');
    size_t end = digits(first);
    const size_t whole = end - first;
    bool valid = whole > 0 && (whole == 1 || bytes[first] != '0'), exponent = false, integer = true;
    if (end < count && bytes[end] == '.') {
      const size_t from = end + 1;
      end = digits(from);
      valid = valid && end > from;
      integer = false;
    }
    if (end < count && (bytes[end] | 0x20) == 'e') {
      const size_t from = end + 1 + (end + 1 < count && (bytes[end + 1] == '-' || bytes[end + 1] == '+'));
      end = digits(from);
      valid = valid && end > from;
      exponent = true;
    }
    if (valid && (exponent || whole > 300 || (integer && whole > 18))) {
      ++found;
      if (by_null) {
        out.append(text, copied, i - copied).append("null");
        copied = end;
      } else {
        for (size_t at = first; at < end; ++at) text[at] = at == first + 1 ? '.' : '0';
      }
    }
    i = end > i ? end : i + 1;
  }
  if (by_null && found > 0) text = out.append(text, copied, std::string::npos);
  return found;
}

// Whether an origin is `path:line`, as weir writes it, and not the address of a page.
static bool is_place(std::string_view origin) {
  size_t digits = origin.size();
  while (digits > 0 && origin[digits - 1] >= '0' && origin[digits - 1] <= '9') --digits;
  if (digits == origin.size() || origin[digits] == '0' || digits < 2 || origin[digits - 1] != ':') return false;
  return origin.find("://") == std::string_view::npos;
}

// A name that weir gives to a member, and the corpus's own member of that name, which is kept as `original_…`.
struct reserved_member {
  std::string_view name, kept_as;
  bool taken = false;  // the corpus has a member named `kept_as`
  std::string_view raw{};  // the value of the corpus's own member, as it stands in the line
};

extern "C" int weir_json_parse_line(weir_json_parser *p, const uint8_t *bytes, size_t count, const char *text_field,
                                    size_t text_field_count, const char *id_field, size_t id_field_count, weir_json_line *line) try {
  *line = weir_json_line{};
  p->message = "";
  dom::element root;
  auto error = p->parser.parse(bytes, count, false).get(root);
  if (error && error != UTF8_ERROR && error != CAPACITY && error != MEMALLOC) {
    line->non_finite = replace_non_finite(bytes, count, p->finite);
    p->finite.append(WEIR_JSON_PADDING, ' ');
    p->masked = p->finite;
    if (mask_numbers(p->masked, false) + line->non_finite > 0) {
      count = p->finite.size() - WEIR_JSON_PADDING;
      bytes = reinterpret_cast<const uint8_t *>(p->finite.data());
      error = p->parser.parse(reinterpret_cast<const uint8_t *>(p->masked.data()), count, false).get(root);
    }
  }
  if (error) return status_of(p, error);
  dom::object object;
  if (root.get(object)) return WEIR_JSON_NO_OBJECT;

  const std::string_view text_name(text_field, text_field_count), id_name(id_field, id_field_count);
  const bool own_text = text_name == "text", own_id = id_name == "id";
  p->members.clear();
  bool broken_text = false, broken_id = false;
  bool seen_source = false, seen_origin = false;
  reserved_member others[] = {{"text", "original_text"}, {"id", "original_id"}, {"origin", "original_origin"}};
  reserved_member &other_text = others[0], &other_id = others[1], &other_origin = others[2];
  std::string_view other_id_string;
  // How many of `id`, `text` and `source`, in this order, the line begins with; -1 after another member. weir's own origin follows them.
  int lead = 0;
  const uint8_t *at = bytes, *end = bytes + count;
  while (at < end && *at != '{') ++at;
  ++at;
  for (auto member : object) {
    while (at < end && *at != '"') ++at;
    const uint8_t *start = at;
    at = behind_string(at + 1, end);
    while (at < end && *at != ':') ++at;
    ++at;
    while (at < end && blank(*at)) ++at;
    const uint8_t *value = at;
    bool plain = false;
    if (at < end && *at == '"') {
      at = weir_json_string_end(at + 1, end, &plain);
      at += at < end;
    } else {
      at = behind_value(at, end);
    }

    std::string_view string;
    const bool is_string = !member.value.get(string);
    const std::string_view raw(reinterpret_cast<const char *>(value), static_cast<size_t>(at - value));
    bool keep = true;
    const bool leads = lead >= 2;
    if ((lead == 0 && member.key == "id") || (lead == 1 && member.key == "text") || (lead == 2 && member.key == "source")) ++lead; else lead = -1;
    if (member.key == text_name) {
      if (line->text.bytes || broken_text) return WEIR_JSON_DUPLICATE;
      if (!is_string) broken_text = true;
      if (is_string) line->text = bytes_of(string);
      if (is_string && plain) line->escaped = {value + 1, static_cast<size_t>(at - value) - 2};
      keep = false;
    } else if (member.key == "text" && !own_text) {
      if (other_text.raw.data()) return WEIR_JSON_DUPLICATE;
      other_text.raw = raw;
      keep = false;
    }
    if (member.key == id_name) {
      if (line->id.bytes || broken_id) return WEIR_JSON_DUPLICATE;
      if (is_string) {
        line->id = bytes_of(string);
      } else if (member.value.is_number()) {
        p->id.assign(reinterpret_cast<const char *>(value), static_cast<size_t>(at - value));
        line->id = bytes_of(p->id);
      } else if (!member.value.is_null()) {
        broken_id = true;
      }
      keep = keep && !own_id;  // a member used as id under another name stays among the members
    } else if (member.key == "id") {
      if (other_id.raw.data()) return WEIR_JSON_DUPLICATE;
      other_id.raw = raw;
      other_id_string = is_string ? string : std::string_view();
      keep = false;
    }
    if (member.key == "source") {
      if (seen_source) return WEIR_JSON_DUPLICATE;
      seen_source = true;
      // A source that is not a string stays among the other members.
      if (is_string) {
        line->source = bytes_of(string);
        keep = false;
      }
    } else if (member.key == "origin") {
      if (seen_origin) return WEIR_JSON_DUPLICATE;
      seen_origin = true;
      // An empty origin and a null say nothing.
      if (is_string && leads && is_place(string)) {
        line->origin = bytes_of(string);
      } else if (!member.value.is_null() && !(is_string && string.empty())) {
        other_origin.raw = raw;
      }
      keep = false;
    }
    for (auto &other : others) other.taken = other.taken || member.key == other.kept_as;
    if (keep) {
      if (!p->members.empty()) p->members.append(", ");
      p->members.append(reinterpret_cast<const char *>(start), static_cast<size_t>(at - start));
    }
  }
  while (at < end && *at != '}') ++at;
  for (++at; at < end; ++at) {
    if (!blank(*at)) {
      p->message = "more follows the object";
      return WEIR_JSON_BROKEN;
    }
  }
  if (broken_text) return WEIR_JSON_TEXT_TYPE;
  if (!line->text.bytes) return WEIR_JSON_NO_TEXT;
  if (broken_id) return WEIR_JSON_ID_TYPE;
  // weir has written the id itself where it equals the member that it is read from.
  if (line->id.bytes && other_id_string == std::string_view(reinterpret_cast<const char *>(line->id.bytes), line->id.count)) other_id.raw = {};
  for (auto &other : others) {
    if (!other.raw.data()) continue;
    if (other.taken) return WEIR_JSON_COLLISION;
    if (!p->members.empty()) p->members.append(", ");
    p->members.append("\"").append(other.kept_as).append("\": ").append(other.raw);
  }
  // The line is valid UTF-8, but an escaped lone surrogate would not be.
  const weir_json_bytes strings[] = {line->escaped.bytes ? weir_json_bytes{} : line->text, line->id, line->source, line->origin};
  for (auto &string : strings) {
    if (string.bytes && !weir_json_utf8(string.bytes, string.count)) {
      p->message = "an escape of half a surrogate pair";
      return WEIR_JSON_UTF8;
    }
  }
  line->members = bytes_of(p->members);
  return WEIR_JSON_OK;
} catch (...) {
  return WEIR_JSON_MEMORY;
}

extern "C" int weir_json_parse(weir_json_parser *p, const uint8_t *bytes, size_t count, bool lenient, weir_json_node *root) try {
  p->message = "";
  dom::element element;
  auto error = p->parser.parse(bytes, count, true).get(element);
  if (lenient && error && error != UTF8_ERROR && error != CAPACITY && error != MEMALLOC) {
    p->masked.assign(reinterpret_cast<const char *>(bytes), count).append(WEIR_JSON_PADDING, ' ');
    const size_t non_finite = replace_non_finite(reinterpret_cast<const uint8_t *>(p->masked.data()), count, p->finite);
    p->finite.append(WEIR_JSON_PADDING, ' ');
    if (non_finite + mask_numbers(p->finite, true) > 0) error = p->parser.parse(p->finite).get(element);
  }
  if (error) return status_of(p, error);
  *root = cast<weir_json_node>(element);
  return WEIR_JSON_OK;
} catch (...) {
  return WEIR_JSON_MEMORY;
}

extern "C" int weir_json_type(weir_json_node node) {
  switch (cast<dom::element>(node).type()) {
  case dom::element_type::ARRAY: return WEIR_JSON_ARRAY;
  case dom::element_type::OBJECT: return WEIR_JSON_OBJECT;
  case dom::element_type::INT64: return WEIR_JSON_INT;
  case dom::element_type::UINT64: return WEIR_JSON_UINT;
  case dom::element_type::DOUBLE: return WEIR_JSON_DOUBLE;
  case dom::element_type::STRING: return WEIR_JSON_STRING;
  case dom::element_type::BOOL: return WEIR_JSON_BOOL;
  default: return WEIR_JSON_NULL;
  }
}

template <typename T> static T value_or_zero(weir_json_node node) {
  T value{};
  if (cast<dom::element>(node).get(value)) return T{};
  return value;
}

extern "C" bool weir_json_bool(weir_json_node node) { return value_or_zero<bool>(node); }
extern "C" int64_t weir_json_int(weir_json_node node) { return value_or_zero<int64_t>(node); }
extern "C" uint64_t weir_json_uint(weir_json_node node) { return value_or_zero<uint64_t>(node); }
extern "C" double weir_json_double(weir_json_node node) { return value_or_zero<double>(node); }
extern "C" weir_json_bytes weir_json_string(weir_json_node node) {
  std::string_view value;
  if (cast<dom::element>(node).get(value)) return {nullptr, 0};
  return bytes_of(value);
}

extern "C" weir_json_iterator weir_json_iterate(weir_json_node node) {
  auto element = cast<dom::element>(node);
  weir_json_iterator result{node, node, false};
  dom::array array;
  dom::object object;
  if (!element.get(array)) {
    result.current = cast<weir_json_node>(array.begin());
    result.end = cast<weir_json_node>(array.end());
  } else if (!element.get(object)) {
    result.current = cast<weir_json_node>(object.begin());
    result.end = cast<weir_json_node>(object.end());
    result.object = true;
  }
  return result;
}

extern "C" bool weir_json_next(weir_json_iterator *iterator, weir_json_bytes *key, weir_json_node *value) {
  if (iterator->current.index == iterator->end.index) return false;
  if (iterator->object) {
    auto at = cast<dom::object::iterator>(iterator->current);
    *key = bytes_of(at.key());
    *value = cast<weir_json_node>(at.value());
    ++at;
    iterator->current = cast<weir_json_node>(at);
  } else {
    auto at = cast<dom::array::iterator>(iterator->current);
    *key = {nullptr, 0};
    *value = cast<weir_json_node>(*at);
    ++at;
    iterator->current = cast<weir_json_node>(at);
  }
  return true;
}

extern "C" size_t weir_json_count(weir_json_node node) {
  auto element = cast<dom::element>(node);
  dom::array array;
  dom::object object;
  size_t known = !element.get(array) ? array.size() : !element.get(object) ? object.size() : 0;
  if (known < 0xFFFFFF) return known;
  size_t count = 0;
  weir_json_bytes key;
  weir_json_node value;
  auto iterator = weir_json_iterate(node);
  while (weir_json_next(&iterator, &key, &value)) ++count;
  return count;
}
