import Primitives

extension TemplateRun {
  mutating func apply(_ filter: TemplateFilter, _ value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
    if case .string(let bytes) = value { try spend(bytes.count / 64) } else { try spend() }
    func text() -> [UInt8] { value.printed }
    switch filter {
    case .trim:
      var set: [UInt8]?
      if case .string(let characters)? = arguments(0, "chars") { set = characters }
      return .string(Array(PythonText.strip(text()[...], set: set)))
    case .length, .count:
      switch value {
      case .string(let bytes): return .integer(PythonText.length(bytes))
      case .list, .dictionary, .undefined: return .integer(try elements(of: value).count)
      default: throw failure("\(value.typeName) has no length")
      }
    case .tojson: return .string(try TemplateJSON(arguments).text(of: value, failure: failure))
    case .upper: return .text(PythonText.string(text()).uppercased())
    case .lower: return .text(PythonText.string(text()).lowercased())
    case .title: return .string(PythonText.title(text()))
    case .capitalize: return .string(PythonText.capitalize(text()))
    case .default, .d:
      let replaces = !value.isDefined || arguments(1, "boolean")?.isTrue == true && !value.isTrue
      return replaces ? arguments(0, "default_value") ?? .string([]) : value
    case .join:
      let attribute = arguments(1, "attribute")
      let parts = try elements(of: value).map { element in try attribute.map { try path($0, of: element) } ?? element }
      return .string(try joined(parts, by: arguments(0, "d")?.printed ?? []))
    case .first: return try elements(of: value).first ?? .undefined("the first element of an empty list")
    case .last: return try elements(of: value).last ?? .undefined("the last element of an empty list")
    case .list: return .list(try elements(of: value))
    case .items: return value.isDefined ? try call(.items, of: value, arguments) : .list([])
    case .reverse:
      if case .string(let bytes) = value { return .string(PythonText.bytes(PythonText.scalars(bytes).reversed())) }
      return .list(try elements(of: value).reversed())
    case .string: return .string(text())
    case .safe: return value
    case .int:
      if case .string(let bytes) = value { return .integer(Int(PythonText.string(PythonText.strip(bytes[...]))) ?? 0) }
      return .integer(value.integer ?? value.number.flatMap { Int(exactly: $0.rounded(.towardZero)) } ?? 0)
    case .float:
      if case .string(let bytes) = value { return .double(Double(PythonText.string(PythonText.strip(bytes[...]))) ?? 0) }
      return .double(value.number ?? 0)
    case .abs:
      if let integer = value.integer, integer > .min { return .integer(Swift.abs(integer)) }
      guard let number = value.number else { throw failure("\(value.typeName) has no absolute value") }
      return .double(Swift.abs(number))
    case .replace:
      guard let old = arguments(0, "old"), let new = arguments(1, "new") else { throw failure("replace takes two strings") }
      return .string(try replaced(text(), old.printed, by: new.printed, most: arguments(2, "count")))
    case .indent: return .string(try indented(text(), arguments))
    case .unique:
      var kept: [TemplateValue] = []
      for element in try elements(of: value) {
        if try !kept.contains(where: { try areEqual($0, element) }) { kept.append(element) }
      }
      return .list(kept)
    case .dictsort:
      guard case .dictionary(let members) = value else { throw failure("dictsort takes a mapping, not \(value.typeName)") }
      guard arguments.positional.isEmpty, arguments.named.isEmpty else { throw failure("arguments of dictsort are not supported") }
      let keyed = members.members.map { (key: PythonText.string($0.key).lowercased(), member: $0) }
      let sorted = keyed.enumerated().sorted {
        let (one, other) = (Array($0.element.key.utf8), Array($1.element.key.utf8))
        return one == other ? $0.offset < $1.offset : one.lexicographicallyPrecedes(other)
      }
      return .list(sorted.map { .list([.string($0.element.member.key), $0.element.member.value]) })
    case .map: return try map(value, arguments)
    case .select, .reject, .selectattr, .rejectattr: return try selection(filter, value, arguments)
    }
  }

