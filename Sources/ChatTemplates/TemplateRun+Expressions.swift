import Primitives

extension TemplateRun {
  mutating func evaluate(_ expression: TemplateExpression) throws -> TemplateValue {
    try spend()
    return try nested { try $0.value(expression) }
  }

  private mutating func value(_ expression: TemplateExpression) throws -> TemplateValue {
    switch expression {
    case .constant(let constant): return Self.value(constant)
    case .name(let name): return scope[name] ?? (isFunction(name) ? .function(name) : .undefined(name))
    case .list(let elements):
      let values = try elements.map { try evaluate($0) }
      for value in values { try checkElement(value) }
      return .list(values)
    case .dictionary(let members): return try dictionary(members)
    case .attribute(let object, let name): return try attribute(try evaluate(object), name)
    case .item(let object, let index): return try item(try evaluate(object), try evaluate(index))
    case .slice(let object, let start, let stop, let step):
      let bounds = try [start, stop, step].map { try $0.map { try evaluate($0) } }
      return try slice(try evaluate(object), bounds)
    case .call(let function, let arguments): return try call(function, try evaluate(arguments))
    case .filter(let object, let filter, let arguments): return try apply(filter, try evaluate(object), try evaluate(arguments))
    case .test(let object, let test, let arguments): return .bool(try holds(test, try evaluate(object), try evaluate(arguments)))
    case .not(let operand): return .bool(try !evaluate(operand).isTrue)
    case .negative(let operand): return try binary(.subtract, .integer(0), try evaluate(operand))
    case .binary(let operation, let left, let right): return try binary(operation, try evaluate(left), try evaluate(right))
    case .comparison(let first, let rest):
      var left = try evaluate(first)
      for (comparison, operand) in rest {
        let right = try evaluate(operand)
        guard try holds(comparison, left, right) else { return .bool(false) }
        left = right
      }
      return .bool(true)
    case .and(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? try evaluate(right) : value
    case .or(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? value : try evaluate(right)
    case .joined(let parts):
      let bytes = try parts.flatMap { try evaluate($0).printed }
      try spend(bytes.count / 256)
      try checkLength(bytes.count)
      return .string(bytes)
    case .conditional(let test, let then, let otherwise):
      if try evaluate(test).isTrue { return try evaluate(then) }
      return try otherwise.map { try evaluate($0) } ?? .undefined("the value of an inline if without else")
    }
  }

  private static func value(_ constant: TemplateExpression.Constant) -> TemplateValue {
    switch constant {
    case .none: .none
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .double(let value): .double(value)
    case .string(let bytes): .string(bytes)
    }
  }

  private mutating func dictionary(_ members: [(key: TemplateExpression, value: TemplateExpression)]) throws -> TemplateValue {
    var result = TemplateDictionary()
    for (key, value) in members {
      guard case .string(let name) = try evaluate(key) else { throw failure("keys other than strings are not supported") }
      let value = try evaluate(value)
      try checkElement(value)
      result.set(name, value)
    }
    return .dictionary(result)
  }

  private mutating func evaluate(_ arguments: TemplateExpression.Arguments) throws -> TemplateArguments {
    TemplateArguments(
      positional: try arguments.positional.map { try evaluate($0) }, named: try arguments.named.map { ($0.name, try evaluate($0.value)) })
  }

  // MARK: Members

  private func attribute(_ object: TemplateValue, _ name: String) throws -> TemplateValue {
    switch object {
    case .dictionary(let members): members[name] ?? .undefined(name)
    case .namespace(let namespace): namespace.members[name] ?? .undefined(name)
    case .undefined(let missing): throw failure("\(missing) is undefined, so it has no \(name)")
    default: .undefined(name)
    }
  }

  private mutating func item(_ object: TemplateValue, _ index: TemplateValue) throws -> TemplateValue {
    switch (object, index) {
    case (.undefined(let missing), _): throw failure("\(missing) is undefined, so it has no element \(PythonText.string(index.printed))")
    case (.dictionary, .string(let name)), (.namespace, .string(let name)): return try attribute(object, PythonText.string(name))
    case (.list(let elements), _):
      guard let position = index.integer else { return .undefined(PythonText.string(index.printed)) }
      let wanted = position < 0 ? elements.count + position : position
      return elements.indices.contains(wanted) ? elements[wanted] : .undefined("element \(position)")
    case (.string(let bytes), _):
      guard let position = index.integer else { return .undefined(PythonText.string(index.printed)) }
      try spend(bytes.count / 64)
      let scalars = PythonText.scalars(bytes), wanted = position < 0 ? scalars.count + position : position
      return scalars.indices.contains(wanted) ? .string(PythonText.bytes([scalars[wanted]])) : .undefined("character \(position)")
    default: return .undefined(PythonText.string(index.printed))
    }
  }

  private mutating func slice(_ object: TemplateValue, _ bounds: [TemplateValue?]) throws -> TemplateValue {
    let numbers = try bounds.map { bound -> Int? in
      guard let bound else { return nil }
      if case .none = bound { return nil }
      guard let number = bound.integer else { throw failure("\(bound.typeName) cannot bound a slice") }
      return max(-1 << 40, min(1 << 40, number))
    }
    func sliced<E>(_ elements: [E]) throws -> [E] {
      let step = numbers[2] ?? 1, count = elements.count
      guard step != 0 else { throw failure("the step of a slice is 0") }
      func bound(_ value: Int?, default: Int) -> Int {
        guard let value else { return `default` }
        let position = value < 0 ? value + count : value
        return step > 0 ? max(0, min(count, position)) : max(-1, min(count - 1, position))
      }
      let start = bound(numbers[0], default: step > 0 ? 0 : count - 1), stop = bound(numbers[1], default: step > 0 ? count : -1)
      return stride(from: start, to: stop, by: step).map { elements[$0] }
    }
    switch object {
    case .list(let elements): return .list(try sliced(elements))
    case .string(let bytes):
      try spend(bytes.count / 64)
      return .string(PythonText.bytes(try sliced(PythonText.scalars(bytes))))
    default: throw failure("\(object.typeName) cannot be sliced")
    }
  }

  // MARK: Operators

  private mutating func binary(_ operation: TemplateExpression.Operator, _ left: TemplateValue, _ right: TemplateValue) throws
    -> TemplateValue
  {
    switch (operation, left, right) {
    case (.add, .string(let one), .string(let other)):
      try spend((one.count + other.count) / 256)
      try checkLength(one.count + other.count)
      return .string(one + other)
    case (.add, .list(let one), .list(let other)):
      try spend(one.count + other.count)
      return .list(one + other)
    default: break
    }
    if operation != .divide, let one = left.integer, let other = right.integer {
      guard other != 0 || operation != .floorDivide && operation != .modulo else { throw failure("division by zero") }
      let (result, overflows): (Int, Bool) =
        switch operation {
        case .add: one.addingReportingOverflow(other)
        case .subtract: one.subtractingReportingOverflow(other)
        case .multiply: one.multipliedReportingOverflow(by: other)
        case .floorDivide: Self.floorDivide(one, other)
        default: (Self.modulo(one, other), false)
        }
      guard !overflows else { throw failure("\(one) \(operation.rawValue) \(other) exceeds 64 bits") }
      return .integer(result)
    }
    guard let one = left.number, let other = right.number else {
      throw failure("\(left.typeName) \(operation.rawValue) \(right.typeName) is not supported")
    }
    switch operation {
    case .add: return .double(one + other)
    case .subtract: return .double(one - other)
    case .multiply: return .double(one * other)
    default:
      guard other != 0 else { throw failure("division by zero") }
      if operation == .divide { return .double(one / other) }
      let quotient = (one / other).rounded(.down)
      return .double(operation == .floorDivide ? quotient : one - quotient * other)
    }
  }

  private static func modulo(_ one: Int, _ other: Int) -> Int {
    let rest = other == -1 ? 0 : one % other
    return rest != 0 && (rest < 0) != (other < 0) ? rest + other : rest
  }

  private static func floorDivide(_ one: Int, _ other: Int) -> (Int, Bool) {
    let (quotient, overflows) = one.dividedReportingOverflow(by: other)
    guard !overflows else { return (0, true) }
    return (one % other != 0 && (one < 0) != (other < 0) ? quotient - 1 : quotient, false)
  }

  mutating func holds(_ comparison: TemplateExpression.Operator, _ left: TemplateValue, _ right: TemplateValue) throws -> Bool {
    switch comparison {
    case .equal: return try areEqual(left, right)
    case .notEqual: return try !areEqual(left, right)
    case .contained: return try contains(right, left)
    case .notContained: return try !contains(right, left)
    default: break
    }
    let order: (isLess: Bool, isEqual: Bool)
    if case .string(let one) = left, case .string(let other) = right {
      order = (one.lexicographicallyPrecedes(other), one == other)
    } else if let one = left.number, let other = right.number {
      order = (one < other, one == other)
    } else {
      throw failure("\(left.typeName) \(comparison.rawValue) \(right.typeName) is not supported")
    }
    return switch comparison {
    case .less: order.isLess
    case .lessOrEqual: order.isLess || order.isEqual
    case .greater: !order.isLess && !order.isEqual
    default: !order.isLess
    }
  }

  /// Python's `==`.
  mutating func areEqual(_ one: TemplateValue, _ other: TemplateValue) throws -> Bool {
    try spend()
    switch (one, other) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.string(let one), .string(let other)): return one == other
    case (.list(let one), .list(let other)): return try one.count == other.count && zip(one, other).allSatisfy { try areEqual($0, $1) }
    case (.dictionary(let one), .dictionary(let other)):
      guard one.members.count == other.members.count else { return false }
      return try one.members.allSatisfy { member in try other[member.key].map { try areEqual(member.value, $0) } ?? false }
    case (.namespace(let one), .namespace(let other)): return one === other
    case (.macro(let one), .macro(let other)): return one === other
    default: return one.number != nil && one.number == other.number
    }
  }

