/// An expression of a template.
indirect enum TemplateExpression: Sendable {
  enum Constant: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case double(Double)
    case string([UInt8])
  }

  enum Operator: String, Sendable {
    case add = "+", subtract = "-", multiply = "*", divide = "/", floorDivide = "//", modulo = "%"
    case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">=", contained = "in"
    case notContained = "not in"
  }

  struct Arguments: Sendable {
    var positional: [TemplateExpression] = []
    var named: [(name: String, value: TemplateExpression)] = []
  }

  case constant(Constant)
  case name(String)
  case list([TemplateExpression])
  case dictionary([(key: TemplateExpression, value: TemplateExpression)])
  case attribute(TemplateExpression, String)
  case item(TemplateExpression, TemplateExpression)
  case slice(TemplateExpression, start: TemplateExpression?, stop: TemplateExpression?, step: TemplateExpression?)
  case call(TemplateExpression, Arguments)
  case filter(TemplateExpression, TemplateFilter, Arguments)
  case test(TemplateExpression, TemplateTest, Arguments)
  case not(TemplateExpression)
  case negative(TemplateExpression)
  case binary(Operator, TemplateExpression, TemplateExpression)
  /// Comparisons in a chain: all of them must hold.
  case comparison(TemplateExpression, [(comparison: Operator, operand: TemplateExpression)])
  case and(TemplateExpression, TemplateExpression)
  case or(TemplateExpression, TemplateExpression)
  /// `~`: the operands as strings, one after another.
  case joined([TemplateExpression])
  case conditional(test: TemplateExpression, then: TemplateExpression, otherwise: TemplateExpression?)
}

/// A part of a template, with the line it begins in.
struct TemplateStatement: Sendable {
  enum Target: Sendable {
    case name(String)
    case member(String, of: String)
    case names([String])
  }

  struct Loop: Sendable {
    var target: Target
    var elements: TemplateExpression
    /// Only elements for which it holds are visited.
    var condition: TemplateExpression?
    var body: [TemplateStatement]
    /// Runs where no element is visited.
    var otherwise: [TemplateStatement]
  }

  struct Macro: Sendable {
    var name: String
    var parameters: [(name: String, initial: TemplateExpression?)]
    var body: [TemplateStatement]
  }

  enum Kind: Sendable {
    case text([UInt8])
    case output(TemplateExpression)
    case set(Target, TemplateExpression)
    /// Sets a variable to the output of statements.
    case capture(Target, [TemplateStatement])
    case branches([(condition: TemplateExpression, body: [TemplateStatement])], otherwise: [TemplateStatement])
    case loop(Loop)
    case macro(Macro)
    /// What the assistant generates.
    case generation([TemplateStatement])
    case leaveLoop
    case nextElement
  }

  var line: Int
  var kind: Kind
}

/// The filters that templates may use, by their names in Jinja.
enum TemplateFilter: String, Sendable {
  case trim, length, count, tojson, upper, lower, title, capitalize, `default`, d, join, first, last, list, map, select, reject, selectattr
  case rejectattr, items, dictsort, reverse, string, int, float, replace, indent, safe, abs, unique
}

/// The tests that templates may use, by their names in Jinja.
enum TemplateTest: String, Sendable {
  case defined, undefined, none, string, mapping, iterable, sequence, number, integer, float, boolean, `true`, `false`, odd, even
  case divisibleby, equalto, eq, ne, lt, le, gt, ge, `in`, sameas, lower, upper, callable
}

/// The methods of strings and mappings that templates may call.
enum TemplateMethod: String, Sendable {
  case strip, lstrip, rstrip, split, rsplit, splitlines, startswith, endswith, upper, lower, title, capitalize, replace, join, find, count
  case isdigit, removeprefix, removesuffix, items, keys, values, get
}
