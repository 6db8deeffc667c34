import Documents
import Primitives
import Storage

/// Reads evaluation texts from files, whose lines may hold several: in several members, in lists, and in members of members.
package enum EvaluationTexts {
  /// Reads all texts of files and folders; a plain text file is one text.
  /// - Parameters:
  ///   - paths: files and folders.
  ///   - fields: the members that hold texts: a string, a number, or a list of these at any depth. `a.b` is the member `b` of the member `a`,
  ///     or of each object in it. Every line needs at least one of them.
  /// - Throws: `WeirError` for the first line that is not an object with texts, and where there is no text.
  package static func read(_ paths: [String], fields: [String]) throws -> [Document] {
    let source = try DocumentSource(paths: paths)
    var texts: [Document] = []
    while let block = try source.next() {
      switch block.kind {
      case .leftOut:
        throw WeirError("\(block.path):\(block.firstLine)", "is longer than \(block.limit) bytes", remedy: "split the line")
      case .text:
        let text = Array(block.bytes[..<block.count])
        guard String(validating: text, as: UTF8.self) != nil else {
          throw WeirError("\(block.path):1", "invalid UTF-8", remedy: "correct the file")
        }
        texts.append(Document(id: "", text: text, origin: "\(block.path):1"))
      case .lines:
        for (number, line) in block.bytes[..<block.count].split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
          if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
          texts += try Self.texts(Array(line), fields: fields, place: "\(block.path):\(block.firstLine + number)")
        }
      }
    }
    try source.finish()
    if texts.isEmpty { throw WeirError(paths.joined(separator: " "), "no evaluation texts", remedy: "check the input") }
    return texts
  }

  /// The texts of a line.
  private static func texts(_ line: [UInt8], fields: [String], place: String) throws -> [Document] {
    let root = try JSONDocument(line, place: place, lenient: true).root
    guard root.isObject else { throw WeirError(place, "not an object", remedy: "correct or remove the line") }
    var texts: [Document] = []
    var hasField = false
    for field in fields {
      for node in nodes(field[...], of: root) {
        hasField = true
        try collect(node, field: field, place: place) { texts.append(Document(id: "", text: $0, origin: place)) }
      }
    }
    guard hasField else {
      throw WeirError(place, "no \(fields.joined(separator: " or "))", remedy: "set --against-field to the member that holds the texts")
    }
    return texts
  }

  /// What a field names: the member itself, or else a member of a member.
  private static func nodes(_ field: Substring, of node: JSONNode) -> [JSONNode] {
    if let elements = node.array { return elements.flatMap { nodes(field, of: $0) } }
    if let member = node[String(field)] { return [member] }
    // A name may contain periods itself, so every one may be where it ends.
    for period in field.indices where field[period] == "." {
      guard let member = node[String(field[..<period])] else { continue }
      let found = nodes(field[field.index(after: period)...], of: member)
      if !found.isEmpty { return found }
    }
    return []
  }

  /// Calls `body` with each text in a value.
  private static func collect(_ node: JSONNode, field: String, place: String, _ body: ([UInt8]) -> Void) throws {
    if let bytes = node.bytes {
      body(bytes)
    } else if node.isArray {
      try node.forEachElement { try collect($0, field: field, place: place, body) }
    } else if let number = node.int.map({ "\($0)" }) ?? node.double.map({ "\($0)" }) {
      body(Array(number.utf8))
    } else if let member = node.object?.first {
      throw WeirError(place, "\(field) holds an object", remedy: "name a member of it, such as --against-field \(field).\(member.key)")
    }
  }
}
