import Primitives

/// Parses the statements of a template. What it does not know is refused with its line.
struct TemplateParser {
  private let tokens: [TemplateToken]
  let place: String
  private var position = 0
  private var depth = 0
  private(set) var hasGeneration = false
  /// All names, members and strings, which tell what a template makes use of.
  private(set) var words: Set<String> = []

  private static let maximumDepth = 50

  init(_ source: [UInt8], place: String) throws {
    self.place = place
    tokens = try TemplateLexer.tokens(source, place: place)
    for token in tokens {
      switch token.kind {
      case .name(let name): words.insert(name)
      case .string(let bytes): words.insert(String(decoding: bytes, as: UTF8.self))
      default: break
      }
    }
  }

  /// The statements of the whole template.
  mutating func parse() throws -> [TemplateStatement] {
    let (body, _) = try statements(until: [])
    return body
  }

  // MARK: Tokens

  var current: TemplateToken { tokens[min(position, tokens.count - 1)] }
  var following: TemplateToken { tokens[min(position + 1, tokens.count - 1)] }

  func failure(_ reason: String, line: Int? = nil) -> WeirError { WeirError("\(place):\(line ?? current.line)", reason) }

  @discardableResult
  mutating func next() -> TemplateToken {
    let token = current
    position += 1
    return token
  }

  func isSymbol(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }
  func isName(_ name: String) -> Bool { current.kind == .name(name) }

  mutating func skip(symbol: String) -> Bool {
    guard isSymbol(symbol) else { return false }
    next()
    return true
  }

  mutating func skip(name: String) -> Bool {
    guard isName(name) else { return false }
    next()
    return true
  }

  mutating func expect(_ kind: TemplateToken.Kind) throws {
    guard current.kind == kind else {
      throw failure("expected \(TemplateToken(kind: kind, line: 0).text), not \(current.text)")
    }
    next()
  }

  mutating func expectName() throws -> String {
    guard case .name(let name) = current.kind else { throw failure("expected a name, not \(current.text)") }
    next()
    return name
  }

  /// Calls `body` one level deeper.
  mutating func nested<R>(_ body: (inout TemplateParser) throws -> R) throws -> R {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw failure("is nested more than \(Self.maximumDepth) deep") }
    return try body(&self)
  }

  // MARK: Statements

  /// Statements up to a block of one of these names, which is consumed up to its name.
  private mutating func statements(until ends: [String]) throws -> (body: [TemplateStatement], end: String) {
    try nested { parser in
      var body: [TemplateStatement] = []
      while true {
        let token = parser.next()
        switch token.kind {
        case .text(let text): body.append(TemplateStatement(line: token.line, kind: .text(text)))
        case .variableBegin:
          body.append(TemplateStatement(line: token.line, kind: .output(try parser.expression())))
          try parser.expect(.variableEnd)
        case .blockBegin:
          let name = try parser.expectName()
          if ends.contains(name) { return (body, name) }
          body.append(TemplateStatement(line: token.line, kind: try parser.statement(name, line: token.line)))
        default:
          guard ends.isEmpty, token.kind == .end else {
            throw parser.failure("expected {% \(ends.last ?? "") %}, not \(token.text)", line: token.line)
          }
          return (body, "")
        }
      }
    }
  }

  /// The body of a block that ends with `{% end… %}`.
  private mutating func body(until end: String) throws -> [TemplateStatement] {
    try expect(.blockEnd)
    let (body, _) = try statements(until: [end])
    try expect(.blockEnd)
    return body
  }

  private mutating func statement(_ name: String, line: Int) throws -> TemplateStatement.Kind {
    switch name {
    case "if": return try branches()
    case "for": return .loop(try loop())
    case "set":
      let target = try target(allowsMember: true)
      guard skip(symbol: "=") else {
        guard !isSymbol("|") else { throw failure("filters of a {% set %} block are not supported") }
        return .capture(target, try body(until: "endset"))
      }
      let value = try expression()
      guard !isSymbol(",") else { throw failure("tuples without parentheses are not supported") }
      try expect(.blockEnd)
      return .set(target, value)
    case "macro": return .macro(try macro())
    case "generation":
      hasGeneration = true
      return .generation(try body(until: "endgeneration"))
    case "break", "continue":
      try expect(.blockEnd)
      return name == "break" ? .leaveLoop : .nextElement
    default: throw failure("{% \(name) %} is not supported", line: line)
    }
  }

  private mutating func branches() throws -> TemplateStatement.Kind {
    var branches: [(condition: TemplateExpression, body: [TemplateStatement])] = []
    while true {
      let condition = try expression()
      try expect(.blockEnd)
      let (body, end) = try statements(until: ["elif", "else", "endif"])
      branches.append((condition, body))
      if end == "elif" { continue }
      let otherwise = end == "else" ? try self.body(until: "endif") : []
      if end == "endif" { try expect(.blockEnd) }
      return .branches(branches, otherwise: otherwise)
    }
  }

  private mutating func loop() throws -> TemplateStatement.Loop {
    let target = try target(allowsMember: false)
    guard skip(name: "in") else { throw failure("expected in, not \(current.text)") }
    let elements = try disjunction()
    let condition = skip(name: "if") ? try expression() : nil
    guard !isName("recursive") else { throw failure("recursive loops are not supported") }
    try expect(.blockEnd)
    let (body, end) = try statements(until: ["else", "endfor"])
    let otherwise = end == "else" ? try self.body(until: "endfor") : []
    if end == "endfor" { try expect(.blockEnd) }
    return TemplateStatement.Loop(target: target, elements: elements, condition: condition, body: body, otherwise: otherwise)
  }

  private mutating func target(allowsMember: Bool) throws -> TemplateStatement.Target {
    let isParenthesized = skip(symbol: "(")
    var names = [try expectName()]
    if allowsMember, !isParenthesized, skip(symbol: ".") { return .member(try expectName(), of: names[0]) }
    while skip(symbol: ",") { names.append(try expectName()) }
    if isParenthesized { try expect(.symbol(")")) }
    return names.count == 1 ? .name(names[0]) : .names(names)
  }

  private mutating func macro() throws -> TemplateStatement.Macro {
    let name = try expectName()
    try expect(.symbol("("))
    var parameters: [(name: String, initial: TemplateExpression?)] = []
    while !isSymbol(")") {
      if !parameters.isEmpty { try expect(.symbol(",")) }
      parameters.append((try expectName(), skip(symbol: "=") ? try expression() : nil))
    }
    next()
    return TemplateStatement.Macro(name: name, parameters: parameters, body: try body(until: "endmacro"))
  }
}
