import Primitives
import Storage

extension Document {
  /// The domain of the document for tables and evaluation: `metadata.domain`, else the source. No stage decides by it.
  package var label: String? { Self.label(members: members, source: source) }

  /// The domain of the document in a table by `file`, or by a member such as `source` or `metadata.domain`; `(none)` without such a member.
  package func domain(by name: String) -> String { name == "file" ? file : member(name) ?? Self.noDomain }

  /// The domain of documents without the member that a table is by.
  package static let noDomain = "(none)"

  /// The most domains of a table; more say nothing, and a member with a value per document would fill the memory.
  package static let maximumDomains = 10_000

  /// The error for more domains than a table may have.
  package static func tooManyDomains(by name: String) -> WeirError {
    WeirError(
      "--by", "\(name) has more than \(Format.count(maximumDomains)) values", remedy: "group by a member with fewer, such as source")
  }

  /// The file that the document was first read from.
  private var file: String {
    guard let colon = origin.utf8.lastIndex(of: 0x3A) else { return origin }
    return String(origin[..<colon])
  }

  /// The text of a member, given as a path such as `metadata.domain`; nil if there is none, and for an object or an array.
  package func member(_ path: String) -> String? {
    if path == "source" { return source }
    guard !members.isEmpty, var node = try? JSONDocument([123] + members + [125], place: "members", lenient: true).root else { return nil }
    // A member may have a point in its name.
    if let whole = node[path] {
      node = whole
    } else {
      for name in path.split(separator: ".") {
        guard let next = node[String(name)] else { return nil }
        node = next
      }
    }
    if let text = node.string { return text }
    if let number = node.int { return String(number) }
    return (node.double.map { String($0) }) ?? node.bool.map { String($0) }
  }

  /// The label of a document that has these members and this source.
  package static func label(members: [UInt8], source: String?) -> String? {
    guard !members.isEmpty, let root = try? JSONDocument([123] + members + [125], place: "members", lenient: true).root else {
      return source
    }
    return root["metadata"]?["domain"]?.string ?? source
  }
}