  private mutating func contains(_ container: TemplateValue, _ value: TemplateValue) throws -> Bool {
    switch (container, value) {
    case (.string(let text), .string(let part)):
      try spend(text.count / 64)
      return PythonText.find(part, in: text) != nil
    case (.dictionary(let members), .string(let key)): return members[key] != nil
    case (.dictionary, _), (.undefined, _): return false
    case (.list(let elements), _): return try elements.contains { try areEqual($0, value) }
    default: throw failure("\(value.typeName) in \(container.typeName) is not supported")
    }
  }

  // MARK: Calls

  private mutating func call(_ function: TemplateExpression, _ arguments: TemplateArguments) throws -> TemplateValue {
    if case .attribute(let object, let name) = function, let method = TemplateMethod(rawValue: name) {
      return try call(method, of: try evaluate(object), arguments)
    }
    switch try evaluate(function) {
    case .macro(let macro): return try call(macro, arguments)
    case .function(let name): return try call(name, arguments)
    case .undefined("strftime_now"):
      throw WeirError("\(place):\(line)", "the template asks for the date (strftime_now)", remedy: "choose a date for chat templates")
    case .undefined(let name): throw failure("the function \(name) is not supported")
    case let other: throw failure("\(other.typeName) cannot be called")
    }
  }