  /// Values as strings with a separator between them.
  mutating func joined(_ values: [TemplateValue], by separator: [UInt8]) throws -> [UInt8] {
    let parts = values.map(\.printed), length = parts.reduce(separator.count * values.count) { $0 + $1.count }
    try spend(length / 256)
    try checkLength(length)
    return Array(parts.joined(separator: separator))
  }

  mutating func replaced(_ text: [UInt8], _ old: [UInt8], by new: [UInt8], most: TemplateValue?) throws -> [UInt8] {
    let found = old.isEmpty ? text.count + 1 : PythonText.split(text, old).count - 1, length = text.count + found * new.count
    try spend(length / 256)
    try checkLength(length)
    return PythonText.replace(text, old, by: new, most: most?.integer ?? -1)
  }

  private func indented(_ text: [UInt8], _ arguments: TemplateArguments) throws -> [UInt8] {
    let width = arguments(0, "width")
    let spaces: [UInt8]
    if case .string(let own)? = width {
      spaces = own
    } else {
      spaces = Array(repeating: 0x20, count: max(0, min(100, width?.integer ?? 4)))
    }
    let lines = PythonText.split(text, [0x0A])
    let blank = arguments(2, "blank")?.isTrue == true, first = arguments(1, "first")?.isTrue == true
    let result = lines.enumerated().map { index, line in
      (index == 0 ? first : blank || !line.isEmpty) ? spaces + line : line
    }
    return Array(result.joined(separator: [0x0A]))
  }

  /// The member at a path such as `function.name`.
  private func path(_ name: TemplateValue, of value: TemplateValue) throws -> TemplateValue {
    guard case .string(let bytes) = name else { throw failure("the name of a member is \(name.typeName), not a string") }
    var result = value
    for part in PythonText.split(bytes, [0x2E]) {
      switch result {
      case .dictionary(let members): result = members[part] ?? .undefined(PythonText.string(part))
      case .namespace(let namespace): result = namespace.members[part] ?? .undefined(PythonText.string(part))
      default: result = .undefined(PythonText.string(part))
      }
    }
    return result
  }

  private mutating func map(_ value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
    if let attribute = arguments["attribute"] {
      return .list(
        try elements(of: value).map { element in
          let member = try path(attribute, of: element)
          return member.isDefined ? member : arguments["default"] ?? member
        })
    }
    guard case .string(let name)? = arguments.positional.first, let filter = TemplateFilter(rawValue: PythonText.string(name)) else {
      throw failure("map takes a filter or attribute=")
    }
    let rest = TemplateArguments(positional: Array(arguments.positional.dropFirst()), named: arguments.named)
    return .list(try nested { run in try run.elements(of: value).map { try run.apply(filter, $0, rest) } })
  }

  private mutating func selection(_ filter: TemplateFilter, _ value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue
  {
    var rest = arguments.positional[...]
    let attribute = filter == .selectattr || filter == .rejectattr ? rest.popFirst() : nil
    guard attribute != nil || filter == .select || filter == .reject else { throw failure("\(filter.rawValue) takes the name of a member") }
    var test: TemplateTest?
    if let name = rest.popFirst()?.printed {
      test = TemplateTest(rawValue: PythonText.string(name)) ?? TemplateTest(symbol: PythonText.string(name))
      guard test != nil else { throw failure("the test \(PythonText.string(name)) is not supported") }
    }
    let wanted = filter == .select || filter == .selectattr, operands = TemplateArguments(positional: Array(rest))
    return .list(
      try elements(of: value).filter { element in
        let tested = try attribute.map { try path($0, of: element) } ?? element
        try spend()
        return try (test.map { try holds($0, tested, operands) } ?? tested.isTrue) == wanted
      })
  }
}
