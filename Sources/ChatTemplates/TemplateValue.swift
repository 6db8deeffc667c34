import Storage

/// A value while a template runs; strings are UTF-8.
package enum TemplateValue {
  /// A missing variable or member, with its name for errors.
  case undefined(String)
  case none
  case bool(Bool)
  case integer(Int)
  case double(Double)
  case string([UInt8])
  case list([TemplateValue])
  case dictionary(TemplateDictionary)
  case namespace(TemplateNamespace)
  case macro(TemplateMacro)
  /// A function of every template.
  case function(String)

  package static func text(_ string: String) -> TemplateValue { .string(Array(string.utf8)) }

  /// The value of JSON.
  package init(_ node: JSONNode) {
    if let bytes = node.bytes {
      self = .string(bytes)
    } else if let elements = node.array {
      self = .list(elements.map(TemplateValue.init))
    } else if let object = node.object {
      var members = TemplateDictionary()
      for (key, value) in object { members.set(key, TemplateValue(value)) }
      self = .dictionary(members)
    } else if let value = node.bool {
      self = .bool(value)
    } else if let value = node.int {
      self = .integer(value)
    } else {
      self = node.double.map { .double($0) } ?? .none
    }
  }

  var isDefined: Bool { if case .undefined = self { false } else { true } }

  /// Whether a condition holds.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let value): value
    case .integer(let value): value != 0
    case .double(let value): value != 0
    case .string(let bytes): !bytes.isEmpty
    case .list(let elements): !elements.isEmpty
    case .dictionary(let members): !members.members.isEmpty
    case .namespace, .macro, .function: true
    }
  }

  /// As it is named in errors.
  var typeName: String {
    switch self {
    case .undefined(let name): "undefined (\(name))"
    case .none: "none"
    case .bool: "a Boolean"
    case .integer, .double: "a number"
    case .string: "a string"
    case .list: "a list"
    case .dictionary: "a mapping"
    case .namespace: "a namespace"
    case .macro, .function: "a function"
    }
  }

  /// The number as Python's arithmetic sees it; Booleans count as 0 and 1.
  var number: Double? {
    switch self {
    case .bool(let value): value ? 1 : 0
    case .integer(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  var integer: Int? {
    switch self {
    case .bool(let value): value ? 1 : 0
    case .integer(let value): value
    default: nil
    }
  }

  /// `str` of the value, which is what a template prints; nothing for an undefined one.
  var printed: [UInt8] {
    switch self {
    case .undefined: return []
    case .string(let bytes): return bytes
    default:
      var result: [UInt8] = []
      describe(&result)
      return result
    }
  }

  /// Appends `repr` of the value. What exceeds the most that a template may write is left out, since it is refused anyway.
  private func describe(_ result: inout [UInt8]) {
    guard result.count <= TemplateRun.maximumBytes else { return }
    switch self {
    case .undefined: result += Array("Undefined".utf8)
    case .none: result += Array("None".utf8)
    case .bool(let value): result += Array((value ? "True" : "False").utf8)
    case .integer(let value): result += Array("\(value)".utf8)
    case .double(let value): result += Array("\(value)".utf8)
    case .string(let bytes): result += PythonText.quoted(bytes)
    case .list(let elements):
      result.append(0x5B)
      for (index, element) in elements.enumerated() {
        if index > 0 { result += [0x2C, 0x20] }
        element.describe(&result)
      }
      result.append(0x5D)
    case .dictionary(let dictionary):
      result.append(0x7B)
      for (index, member) in dictionary.members.enumerated() {
        result += (index > 0 ? [0x2C, 0x20] : []) + PythonText.quoted(member.key) + [0x3A, 0x20]
        member.value.describe(&result)
      }
      result.append(0x7D)
    case .namespace: result += Array("<Namespace>".utf8)
    case .macro, .function: result += Array("<function>".utf8)
    }
  }
}

/// Members in their order; few, so that they are searched one by one.
package struct TemplateDictionary {
  package private(set) var members: [(key: [UInt8], value: TemplateValue)] = []

  package init() {}

  package subscript(key: [UInt8]) -> TemplateValue? { members.first { $0.key == key }?.value }
  package subscript(key: String) -> TemplateValue? { self[Array(key.utf8)] }

  package mutating func set(_ key: [UInt8], _ value: TemplateValue) {
    if let index = members.firstIndex(where: { $0.key == key }) {
      members[index].value = value
    } else {
      members.append((key, value))
    }
  }

  package mutating func set(_ key: String, _ value: TemplateValue) { set(Array(key.utf8), value) }
}

/// What `namespace()` makes: members that can be set from within loops.
package final class TemplateNamespace {
  var members = TemplateDictionary()
}

/// A macro with the scope it was defined in.
package final class TemplateMacro {
  let definition: TemplateStatement.Macro
  let scope: TemplateScope

  init(_ definition: TemplateStatement.Macro, scope: TemplateScope) { (self.definition, self.scope) = (definition, scope) }
}

/// The variables of a template, of one pass of a loop, or of a macro.
final class TemplateScope {
  private var variables: [String: TemplateValue] = [:]
  private let parent: TemplateScope?

  init(_ parent: TemplateScope? = nil) { self.parent = parent }

  subscript(name: String) -> TemplateValue? {
    get { variables[name] ?? parent?[name] }
    set { variables[name] = newValue }
  }
}