  /// Whether a name without a variable stands for a function. Templates ask for `strftime_now` before they call it.
  private func isFunction(_ name: String) -> Bool {
    ["raise_exception", "namespace", "dict", "range"].contains(name) || name == "strftime_now" && date != nil
  }

  private mutating func call(_ name: String, _ arguments: TemplateArguments) throws -> TemplateValue {
    switch name {
    case "raise_exception":
      throw failure("the template refuses the conversation: \(PythonText.string(arguments(0, "message")?.printed ?? []))")
    case "namespace", "dict":
      guard arguments.positional.isEmpty else { throw failure("\(name)() takes named arguments only") }
      var members = TemplateDictionary()
      for (name, value) in arguments.named {
        try checkElement(value)
        members.set(name, value)
      }
      guard name == "namespace" else { return .dictionary(members) }
      let namespace = TemplateNamespace()
      namespace.members = members
      return .namespace(namespace)
    case "range": return try range(arguments)
    default:
      let format = PythonText.string(arguments(0, "format")?.printed ?? [])
      guard let text = date?.formatted(format) else { throw failure("strftime_now: the format \(format) is not supported") }
      return .text(text)
    }
  }

  private mutating func range(_ arguments: TemplateArguments) throws -> TemplateValue {
    let bounds = arguments.positional.compactMap(\.integer)
    guard (1...3).contains(bounds.count), bounds.count == arguments.positional.count, bounds.allSatisfy({ abs($0) < 1 << 40 }),
      bounds.count < 3 || bounds[2] != 0
    else { throw failure("range() takes one to three integers") }
    let values = stride(
      from: bounds.count == 1 ? 0 : bounds[0], to: bounds.count == 1 ? bounds[0] : bounds[1], by: bounds.count == 3 ? bounds[2] : 1)
    guard values.underestimatedCount <= 100_000 else { throw failure("range() of more than 100,000 numbers") }
    try spend(values.underestimatedCount)
    return .list(values.map { .integer($0) })
  }
}
