import ChatTemplates
import Primitives
import Storage

/// One message of a chat, as its template sees it.
struct ChatMessage {
  let role: String
  let content: [UInt8]
  let callsTools: Bool
  private let members: TemplateDictionary

  /// Members that hold the assistant's reasoning, of which templates know the first.
  private static let reasoning = ["reasoning_content", "thinking", "reasoning"]
  private static let roles = ["system", "developer", "user", "assistant", "tool"]
  /// The roles of ShareGPT.
  private static let sharedRoles = [
    "system": "system", "human": "user", "user": "user", "gpt": "assistant", "chatgpt": "assistant", "assistant": "assistant",
  ]

  /// Reads the messages of an example.
  /// - Parameters:
  ///   - name: the member that holds them.
  ///   - place: the line, for errors.
  static func list(_ node: JSONNode, _ name: String, place: String) throws -> [ChatMessage] {
    guard let nodes = node.array else { throw WeirError(place, "\"\(name)\" is not a list of messages") }
    guard !nodes.isEmpty else { throw WeirError(place, "\"\(name)\" is empty", remedy: "remove the line") }
    return try nodes.enumerated().map { try ChatMessage($1, "\(name)[\($0)]", place: place) }
  }

  private init(_ node: JSONNode, _ name: String, place: String) throws {
    guard node.isObject else { throw WeirError(place, "\(name) is not an object") }
    let isShared = node["role"] == nil && node["from"] != nil
    guard let role = node[isShared ? "from" : "role"]?.string else {
      throw WeirError(place, "\(name) has no role", remedy: "expected {\"role\": …, \"content\": …}")
    }
    guard let known = isShared ? Self.sharedRoles[role] : Self.roles.first(where: { $0 == role }) else {
      let expected = isShared ? Self.sharedRoles.keys.sorted() : Self.roles
      throw WeirError(place, "\(name) has the unknown role \"\(role)\"", remedy: "expected \(expected.joined(separator: ", "))")
    }
    var members = TemplateDictionary()
    // Like transformers, without members that are null.
    node.forEachMember { if !$1.isNull { members.set(Array($0), TemplateValue($1)) } }
    callsTools = if case .list(let calls)? = members["tool_calls"] { !calls.isEmpty } else { false }
    if isShared {
      members = TemplateDictionary()
      members.set("role", .text(known))
    }
    let contentName = isShared ? "value" : "content"
    if let content = node[contentName]?.bytes {
      self.content = content
      if isShared { members.set("content", .string(content)) }
    } else {
      content = []
      let found = node[contentName].map { $0.isNull ? "null" : $0.isArray ? "a list" : "not a string" } ?? "missing"
      guard callsTools, found == "null" || found == "missing" else {
        throw WeirError(place, "\(name): the \(contentName) is \(found)", remedy: "expected a string")
      }
    }
    if known == "assistant", let reasoning = Self.reasoning.lazy.compactMap({ members[$0] }).first {
      if members["thinking"] == nil { members.set("thinking", reasoning) }
      members.set("reasoning_content", reasoning)
    }
    (self.role, self.members) = (known, members)
  }

  /// The message as a variable of the template.
  /// - Parameter change: replaces its strings.
  func value(_ change: (([UInt8]) -> [UInt8])?) -> TemplateValue {
    guard let change else { return .dictionary(members) }
    return TemplateValue.dictionary(members).mappingStrings(change)
  }

  /// Throws where the order of roles is not that of a chat: a system message only at the beginning, then the user and the assistant in turn.
  /// Tools answer an assistant that calls them.
  /// - Parameter name: the member that holds the messages, for errors.
  static func checkOrder(_ messages: [ChatMessage], _ name: String, place: String) throws {
    var previous: ChatMessage?
    for (index, message) in messages.enumerated() {
      let expected: [String]
      switch previous?.role {
      case nil: expected = ["system", "developer", "user"]
      case "system", "developer": expected = ["user"]
      case "user": expected = ["assistant"]
      case "tool": expected = ["tool", "assistant"]
      default: expected = previous?.callsTools == true ? ["tool"] : ["user"]
      }
      guard expected.contains(message.role) else {
        throw WeirError(
          place, "\(name)[\(index)] is of the role \(message.role)\(previous.map { " after \($0.role)" } ?? "")",
          remedy: "expected \(expected.joined(separator: " or ")); correct or remove the line")
      }
      previous = message
    }
  }
}

extension TemplateValue {
  /// The value with all its strings replaced.
  func mappingStrings(_ change: ([UInt8]) -> [UInt8]) -> TemplateValue {
    switch self {
    case .string(let bytes): return .string(change(bytes))
    case .list(let elements): return .list(elements.map { $0.mappingStrings(change) })
    case .dictionary(let dictionary):
      var result = TemplateDictionary()
      for (key, value) in dictionary.members { result.set(key, value.mappingStrings(change)) }
      return .dictionary(result)
    default: return self
    }
  }
}
