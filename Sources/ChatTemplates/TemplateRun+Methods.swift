import Primitives

/// Methods of strings and mappings.
extension TemplateRun {
  mutating func call(_ method: TemplateMethod, of object: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
    switch object {
    case .string(let text): return try call(method, of: text, arguments)
    case .dictionary(let members): return try call(method, of: members, arguments)
    case .undefined(let name): throw failure("\(name) is undefined, so it has no method \(method.rawValue)")
    default: throw failure("\(object.typeName) has no method \(method.rawValue)")
    }
  }

  private func call(_ method: TemplateMethod, of members: TemplateDictionary, _ arguments: TemplateArguments) throws -> TemplateValue {
    switch method {
    case .items: return .list(members.members.map { .list([.string($0.key), $0.value]) })
    case .keys: return .list(members.members.map { .string($0.key) })
    case .values: return .list(members.members.map(\.value))
    case .get:
      guard case .string(let key)? = arguments.positional.first else { throw failure("get() takes the name of a member") }
      return members[key] ?? arguments(1, "default") ?? .none
    default: throw failure("a mapping has no method \(method.rawValue)")
    }
  }

  private mutating func call(_ method: TemplateMethod, of text: [UInt8], _ arguments: TemplateArguments) throws -> TemplateValue {
    func string(_ index: Int, _ name: String = "") throws -> [UInt8]? {
      switch arguments(index, name) {
      case nil, .none?: return nil
      case .string(let bytes)?: return bytes
      case let other?: throw failure("\(method.rawValue)() takes a string, not \(other.typeName)")
      }
    }
    func needed(_ index: Int) throws -> [UInt8] {
      guard let value = try string(index) else { throw failure("\(method.rawValue)() lacks an argument") }
      return value
    }
    /// Whether the text begins or ends with the argument, or one of several.
    func matches(_ test: ([UInt8]) -> Bool) throws -> TemplateValue {
      guard case .list(let parts)? = arguments.positional.first else { return .bool(test(try needed(0))) }
      return .bool(parts.contains { if case .string(let part) = $0 { test(part) } else { false } })
    }
    try spend(text.count / 64)
    switch method {
    case .strip: return .string(Array(PythonText.strip(text[...], set: try string(0))))
    case .lstrip: return .string(Array(PythonText.strip(text[...], right: false, set: try string(0))))
    case .rstrip: return .string(Array(PythonText.strip(text[...], left: false, set: try string(0))))
    case .split, .rsplit:
      let separator = try string(0, "sep"), most = arguments(1, "maxsplit")?.integer ?? -1
      guard separator?.isEmpty != true else { throw failure("\(method.rawValue)() takes a separator that is not empty") }
      guard method == .rsplit, most >= 0 else { return .list(PythonText.split(text, separator, most: most).map { .string($0) }) }
      guard let separator else { throw failure("rsplit() without a separator is not supported") }
      var parts = PythonText.split(text, separator)
      let joined = Array(parts.dropLast(most).joined(separator: separator))
      parts = most < parts.count ? [joined] + parts.suffix(most) : parts
      return .list(parts.map { .string($0) })
    case .splitlines:
      var lines = PythonText.split(PythonText.replace(text, [0x0D, 0x0A], by: [0x0A]), [0x0A])
      if lines.last?.isEmpty == true { lines.removeLast() }
      return .list(lines.map { .string($0) })
    case .startswith: return try matches { text.starts(with: $0) }
    case .endswith: return try matches { text.count >= $0.count && text.suffix($0.count).elementsEqual($0) }
    case .upper: return .text(PythonText.string(text).uppercased())
    case .lower: return .text(PythonText.string(text).lowercased())
    case .title: return .string(PythonText.title(text))
    case .capitalize: return .string(PythonText.capitalize(text))
    case .replace:
      return .string(try replaced(text, try needed(0), by: try needed(1), most: arguments(2, "count")))
    case .join: return .string(try joined(try elements(of: arguments.positional.first ?? .list([])), by: text))
    case .find:
      let found = PythonText.find(try needed(0), in: text)
      return .integer(found.map { PythonText.length(Array(text[..<$0])) } ?? -1)
    case .count: return .integer(PythonText.split(text, try needed(0)).count - 1)
    case .isdigit: return .bool(!text.isEmpty && text.allSatisfy { (0x30...0x39).contains($0) })
    case .removeprefix:
      let part = try needed(0)
      return .string(text.starts(with: part) ? Array(text.dropFirst(part.count)) : text)
    case .removesuffix:
      let part = try needed(0)
      return .string(text.count >= part.count && text.suffix(part.count).elementsEqual(part) ? Array(text.dropLast(part.count)) : text)
    case .items, .keys, .values, .get: throw failure("a string has no method \(method.rawValue)")
    }
  }
}
