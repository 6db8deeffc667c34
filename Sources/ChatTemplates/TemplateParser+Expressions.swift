import Primitives

/// Expressions, by the precedence of Jinja: inline if, or, and, not, comparisons, + and −, ~, products, signs, members and calls, filters
/// and tests.
extension TemplateParser {
  /// Operators in a row of one precedence; more would nest the expression too deeply.
  private static let maximumChain = 100

  mutating func expression() throws -> TemplateExpression {
    try nested { parser in
      let value = try parser.disjunction()
      guard parser.skip(name: "if") else { return value }
      let test = try parser.disjunction()
      return .conditional(test: test, then: value, otherwise: parser.skip(name: "else") ? try parser.expression() : nil)
    }
  }

  mutating func disjunction() throws -> TemplateExpression {
    try chain {
      try $0.conjunction()
    } next: { parser, left in
      parser.skip(name: "or") ? .or(left, try parser.conjunction()) : nil
    }
  }

  private mutating func conjunction() throws -> TemplateExpression {
    try chain {
      try $0.negation()
    } next: { parser, left in
      parser.skip(name: "and") ? .and(left, try parser.negation()) : nil
    }
  }

  private mutating func negation() throws -> TemplateExpression {
    guard skip(name: "not") else { return try comparison() }
    return try nested { .not(try $0.negation()) }
  }

  private mutating func comparison() throws -> TemplateExpression {
    let first = try sum()
    var rest: [(comparison: TemplateExpression.Operator, operand: TemplateExpression)] = []
    while let comparison = comparisonOperator() { rest.append((comparison, try sum())) }
    return rest.isEmpty ? first : .comparison(first, rest)
  }

  private mutating func comparisonOperator() -> TemplateExpression.Operator? {
    switch current.kind {
    case .symbol(let symbol) where ["==", "!=", "<", "<=", ">", ">="].contains(symbol):
      next()
      return TemplateExpression.Operator(rawValue: symbol)
    case .name("in"):
      next()
      return .contained
    case .name("not") where following.kind == .name("in"):
      next()
      next()
      return .notContained
    default: return nil
    }
  }

  private mutating func sum() throws -> TemplateExpression {
    try operators(["+", "-"]) { try $0.joined() }
  }

  private mutating func joined() throws -> TemplateExpression {
    var parts = [try product()]
    while skip(symbol: "~") { parts.append(try product()) }
    return parts.count == 1 ? parts[0] : .joined(parts)
  }

  private mutating func product() throws -> TemplateExpression {
    let value = try operators(["*", "/", "//", "%"]) { try $0.signed() }
    guard !isSymbol("**") else { throw failure("** is not supported") }
    return value
  }

  private mutating func operators(
    _ symbols: [String], operand: (inout TemplateParser) throws -> TemplateExpression
  ) throws -> TemplateExpression {
    try chain(operand) { parser, left in
      guard case .symbol(let symbol) = parser.current.kind, symbols.contains(symbol),
        let operation = TemplateExpression.Operator(rawValue: symbol)
      else { return nil }
      parser.next()
      return .binary(operation, left, try operand(&parser))
    }
  }

  /// Applies `next` to the expression before it until it returns nil.
  private mutating func chain(
    _ first: (inout TemplateParser) throws -> TemplateExpression,
    next: (inout TemplateParser, TemplateExpression) throws -> TemplateExpression?
  ) throws -> TemplateExpression {
    var value = try first(&self), length = 0
    while let longer = try next(&self, value) {
      (value, length) = (longer, length + 1)
      guard length <= Self.maximumChain else { throw failure("has more than \(Self.maximumChain) operators in a row") }
    }
    return value
  }

  private mutating func signed() throws -> TemplateExpression {
    let value: TemplateExpression
    if skip(symbol: "-") {
      value = .negative(try nested { try $0.unfiltered() })
    } else {
      value = skip(symbol: "+") ? try nested { try $0.unfiltered() } : try unfiltered()
    }
    return try chain { _ in
      value
    } next: { parser, value in
      if parser.isSymbol("|") {
        parser.next()
        return try parser.filter(value)
      }
      guard parser.isName("is") else { return nil }
      parser.next()
      return try parser.test(value)
    }
  }

