/// Replaces members of a JSON object in its text, so that all else keeps its bytes: the order of the members, and how numbers are written.
package enum JSONMembers {
  /// - Parameters:
  ///   - text: a valid JSON object.
  ///   - values: the new values of members at the top level, by name; those that the object lacks are left out.
  package static func replacing(_ values: [String: JSONValue], in text: [UInt8]) throws -> [UInt8] {
    var result = text
    // From the end, so that earlier positions stay valid.
    for (name, range) in positions(text).reversed() {
      if let value = values[name] { result.replaceSubrange(range, with: try JSONFile.encode(value)) }
    }
    return result
  }

  /// The members at the top level, in order, and where their values are.
  private static func positions(_ text: [UInt8]) -> [(name: String, value: Range<Int>)] {
    var found: [(name: String, value: Range<Int>)] = []
    var at = 0, depth = 0, name = ""
    var start: Int?
    while at < text.count {
      let byte = text[at]
      var next = at + 1
      switch byte {
      case 0x22:
        while next < text.count, text[next] != 0x22 { next += text[next] == 0x5C ? 2 : 1 }
        next = min(text.count, next + 1)
        if depth == 1, start == nil { name = String(decoding: text[at + 1..<max(at + 1, next - 1)], as: UTF8.self) }
      case UInt8(ascii: ":"):
        if depth == 1 { start = next }
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","):
        if depth == 1, let first = start {
          let value = text[first..<at]
          let from = value.firstIndex { $0 > 0x20 } ?? first
          found.append((name, from..<(value.lastIndex { $0 > 0x20 } ?? from - 1) + 1))
          start = nil
        }
        if byte != UInt8(ascii: ",") { depth -= 1 }
      default: break
      }
      at = next
    }
    return found
  }
}
