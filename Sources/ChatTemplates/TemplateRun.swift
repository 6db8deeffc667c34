import Primitives

/// One rendering of a template.
struct TemplateRun {
  let place: String
  let date: TemplateDate?
  private(set) var rendering = ChatTemplate.Rendering()
  var scope = TemplateScope()
  /// The line of the statement that runs.
  private(set) var line = 1
  private var budget: Int
  private var depth = 0
  /// The output of macros and captures that run; the last one is written to.
  private var captured: [[UInt8]] = []

  private static let maximumDepth = 200
  /// The most bytes that a template may write.
  static let maximumBytes = 1 << 28
  /// The deepest lists within lists.
  private static let maximumNesting = 100

  private enum Flow { case next, leaveLoop, nextElement }

  init(place: String, date: TemplateDate?, budget: Int) { (self.place, self.date, self.budget) = (place, date, budget) }

  func failure(_ reason: String) -> WeirError { WeirError("\(place):\(line)", reason) }

  mutating func execute(_ body: [TemplateStatement]) throws { _ = try run(body) }

  /// Counts an operation, of a cost in addition to its own.
  mutating func spend(_ cost: Int = 0) throws {
    budget -= 1 + cost
    guard budget >= 0 else { throw failure("the template does not end: it exceeds the number of operations of any conversation") }
  }

