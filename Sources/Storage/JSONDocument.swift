import CJSON
import Primitives

/// A parsed JSON text to walk over: members in order, duplicates included. 1–2 GB/s.
package final class JSONDocument {
  private let parser: OpaquePointer
  fileprivate let place: String
  private var node = weir_json_node()

  /// Parses a JSON text.
  /// - Parameters:
  ///   - bytes: the text, UTF-8.
  ///   - place: what messages call it, the path.
  /// - Throws: `WeirError` where it is not JSON.
  package init(_ bytes: [UInt8], place: String) throws {
    guard let parser = weir_json_parser_create() else { throw WeirError(place, "not enough memory") }
    self.parser = parser
    self.place = place
    let status = bytes.withUnsafeBufferPointer { weir_json_parse(parser, $0.baseAddress, $0.count, &node) }
    if status == WEIR_JSON_OK { return }
    if status == WEIR_JSON_UTF8 { throw WeirError(place, "is not valid UTF-8") }
    throw WeirError(place, "is not valid JSON (\(String(cString: weir_json_message(parser))))")
  }

  deinit { weir_json_parser_destroy(parser) }

  /// The outermost value.
  package var root: JSONNode { JSONNode(document: self, node: node) }
}

/// A value in a `JSONDocument`, which it keeps alive.
package struct JSONNode {
  private let document: JSONDocument
  private let node: weir_json_node

  fileprivate init(document: JSONDocument, node: weir_json_node) {
    self.document = document
    self.node = node
  }

  private var type: Int { Int(weir_json_type(node)) }

  /// Whether it is `null`.
  package var isNull: Bool { type == WEIR_JSON_NULL }
  /// Whether it is an object.
  package var isObject: Bool { type == WEIR_JSON_OBJECT }
  /// Whether it is an array.
  package var isArray: Bool { type == WEIR_JSON_ARRAY }
  /// The truth value, where it is one.
  package var bool: Bool? { type == WEIR_JSON_BOOL ? weir_json_bool(node) : nil }
  /// The whole number, where it is one that fits.
  package var int: Int? { type == WEIR_JSON_INT ? Int(weir_json_int(node)) : nil }

  /// The number, where it is one.
  package var double: Double? {
    switch type {
    case WEIR_JSON_INT: Double(weir_json_int(node))
    case WEIR_JSON_UINT: Double(weir_json_uint(node))
    case WEIR_JSON_DOUBLE: weir_json_double(node)
    default: nil
    }
  }

  /// The string, where it is one; half a surrogate pair becomes U+FFFD.
  package var string: String? { withString { String(decoding: $0, as: UTF8.self) } }
  /// The string's bytes, where it is one.
  package var bytes: [UInt8]? { withString { Array($0) } }

  /// Gives `body` the string's bytes without a copy; nil where it is no string.
  package func withString<R>(_ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R? {
    guard type == WEIR_JSON_STRING else { return nil }
    let bytes = weir_json_string(node)
    defer { withExtendedLifetime(document) {} }
    return try body(UnsafeBufferPointer(start: bytes.bytes, count: bytes.count))
  }

  /// The number of elements or members; 0 where it is neither array nor object.
  package var count: Int { weir_json_count(node) }

  /// The members in order, where it is an object.
  package var object: [(key: String, value: JSONNode)]? {
    guard isObject else { return nil }
    var members: [(key: String, value: JSONNode)] = []
    members.reserveCapacity(count)
    forEachMember { members.append((String(decoding: $0, as: UTF8.self), $1)) }
    return members
  }

  /// The elements, where it is an array.
  package var array: [JSONNode]? {
    guard isArray else { return nil }
    var elements: [JSONNode] = []
    elements.reserveCapacity(count)
    forEachElement { elements.append($0) }
    return elements
  }

  /// The first member named `key`, where it is an object that has one. O(members).
  package subscript(key: String) -> JSONNode? {
    guard isObject else { return nil }
    var key = key
    return key.withUTF8 { wanted in
      var iterator = weir_json_iterate(node)
      var name = weir_json_bytes()
      var value = weir_json_node()
      while weir_json_next(&iterator, &name, &value) {
        if UnsafeBufferPointer(start: name.bytes, count: name.count).elementsEqual(wanted) {
          return JSONNode(document: document, node: value)
        }
      }
      return nil
    }
  }

  /// Visits the members of an object in order; the key's bytes are not to be kept. Nothing where it is no object.
  package func forEachMember(_ body: (UnsafeBufferPointer<UInt8>, JSONNode) throws -> Void) rethrows {
    guard isObject else { return }
    var iterator = weir_json_iterate(node)
    var name = weir_json_bytes()
    var value = weir_json_node()
    while weir_json_next(&iterator, &name, &value) {
      try body(UnsafeBufferPointer(start: name.bytes, count: name.count), JSONNode(document: document, node: value))
    }
  }

  /// Visits the elements of an array in order. Nothing where it is no array.
  package func forEachElement(_ body: (JSONNode) throws -> Void) rethrows {
    guard isArray else { return }
    var iterator = weir_json_iterate(node)
    var name = weir_json_bytes()
    var value = weir_json_node()
    while weir_json_next(&iterator, &name, &value) { try body(JSONNode(document: document, node: value)) }
  }
}
