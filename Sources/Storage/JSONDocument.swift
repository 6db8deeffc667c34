import CJSON
import Primitives

/// A JSON document parsed by simdjson. Members keep their order and their duplicates.
package final class JSONDocument {
  private let parser: OpaquePointer
  fileprivate let place: String
  private var node = weir_json_node()

  /// Parses UTF-8.
  /// - Parameters:
  ///   - bytes: the text.
  ///   - place: the place for errors, such as the path.
  ///   - lenient: whether NaN, the infinities, and numbers beyond 64 bits are read as null.
  /// - Throws: `WeirError` where the text is not valid JSON.
  package init(_ bytes: [UInt8], place: String, lenient: Bool = false) throws {
    guard let parser = weir_json_parser_create() else { throw outOfMemory(place) }
    self.parser = parser
    self.place = place
    let status = bytes.withUnsafeBufferPointer { weir_json_parse(parser, $0.baseAddress, $0.count, lenient, &node) }
    if status == WEIR_JSON_OK { return }
    if status == WEIR_JSON_UTF8 { throw WeirError(place, "is not valid UTF-8") }
    throw WeirError(place, "is not valid JSON (\(String(cString: weir_json_message(parser))))")
  }

  deinit { weir_json_parser_destroy(parser) }

  /// The outermost value.
  package var root: JSONNode { JSONNode(document: self, node: node) }
}

/// A value in a `JSONDocument`; keeps the document alive. A property is nil where the value has another type.
package struct JSONNode {
  private let document: JSONDocument
  private let node: weir_json_node

  fileprivate init(document: JSONDocument, node: weir_json_node) {
    self.document = document
    self.node = node
  }

  private var type: Int { Int(weir_json_type(node)) }

  package var isNull: Bool { type == WEIR_JSON_NULL }
  package var isObject: Bool { type == WEIR_JSON_OBJECT }
  package var isArray: Bool { type == WEIR_JSON_ARRAY }
  package var bool: Bool? { type == WEIR_JSON_BOOL ? weir_json_bool(node) : nil }
  /// The integer; nil where it does not fit.
  package var int: Int? { type == WEIR_JSON_INT ? Int(weir_json_int(node)) : nil }

  package var double: Double? {
    switch type {
    case WEIR_JSON_INT: Double(weir_json_int(node))
    case WEIR_JSON_UINT: Double(weir_json_uint(node))
    case WEIR_JSON_DOUBLE: weir_json_double(node)
    default: nil
    }
  }

  /// The string; an unpaired surrogate becomes U+FFFD.
  package var string: String? { withString { String(decoding: $0, as: UTF8.self) } }
  /// The UTF-8 of the string.
  package var bytes: [UInt8]? { withString { Array($0) } }

  /// Calls `body` with the UTF-8 of the string, without a copy.
  package func withString<R>(_ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R? {
    guard type == WEIR_JSON_STRING else { return nil }
    let bytes = weir_json_string(node)
    defer { withExtendedLifetime(document) {} }
    return try body(UnsafeBufferPointer(start: bytes.bytes, count: bytes.count))
  }

  /// The number of elements or members; 0 for other values.
  package var count: Int { weir_json_count(node) }

  package var object: [(key: String, value: JSONNode)]? {
    guard isObject else { return nil }
    var members: [(key: String, value: JSONNode)] = []
    members.reserveCapacity(count)
    forEachMember { members.append((String(decoding: $0, as: UTF8.self), $1)) }
    return members
  }

  package var array: [JSONNode]? {
    guard isArray else { return nil }
    var elements: [JSONNode] = []
    elements.reserveCapacity(count)
    forEachElement { elements.append($0) }
    return elements
  }

  /// The first member named `key`. O(members).
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

  /// Calls `body` for the members of an object in order; the bytes of the key are valid during the call.
  package func forEachMember(_ body: (UnsafeBufferPointer<UInt8>, JSONNode) throws -> Void) rethrows {
    guard isObject else { return }
    var iterator = weir_json_iterate(node)
    var name = weir_json_bytes()
    var value = weir_json_node()
    while weir_json_next(&iterator, &name, &value) {
      try body(UnsafeBufferPointer(start: name.bytes, count: name.count), JSONNode(document: document, node: value))
    }
  }

  /// Calls `body` for the elements of an array in order.
  package func forEachElement(_ body: (JSONNode) throws -> Void) rethrows {
    guard isArray else { return }
    var iterator = weir_json_iterate(node)
    var name = weir_json_bytes()
    var value = weir_json_node()
    while weir_json_next(&iterator, &name, &value) { try body(JSONNode(document: document, node: value)) }
  }
}