  /// Calls `body` one level deeper.
  mutating func nested<R>(_ body: (inout TemplateRun) throws -> R) throws -> R {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw failure("the template is nested more than \(Self.maximumDepth) deep") }
    return try body(&self)
  }

  private mutating func write(_ bytes: [UInt8]) throws {
    guard captured.isEmpty else {
      captured[captured.count - 1] += bytes
      return try checkLength(captured[captured.count - 1].count)
    }
    rendering.text += bytes
    try checkLength(rendering.text.count)
  }

  func checkLength(_ bytes: Int) throws {
    guard bytes <= Self.maximumBytes else { throw failure("the template writes more than \(Self.maximumBytes >> 20) MiB") }
  }

  /// The output of statements.
  mutating func capture(_ body: [TemplateStatement]) throws -> [UInt8] {
    captured.append([])
    let flow = Result { try run(body) }
    let bytes = captured.removeLast()
    _ = try flow.get()
    return bytes
  }

  /// Calls `body` in a scope within another one.
  mutating func within<R>(_ parent: TemplateScope, _ body: (inout TemplateRun) throws -> R) rethrows -> R {
    let outer = scope
    scope = TemplateScope(parent)
    defer { scope = outer }
    return try body(&self)
  }

  private mutating func run(_ body: [TemplateStatement]) throws -> Flow {
    for statement in body {
      line = statement.line
      try spend()
      let flow = try run(statement)
      guard flow == .next else { return flow }
    }
    return .next
  }

  private mutating func run(_ statement: TemplateStatement) throws -> Flow {
    switch statement.kind {
    case .text(let text): try write(text)
    case .output(let expression): try write(try evaluate(expression).printed)
    case .set(let target, let expression): try assign(try evaluate(expression), to: target)
    case .capture(let target, let body): try assign(.string(try within(scope) { try $0.capture(body) }), to: target)
    case .branches(let branches, let otherwise):
      for branch in branches {
        if try evaluate(branch.condition).isTrue { return try nested { try $0.run(branch.body) } }
      }
      return try nested { try $0.run(otherwise) }
    case .loop(let loop): try nested { try $0.run(loop) }
    case .macro(let macro): scope[macro.name] = .macro(TemplateMacro(macro, scope: scope))
    case .generation(let body):
      guard captured.isEmpty else { throw failure("{% generation %} in a macro or a {% set %} block is not supported") }
      let start = rendering.text.count
      let flow = try within(scope) { try $0.run(body) }
      if rendering.text.count > start { rendering.generated.append(start..<rendering.text.count) }
      return flow
    case .leaveLoop: return .leaveLoop
    case .nextElement: return .nextElement
    }
    return .next
  }

  private mutating func assign(_ value: TemplateValue, to target: TemplateStatement.Target) throws {
    try weigh(value)
    switch target {
    case .name(let name): scope[name] = value
    case .member(let member, let name):
      guard case .namespace(let namespace)? = scope[name] else { throw failure("\(name) is not a namespace") }
      try checkElement(value)
      namespace.members.set(member, value)
    case .names(let names):
      let values = try elements(of: value)
      guard values.count == names.count else { throw failure("\(values.count) values cannot be assigned to \(names.count) names") }
      for (name, value) in zip(names, values) { scope[name] = value }
    }
  }

  /// Counts the elements of a value, so that none grows beyond what can be visited.
  private mutating func weigh(_ value: TemplateValue, nesting: Int = 0) throws {
    guard nesting <= Self.maximumNesting else { throw failure("lists are nested more than \(Self.maximumNesting) deep") }
    switch value {
    case .list(let elements):
      try spend(elements.count)
      for element in elements { try weigh(element, nesting: nesting + 1) }
    case .dictionary(let dictionary):
      try spend(dictionary.members.count)
      for member in dictionary.members { try weigh(member.value, nesting: nesting + 1) }
    default: break
    }
  }

  /// Throws for what lists, mappings and namespaces cannot hold: references, which could form chains and cycles.
  func checkElement(_ value: TemplateValue) throws {
    switch value {
    case .namespace, .macro: throw failure("\(value.typeName) cannot be an element")
    default: break
    }
  }

  private mutating func run(_ loop: TemplateStatement.Loop) throws {
    var visited = try elements(of: try evaluate(loop.elements))
    if let condition = loop.condition {
      visited = try visited.filter { element in
        try within(scope) { run in
          try run.assign(element, to: loop.target)
          return try run.evaluate(condition).isTrue
        }
      }
    }
    for index in visited.indices {
      try spend()
      let flow = try within(scope) { run in
        run.scope["loop"] = .dictionary(Self.state(index, visited))
        try run.assign(visited[index], to: loop.target)
        return try run.run(loop.body)
      }
      if flow == .leaveLoop { return }
    }
    if visited.isEmpty { _ = try run(loop.otherwise) }
  }

  /// The variable `loop`.
  private static func state(_ index: Int, _ elements: [TemplateValue]) -> TemplateDictionary {
    var state = TemplateDictionary()
    let count = elements.count
    for (name, value) in [
      ("index", index + 1), ("index0", index), ("length", count), ("revindex", count - index), ("revindex0", count - index - 1),
    ] {
      state.set(name, .integer(value))
    }
    state.set("first", .bool(index == 0))
    state.set("last", .bool(index + 1 == count))
    state.set("previtem", index == 0 ? .undefined("loop.previtem") : elements[index - 1])
    state.set("nextitem", index + 1 == count ? .undefined("loop.nextitem") : elements[index + 1])
    return state
  }

  /// What a loop over a value visits: elements, keys, or characters.
  func elements(of value: TemplateValue) throws -> [TemplateValue] {
    switch value {
    case .list(let elements): elements
    case .undefined: []
    case .dictionary(let members): members.members.map { .string($0.key) }
    case .string(let bytes): PythonText.scalars(bytes).map { .string(PythonText.bytes([$0])) }
    default: throw failure("\(value.typeName) has no elements")
    }
  }

  /// Calls a macro, which sees the scope of its definition.
  mutating func call(_ macro: TemplateMacro, _ arguments: TemplateArguments) throws -> TemplateValue {
    let definition = macro.definition
    guard arguments.positional.count <= definition.parameters.count else {
      throw failure("\(definition.name) has \(definition.parameters.count) parameters, not \(arguments.positional.count)")
    }
    if let name = arguments.named.first(where: { argument in !definition.parameters.contains { $0.name == argument.name } })?.name {
      throw failure("\(definition.name) has no parameter \(name)")
    }
    return try nested { run in
      try run.within(macro.scope) { run in
        for (index, parameter) in definition.parameters.enumerated() {
          let given = index < arguments.positional.count ? arguments.positional[index] : arguments[parameter.name]
          let value = try given ?? parameter.initial.map { try run.evaluate($0) } ?? .undefined(parameter.name)
          try run.assign(value, to: .name(parameter.name))
        }
        let line = run.line
        defer { run.line = line }
        return .string(try run.capture(definition.body))
      }
    }
  }
}

/// The values of a call's arguments.
struct TemplateArguments {
  var positional: [TemplateValue] = []
  var named: [(name: String, value: TemplateValue)] = []

  subscript(name: String) -> TemplateValue? { named.first { $0.name == name }?.value }

  /// The argument at a position or of a name.
  func callAsFunction(_ index: Int, _ name: String) -> TemplateValue? { index < positional.count ? positional[index] : self[name] }
}
