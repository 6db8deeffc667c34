import CJSON

/// Writes JSON strings: only `"`, `\` and control characters are escaped, UTF-8 stays as it is.
package enum JSONText {
  /// Appends a string with quotes.
  package static func append(string: String, to bytes: inout [UInt8]) {
    var string = string
    string.withUTF8 { append(utf8: $0, to: &bytes) }
  }

  /// Appends valid UTF-8 as a string with quotes.
  package static func append(utf8 text: [UInt8], to bytes: inout [UInt8]) { text.withUnsafeBufferPointer { append(utf8: $0, to: &bytes) } }

  /// Appends valid UTF-8 as a string with quotes.
  package static func append(utf8 text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: room(text)) { buffer in
      guard let base = buffer.baseAddress else { return }
      var pen = JSONPen(at: base)
      pen.string(text)
      bytes.append(contentsOf: UnsafeBufferPointer(start: base, count: pen.at - base))
    }
  }

  /// The most bytes of a string with quotes, including those after it that the pen may overwrite.
  package static func room(_ text: UnsafeBufferPointer<UInt8>) -> Int { weir_json_escape_room(text.baseAddress, text.count) + 2 }

  /// The same for any string of `count` bytes, however much of it is escaped.
  package static func room(bytes count: Int) -> Int { 6 * count + 2 + Int(WEIR_JSON_ESCAPE_SLACK) }
}

/// Writes JSON into memory with enough room.
package struct JSONPen {
  /// Where the next byte goes.
  package var at: UnsafeMutablePointer<UInt8>

  /// Writes bytes unchanged.
  package mutating func raw(_ bytes: StaticString) {
    at.update(from: bytes.utf8Start, count: bytes.utf8CodeUnitCount)
    at += bytes.utf8CodeUnitCount
  }

  /// Writes bytes unchanged.
  package mutating func raw(_ bytes: [UInt8]) {
    bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      at.update(from: base, count: bytes.count)
      at += bytes.count
    }
  }

  /// Writes valid UTF-8 as a string with quotes.
  package mutating func string(_ text: UnsafeBufferPointer<UInt8>) {
    at[0] = 0x22
    at = weir_json_escape(text.baseAddress, text.count, at + 1)
    at[0] = 0x22
    at += 1
  }

  /// Writes a string with quotes.
  package mutating func string(_ text: String) {
    var text = text
    text.withUTF8 { string($0) }
  }
}
