import Primitives

/// The filter `tojson`: Python's `json.dumps`, which transformers puts in the place of Jinja's.
struct TemplateJSON {
  private let indent: [UInt8]?
  private let separators: (item: [UInt8], key: [UInt8])
  private let sortsKeys: Bool
  private let escapesAll: Bool

  init(_ arguments: TemplateArguments) {
    switch arguments(1, "indent") {
    case .integer(let count)?: indent = Array(repeating: 0x20, count: max(0, min(100, count)))
    case .string(let bytes)?: indent = bytes
    default: indent = nil
    }
    var separators: (item: [UInt8], key: [UInt8]) = (indent == nil ? [0x2C, 0x20] : [0x2C], [0x3A, 0x20])
    if case .list(let pair)? = arguments(2, "separators"), pair.count == 2 { separators = (pair[0].printed, pair[1].printed) }
    self.separators = separators
    sortsKeys = arguments(3, "sort_keys")?.isTrue ?? false
    escapesAll = arguments(0, "ensure_ascii")?.isTrue ?? false
  }

  func text(of value: TemplateValue, failure: (String) -> WeirError) throws -> [UInt8] {
    var result: [UInt8] = []
    try append(value, depth: 0, to: &result, failure)
    return result
  }

  private func append(_ value: TemplateValue, depth: Int, to result: inout [UInt8], _ failure: (String) -> WeirError) throws {
    guard result.count <= TemplateRun.maximumBytes else { throw failure("the JSON of a value is too long") }
    switch value {
    case .none: result += Array("null".utf8)
    case .bool(let value): result += Array((value ? "true" : "false").utf8)
    case .integer(let value): result += Array("\(value)".utf8)
    case .double(let value):
      result += Array((value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : "\(value)").utf8)
    case .string(let bytes): append(bytes, to: &result)
    case .list(let elements):
      try list(elements, [0x5B, 0x5D], depth: depth, to: &result) { element, result in
        try append(element, depth: depth + 1, to: &result, failure)
      }
    case .dictionary(let dictionary):
      var members = dictionary.members
      if sortsKeys { members.sort { $0.key.lexicographicallyPrecedes($1.key) } }
      try list(members, [0x7B, 0x7D], depth: depth, to: &result) { member, result in
        append(member.key, to: &result)
        result += separators.key
        try append(member.value, depth: depth + 1, to: &result, failure)
      }
    case .undefined, .namespace, .macro, .function: throw failure("\(value.typeName) has no JSON")
    }
  }

  private func list<E>(
    _ elements: [E], _ brackets: [UInt8], depth: Int, to result: inout [UInt8], _ body: (E, inout [UInt8]) throws -> Void
  ) throws {
    result.append(brackets[0])
    func newLine(_ depth: Int) {
      guard let indent else { return }
      result.append(0x0A)
      for _ in 0..<depth { result += indent }
    }
    for (index, element) in elements.enumerated() {
      if index > 0 { result += separators.item }
      newLine(depth + 1)
      try body(element, &result)
    }
    if !elements.isEmpty { newLine(depth) }
    result.append(brackets[1])
  }

  private func append(_ text: [UInt8], to result: inout [UInt8]) {
    result.append(0x22)
    func escape(_ unit: UInt16) {
      let digits = String(unit, radix: 16)
      result += Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
    }
    for scalar in PythonText.string(text).unicodeScalars {
      switch scalar.value {
      case 0x22: result += [0x5C, 0x22]
      case 0x5C: result += [0x5C, 0x5C]
      case 0x0A: result += [0x5C, 0x6E]
      case 0x0D: result += [0x5C, 0x72]
      case 0x09: result += [0x5C, 0x74]
      case 0x08: result += [0x5C, 0x62]
      case 0x0C: result += [0x5C, 0x66]
      case 0..<0x20: escape(UInt16(scalar.value))
      case 0x7F... where escapesAll: String(Character(scalar)).utf16.forEach(escape)
      default: result += PythonText.bytes([scalar])
      }
    }
    result.append(0x22)
  }
}
