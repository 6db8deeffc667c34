#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A C interface to simdjson's DOM: parses one document line at a time and iterates over any JSON.

#ifdef __cplusplus
extern "C" {
#endif

/// Bytes that must be readable past the end of the input; their content does not matter.
#define WEIR_JSON_PADDING 64

enum {
  WEIR_JSON_OK = 0,
  WEIR_JSON_BROKEN = 1,       // not JSON; weir_json_message tells why
  WEIR_JSON_UTF8 = 2,         // not UTF-8, or an escape of half a surrogate pair
  WEIR_JSON_NO_OBJECT = 3,    // JSON, but not an object
  WEIR_JSON_NO_TEXT = 4,      // no text member
  WEIR_JSON_TEXT_TYPE = 5,    // the text member is not a string
  WEIR_JSON_ID_TYPE = 6,      // the id is neither a string nor a number
  WEIR_JSON_DUPLICATE = 7,    // a member that is read occurs twice
  WEIR_JSON_COLLISION = 8,    // a member must be kept under another name, and that name is taken
  WEIR_JSON_MEMORY = 9,       // out of memory, or more than 4 GiB
};

typedef struct weir_json_parser weir_json_parser;

/// Bytes owned by the parser, valid until its next parse; `bytes` is NULL if absent.
typedef struct {
  const uint8_t *bytes;
  size_t count;
} weir_json_bytes;

/// The members of a document line.
typedef struct {
  weir_json_bytes text, id, source, origin;
  weir_json_bytes escaped;  // the raw text in the line, without quotes, if weir_json_escape would write the same; else NULL
  // The other members, byte for byte and in order, separated by ", ". Members named `text`, `id` or `origin` that are not what weir writes under
  // these names follow as `original_text`, `original_id` and `original_origin`.
  weir_json_bytes members;
  size_t non_finite;  // the number of NaNs and infinities, which are read as null
} weir_json_line;

weir_json_parser *weir_json_parser_create(void);
void weir_json_parser_destroy(weir_json_parser *parser);

/// Parses a line of `count` bytes; WEIR_JSON_PADDING more must be readable. Returns a status.
int weir_json_parse_line(weir_json_parser *parser, const uint8_t *bytes, size_t count, const char *text_field, size_t text_field_count,
                         const char *id_field, size_t id_field_count, weir_json_line *line);

/// The message of the last parse; the string is static or owned by the parser.
const char *weir_json_message(const weir_json_parser *parser);

// Any JSON. A node is valid until the parser's next parse or its destruction.

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
int weir_json_parse(weir_json_parser *parser, const uint8_t *bytes, size_t count, bool lenient, weir_json_node *root);
int weir_json_type(weir_json_node node);
bool weir_json_bool(weir_json_node node);
int64_t weir_json_int(weir_json_node node);
uint64_t weir_json_uint(weir_json_node node);
double weir_json_double(weir_json_node node);
weir_json_bytes weir_json_string(weir_json_node node);
/// The number of elements or members. Takes linear time above 16 million.
size_t weir_json_count(weir_json_node node);

/// Iterates over the elements of an array or the members of an object, in order.
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

/// Bytes past its result that `weir_json_escape` may overwrite.
#define WEIR_JSON_ESCAPE_SLACK 16
/// An upper bound of the size of the escaped text plus the slack.
size_t weir_json_escape_room(const uint8_t *text, size_t count);
/// Writes the escaped text without quotes; returns its end.
uint8_t *weir_json_escape(const uint8_t *text, size_t count, uint8_t *out);
/// The closing quote of the valid string whose content begins at `at`, or `end` if there is none. WEIR_JSON_PADDING more bytes must be
/// readable. `*plain` becomes whether `weir_json_escape` would write the string the same way: it has no `\/` and no `\u`.
const uint8_t *weir_json_string_end(const uint8_t *at, const uint8_t *end, bool *plain);
/// The number of newlines.
size_t weir_json_newlines(const uint8_t *bytes, size_t count);

#ifdef __cplusplus
}
#endif
