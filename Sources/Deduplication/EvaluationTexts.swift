import Documents
import Primitives
import Storage

/// Reads evaluation texts from files, whose lines may hold several: in several members, in lists, and in members of members.
package struct EvaluationTexts {
  package private(set) var texts: [Document] = []
  /// The values that are null, true or false, and no text.
  package private(set) var ignored = 0
  private let fields: [String]
  /// The fields that no line has had so far.
  private var missing: Set<String>

  /// Reads all texts of files and folders; a plain text file is one text.
  /// - Parameters:
  ///   - paths: files and folders.
  ///   - fields: the members that hold texts: a string, or a list of strings and numbers at any depth. `a.b` is the member `b` of the member
  ///     `a`, or of each object in it. Every line needs at least one of them.
  /// - Throws: `WeirError` for the first line that is not an object with texts, for a field that no line has, and where there is no text.
  package init(_ paths: [String], fields: [String]) throws {
    (self.fields, missing) = (fields, Set(fields))
    let source = try DocumentSource(paths: paths)
    var hasLines = false
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
          hasLines = true
          try add(Array(line), place: "\(block.path):\(block.firstLine + number)")
        }
      }
    }
    try source.finish()
    if hasLines, let field = fields.first(where: missing.contains) {
      throw WeirError(paths.joined(separator: " "), "no line has \(field)", remedy: "correct or remove --against-field \(field)")
    }
    if texts.isEmpty { throw WeirError(paths.joined(separator: " "), "no evaluation texts", remedy: "check the input") }
  }

  /// Adds the texts of a line.
  private mutating func add(_ line: [UInt8], place: String) throws {
    let root = try JSONDocument(line, place: place, lenient: true).root
    guard root.isObject else { throw WeirError(place, "not an object", remedy: "correct or remove the line") }
    var hasField = false
    for field in fields {
      for (node, isListed) in Self.nodes(field[...], of: root) {
        hasField = true
        missing.remove(field)
        try add(node, isListed: isListed, field: field, place: place)
      }
    }
    guard hasField else {
      throw WeirError(place, "no \(fields.joined(separator: " or "))", remedy: "set --against-field to the member that holds the texts")
    }
  }

  /// What a field names: the member itself, or else a member of a member; and whether a list leads there.
  private static func nodes(_ field: Substring, of node: JSONNode) -> [(JSONNode, isListed: Bool)] {
    if let elements = node.array { return elements.flatMap { nodes(field, of: $0) }.map { ($0.0, isListed: true) } }
    if let member = node[String(field)] { return [(member, false)] }
    // A name may contain periods itself, so every one may be where it ends.
    for period in field.indices where field[period] == "." {
      guard let member = node[String(field[..<period])] else { continue }
      let found = nodes(field[field.index(after: period)...], of: member)
      if !found.isEmpty { return found }
    }
    return []
  }

  /// Adds each text in a value. Only in a list, among other choices, is a number one.
  private mutating func add(_ node: JSONNode, isListed: Bool, field: String, place: String) throws {
    if let bytes = node.bytes {
      texts.append(Document(id: "", text: bytes, origin: place))
    } else if let elements = node.array {
      for element in elements { try add(element, isListed: true, field: field, place: place) }
    } else if let object = node.object {
      throw WeirError(
        place, "\(field) holds an object",
        remedy: "name a member of it, such as --against-field \(field).\(object.first?.key ?? "text")")
    } else if isListed, let number = node.int.map({ "\($0)" }) ?? node.double.map({ "\($0)" }) {
      texts.append(Document(id: "", text: Array(number.utf8), origin: place))
    } else if node.isNull || isListed {
      ignored += 1
    } else {
      throw WeirError(place, "\(field) is not a string", remedy: "set --against-field to the member that holds the texts")
    }
  }
}