  /// A value with its members, items and calls.
  private mutating func unfiltered() throws -> TemplateExpression {
    try chain {
      try $0.primary()
    } next: { parser, value in
      if parser.skip(symbol: ".") {
        if case .integer(let index) = parser.current.kind {
          parser.next()
          return .item(value, .constant(.integer(index)))
        }
        return .attribute(value, try parser.expectName())
      }
      if parser.skip(symbol: "[") { return try parser.subscripted(value) }
      guard parser.skip(symbol: "(") else { return nil }
      if case .attribute(_, let name) = value, TemplateMethod(rawValue: name) == nil {
        throw parser.failure("the method \(name) is not supported")
      }
      return .call(value, try parser.arguments())
    }
  }

  private mutating func subscripted(_ value: TemplateExpression) throws -> TemplateExpression {
    func bound(_ parser: inout TemplateParser) throws -> TemplateExpression? {
      parser.isSymbol(":") || parser.isSymbol("]") ? nil : try parser.expression()
    }
    let start = try bound(&self)
    guard skip(symbol: ":") else {
      guard let start else { throw failure("expected an index, not ]") }
      try expect(.symbol("]"))
      return .item(value, start)
    }
    let stop = try bound(&self), step = skip(symbol: ":") ? try bound(&self) : nil
    try expect(.symbol("]"))
    return .slice(value, start: start, stop: stop, step: step)
  }

  private mutating func primary() throws -> TemplateExpression {
    let token = next()
    switch token.kind {
    case .name(let name):
      switch name {
      case "true", "True": return .constant(.bool(true))
      case "false", "False": return .constant(.bool(false))
      case "none", "None": return .constant(.none)
      default: return .name(name)
      }
    case .string(let first):
      var text = first
      while case .string(let more) = current.kind {
        text += more
        next()
      }
      return .constant(.string(text))
    case .integer(let value): return .constant(.integer(value))
    case .double(let value): return .constant(.double(value))
    case .symbol("("):
      let elements = try elements(until: ")")
      return elements.values.count == 1 && !elements.hasComma ? elements.values[0] : .list(elements.values)
    case .symbol("["): return .list(try elements(until: "]").values)
    case .symbol("{"):
      var members: [(key: TemplateExpression, value: TemplateExpression)] = []
      while !isSymbol("}") {
        if !members.isEmpty { try expect(.symbol(",")) }
        if isSymbol("}") { break }
        let key = try expression()
        try expect(.symbol(":"))
        members.append((key, try expression()))
      }
      next()
      return .dictionary(members)
    default: throw failure("expected a value, not \(token.text)", line: token.line)
    }
  }

  private mutating func elements(until end: String) throws -> (values: [TemplateExpression], hasComma: Bool) {
    var values: [TemplateExpression] = [], hasComma = false
    while !isSymbol(end) {
      if !values.isEmpty {
        try expect(.symbol(","))
        hasComma = true
      }
      if isSymbol(end) { break }
      values.append(try expression())
    }
    next()
    return (values, hasComma)
  }

  /// The arguments of a call after its parenthesis.
  private mutating func arguments() throws -> TemplateExpression.Arguments {
    var arguments = TemplateExpression.Arguments(), isFirst = true
    while !isSymbol(")") {
      if !isFirst { try expect(.symbol(",")) }
      if isSymbol(")") { break }
      isFirst = false
      if case .name(let name) = current.kind, following.kind == .symbol("=") {
        next()
        next()
        arguments.named.append((name, try expression()))
      } else {
        guard arguments.named.isEmpty else { throw failure("an argument without a name follows one with a name") }
        arguments.positional.append(try expression())
      }
    }
    next()
    return arguments
  }

  private mutating func filter(_ value: TemplateExpression) throws -> TemplateExpression {
    let line = current.line, name = try expectName()
    guard let filter = TemplateFilter(rawValue: name) else { throw failure("the filter \(name) is not supported", line: line) }
    return .filter(value, filter, skip(symbol: "(") ? try arguments() : TemplateExpression.Arguments())
  }

  private mutating func test(_ value: TemplateExpression) throws -> TemplateExpression {
    let isNegated = skip(name: "not"), line = current.line, name = try expectName()
    guard let test = TemplateTest(rawValue: name) else { throw failure("the test \(name) is not supported", line: line) }
    var arguments = TemplateExpression.Arguments()
    if skip(symbol: "(") {
      arguments = try self.arguments()
    } else if beginsArgument {
      arguments.positional = [try unfiltered()]
    }
    let result = TemplateExpression.test(value, test, arguments)
    return isNegated ? .not(result) : result
  }

  /// Whether a test without parentheses has an argument.
  private var beginsArgument: Bool {
    switch current.kind {
    case .name(let name): !["else", "or", "and", "is", "if", "in", "not"].contains(name)
    case .string, .integer, .double, .symbol("["), .symbol("{"): true
    default: false
    }
  }
}
