import Primitives

extension TemplateTest {
  /// The test that Jinja also knows by an operator.
  init?(symbol: String) {
    switch symbol {
    case "==": self = .eq
    case "!=": self = .ne
    case "<": self = .lt
    case "<=": self = .le
    case ">": self = .gt
    case ">=": self = .ge
    default: return nil
    }
  }
}

extension TemplateRun {
  mutating func holds(_ test: TemplateTest, _ value: TemplateValue, _ arguments: TemplateArguments) throws -> Bool {
    func operand() throws -> TemplateValue {
      guard let operand = arguments.positional.first else { throw failure("the test \(test.rawValue) lacks a value") }
      return operand
    }
    func integer(_ value: TemplateValue) throws -> Int {
      guard let integer = value.integer else { throw failure("the test \(test.rawValue) takes an integer, not \(value.typeName)") }
      return integer
    }
    switch test {
    case .defined: return value.isDefined
    case .undefined: return !value.isDefined
    case .none: if case .none = value { return true } else { return false }
    case .string: if case .string = value { return true } else { return false }
    case .mapping: if case .dictionary = value { return true } else { return false }
    case .boolean: if case .bool = value { return true } else { return false }
    case .integer: if case .integer = value { return true } else { return false }
    case .float: if case .double = value { return true } else { return false }
    case .number: return value.number != nil
    case .true: if case .bool(true) = value { return true } else { return false }
    case .false: if case .bool(false) = value { return true } else { return false }
    case .iterable, .sequence:
      switch value {
      case .string, .list, .dictionary, .undefined: return true
      default: return false
      }
    case .callable:
      switch value {
      case .macro, .function: return true
      default: return false
      }
    case .odd: return try integer(value) % 2 != 0
    case .even: return try integer(value) % 2 == 0
    case .divisibleby:
      let divisor = try integer(operand())
      guard divisor != 0 else { throw failure("division by zero") }
      return try divisor == -1 || integer(value) % divisor == 0
    case .equalto, .eq: return try areEqual(value, operand())
    case .ne: return try !areEqual(value, operand())
    case .lt: return try holds(.less, value, try operand())
    case .le: return try holds(.lessOrEqual, value, try operand())
    case .gt: return try holds(.greater, value, try operand())
    case .ge: return try holds(.greaterOrEqual, value, try operand())
    case .in: return try holds(.contained, value, try operand())
    case .sameas:
      let operand = try operand()
      switch (value, operand) {
      case (.bool, .bool), (.none, .none), (.integer, .integer): return try areEqual(value, operand)
      default: return false
      }
    case .lower: return PythonText.string(value.printed).lowercased() == PythonText.string(value.printed)
    case .upper: return PythonText.string(value.printed).uppercased() == PythonText.string(value.printed)
    }
  }
}
