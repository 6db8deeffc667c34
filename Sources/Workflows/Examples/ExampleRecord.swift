import ChatTemplates
import Primitives
import Storage

/// A line of a file of examples that are not documents.
enum ExampleRecord {
  case text(prompt: [UInt8], completion: [UInt8])
  case chat(prompt: [ChatMessage], completion: [ChatMessage], tools: TemplateValue)
  case messages([ChatMessage], tools: TemplateValue)

  /// What the members of a record say that it is.
  /// - Throws: where it can be read in several ways, or in none.
  static func format(_ root: JSONNode, place: String) throws -> ExampleSettings.Format {
    var found: [ExampleSettings.Format] = []
    if root["messages"] != nil || root["conversations"] != nil { found.append(.messages) }
    if root["prompt"] != nil, root["completion"] != nil { found.append(.promptCompletion) }
    if root["text"] != nil { found.append(.documents) }
    if found.count == 1 { return found[0] }
    guard found.isEmpty else {
      let names = found.map(\.rawValue).joined(separator: " and ")
      throw WeirError(place, "can be read as \(names)", remedy: "choose one as the data format")
    }
    let names = (root.object ?? []).map { "\"\($0.key)\"" }.joined(separator: ", ")
    throw WeirError(
      place, "has neither \"text\", nor \"prompt\" and \"completion\", nor \"messages\"" + (names.isEmpty ? "" : ", but \(names)"),
      remedy: "rename its members")
  }

  /// The members that are read.
  private static let members: Set = ["prompt", "completion", "messages", "conversations", "tools", "text"]

  /// Reads a record.
  init(_ root: JSONNode, _ format: ExampleSettings.Format, place: String) throws {
    var seen: Set<String> = []
    for (key, _) in root.object ?? [] where Self.members.contains(key) && !seen.insert(key).inserted {
      throw WeirError(place, "has \"\(key)\" twice", remedy: "correct or remove the line")
    }
    let tools = try Self.tools(root, place: place)
    if format == .messages {
      guard let name = ["messages", "conversations"].first(where: { root[$0] != nil }), let node = root[name] else {
        throw WeirError(place, "has no \"messages\"", remedy: Self.mixed)
      }
      let messages = try ChatMessage.list(node, name, place: place)
      try ChatMessage.checkOrder(messages, name, place: place)
      guard messages.contains(where: { $0.role == "assistant" }) else {
        throw WeirError(place, "the assistant says nothing", remedy: "remove the line")
      }
      self = .messages(messages, tools: tools)
      return
    }
    guard let prompt = root["prompt"], let completion = root["completion"] else {
      throw WeirError(place, "has no \"\(root["prompt"] == nil ? "prompt" : "completion")\"", remedy: Self.mixed)
    }
    if prompt.isArray, completion.isArray {
      let messages = try ChatMessage.list(prompt, "prompt", place: place),
        answer = try ChatMessage.list(completion, "completion", place: place)
      try ChatMessage.checkOrder(messages + answer, "prompt and completion", place: place)
      guard answer.contains(where: { $0.role == "assistant" }) else {
        throw WeirError(place, "the assistant says nothing in \"completion\"", remedy: "remove the line")
      }
      self = .chat(prompt: messages, completion: answer, tools: tools)
      return
    }
    for (name, node) in [("prompt", prompt), ("completion", completion)] where node.bytes == nil {
      let found = node.isNull ? "is null" : "is not a string"
      throw WeirError(place, "\"\(name)\" \(found)", remedy: "expected two strings, or two lists of messages")
    }
    self = .text(prompt: prompt.bytes ?? [], completion: completion.bytes ?? [])
  }

  private static let mixed = "a file holds examples of one kind"

  /// The tools that the assistant may call: JSON, or a string with it.
  private static func tools(_ root: JSONNode, place: String) throws -> TemplateValue {
    guard let node = root["tools"], !node.isNull else { return .none }
    if node.isArray { return node.count == 0 ? .none : TemplateValue(node) }
    guard let bytes = node.bytes, let parsed = try? JSONDocument(bytes, place: place, lenient: true).root, parsed.isArray else {
      throw WeirError(place, "\"tools\" is not a list")
    }
    return parsed.count == 0 ? .none : TemplateValue(parsed)
  }

  /// The texts in which control tokens are counted.
  var texts: [[UInt8]] {
    switch self {
    case .text(let prompt, let completion): [prompt, completion]
    case .chat(let prompt, let completion, _): (prompt + completion).map(\.content)
    case .messages(let messages, _): messages.map(\.content)
    }
  }
}
