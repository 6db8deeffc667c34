#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A C face for simdjson's DOM: one document line at a time, and a walk over any JSON.

#ifdef __cplusplus
extern "C" {
#endif

/// Bytes that must be readable past the end of what is parsed; their content does not matter.
#define WEIR_JSON_PADDING 64

enum {
  WEIR_JSON_OK = 0,
  WEIR_JSON_BROKEN = 1,       // not JSON; `message` says why
  WEIR_JSON_UTF8 = 2,         // not UTF-8, or an escape of half a surrogate pair
  WEIR_JSON_NO_OBJECT = 3,    // JSON, but not an object
  WEIR_JSON_NO_TEXT = 4,      // no text member
  WEIR_JSON_TEXT_TYPE = 5,    // the text member is not a string
  WEIR_JSON_ID_TYPE = 6,      // the id is neither a string nor a number
  WEIR_JSON_DUPLICATE = 7,    // a member that is read is there twice
  WEIR_JSON_COLLISION = 8,    // there is a text member besides the one named as text field
  WEIR_JSON_MEMORY = 9,       // no memory, or more than 4 GiB
  WEIR_JSON_ORIGIN_TYPE = 10, // the origin is not a string, and the name is ours
};

typedef struct weir_json_parser weir_json_parser;

/// A stretch of bytes that belongs to the parser and is valid until its next parse; `bytes` is null where there is none.
typedef struct {
  const uint8_t *bytes;
  size_t count;
} weir_json_bytes;

/// A document line taken apart.
typedef struct {
  weir_json_bytes text, id, source, origin;
  weir_json_bytes escaped;  // the text as it stands in the line, without quotes, where weir_json_escape would write the same; else null
  weir_json_bytes members;  // the other members, byte for byte and in order, separated by ", "
} weir_json_line;

weir_json_parser *weir_json_parser_create(void);
void weir_json_parser_destroy(weir_json_parser *parser);

/// Parses one line; `count` bytes, WEIR_JSON_PADDING more must be readable. Returns a status.
int weir_json_parse_line(weir_json_parser *parser, const uint8_t *bytes, size_t count, const char *text_field, size_t text_field_count,
                         const char *id_field, size_t id_field_count, weir_json_line *line);

/// What the last parse said, a static or parser-owned string.
const char *weir_json_message(const weir_json_parser *parser);

// Any JSON: a node is valid until the parser's next parse or its end.

typedef struct {
  const void *document;
  size_t index;
} weir_json_node;

enum {
  WEIR_JSON_NULL = 0,
  WEIR_JSON_BOOL = 1,
  WEIR_JSON_INT = 2,
  WEIR_JSON_UINT = 3,   // above Int64.max
  WEIR_JSON_DOUBLE = 4,
  WEIR_JSON_STRING = 5,
  WEIR_JSON_ARRAY = 6,
  WEIR_JSON_OBJECT = 7,
};

/// Parses one JSON value (copying it where it needs padding). Returns a status.
int weir_json_parse(weir_json_parser *parser, const uint8_t *bytes, size_t count, weir_json_node *root);
int weir_json_type(weir_json_node node);
bool weir_json_bool(weir_json_node node);
int64_t weir_json_int(weir_json_node node);
uint64_t weir_json_uint(weir_json_node node);
double weir_json_double(weir_json_node node);
weir_json_bytes weir_json_string(weir_json_node node);
/// Elements or members; walks the tape beyond 16 million.
size_t weir_json_count(weir_json_node node);

/// A walk over an array's elements or an object's members, in order.
typedef struct {
  weir_json_node current, end;
  bool object;
} weir_json_iterator;

weir_json_iterator weir_json_iterate(weir_json_node container);
/// The next element (and key, for an object); false at the end.
bool weir_json_next(weir_json_iterator *iterator, weir_json_bytes *key, weir_json_node *value);

/// Whether the bytes are valid UTF-8.
bool weir_json_utf8(const uint8_t *bytes, size_t count);

// Writing: quotes, backslashes and control characters are escaped.

/// Bytes behind what `weir_json_escape` returns that it may have overwritten.
#define WEIR_JSON_ESCAPE_SLACK 16
/// Bytes that the escaped text and the slack take at most.
size_t weir_json_escape_room(const uint8_t *text, size_t count);
/// Writes the text escaped, without quotes; returns the end of what it wrote.
uint8_t *weir_json_escape(const uint8_t *text, size_t count, uint8_t *out);
/// Where a valid string ends whose content begins at `at`: its closing quote; `end` where there is none. WEIR_JSON_PADDING bytes more must be
/// readable. `*plain` tells whether `weir_json_escape` would write the same for it: no `\/`, no `\u`.
const uint8_t *weir_json_string_end(const uint8_t *at, const uint8_t *end, bool *plain);
/// The number of newlines.
size_t weir_json_newlines(const uint8_t *bytes, size_t count);

#ifdef __cplusplus
}
#endif
