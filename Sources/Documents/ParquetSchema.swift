import Primitives
import Storage

/// The columns of documents in a Parquet file. A member whose values have one type in all documents gets a column of that type; any other is
/// JSON, which Parquet marks as such.
package struct ParquetSchema {
  /// What the values of a member have in common.
  indirect enum Kind: Equatable {
    /// Null in all documents.
    case null
    case boolean
    /// An integer of 64 bits; a wide one does not fit a double, which is exact up to 2⁵³.
    case integer(isWide: Bool)
    case number
    case text
    case list(Kind)
    /// Always the same names.
    case object([String: Kind])
    case json

    /// The name of the type in SQL.
    var sql: String {
      switch self {
      case .null, .json: "JSON"
      case .boolean: "BOOLEAN"
      case .integer: "BIGINT"
      case .number: "DOUBLE"
      case .text: "VARCHAR"
      case .list(let element): element.sql + "[]"
      case .object(let members):
        "STRUCT(" + members.sorted { $0.key < $1.key }.map { "\(quoted($0.key)) \($0.value.sql)" }.joined(separator: ", ") + ")"
      }
    }

    private func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }

    mutating func merge(_ other: Kind) { if self != other { self = Self.merged(self, other) } }

    private static func merged(_ one: Kind, _ other: Kind) -> Kind {
      switch (one, other) {
      case (.null, let kind), (let kind, .null): return kind
      case (.integer, .integer): return .integer(isWide: true)
      case (.integer(isWide: false), .number), (.number, .integer(isWide: false)): return .number
      case (.list(var element), .list(let next)):
        element.merge(next)
        return .list(element)
      case (.object(var members), .object(let next)):
        guard members.count == next.count else { return .json }
        for (name, kind) in next {
          guard members[name] != nil else { return .json }
          members[name]?.merge(kind)
        }
        return .object(members)
      default: return .json
      }
    }

    /// - Parameter null: what null stands for.
    init(_ node: JSONNode, null: Kind, depth: Int = 0) {
      if node.isNull {
        self = null
      } else if node.bool != nil {
        self = .boolean
      } else if let value = node.int {
        self = .integer(isWide: value.magnitude > 1 << 53)
      } else if let value = node.double {
        // Integers beyond 64 bits with a sign stay as they are, digit by digit.
        self = value.magnitude >= 0x1p63 && value == value.rounded() ? .json : .number
      } else if node.withString({ _ in true }) != nil {
        self = .text
      } else if depth == Self.mostLevels {
        self = .json
      } else if node.isArray {
        var element = Kind.null
        node.forEachElement { element.merge(Kind($0, null: null, depth: depth + 1)) }
        self = .list(element)
      } else {
        var members: [String: Kind] = [:]
        var names: Set<String> = []
        node.forEachMember { name, value in
          let name = String(decoding: name, as: UTF8.self)
          members[name] = Kind(value, null: null, depth: depth + 1)
          names.insert(name.lowercased())
        }
        // The names of a struct are compared without case, and there is at least one.
        let isStruct = !members.isEmpty && names.count == node.count && !names.contains("") && !names.contains { $0.contains("\0") }
        self = isStruct ? .object(members) : .json
      }
    }

    private static let mostLevels = 16
  }

  private struct Column {
    var name: String
    var kind: Kind
    /// The last document that has the member.
    var document: Int
  }

  /// The most members with a column of their own.
  private static let mostColumns = 1_000

  private var columns: [Column] = []
  /// Columns by their names in lower case, in which they must differ.
  private var indices: [String: Int] = [:]
  private var documents = 0
  private var hasSource = false
  private var bytes = 0
  private var largest = 0

  package init() {}

  /// Adds the next document.
  /// - Parameter bytes: bytes of its text, which need not be there yet.
  /// - Throws: `WeirError` where its members do not fit columns.
  package mutating func add(_ document: Document, bytes: Int) throws {
    let members = document.members
    documents += 1
    hasSource = hasSource || document.source != nil
    self.bytes += bytes + members.count
    largest = max(largest, bytes + members.count)
    guard !members.isEmpty else { return }
    let text = [0x7B] + members + [0x7D]
    // What is null only when it is read leniently, such as a number of many digits, is not null in the file.
    let strict = try? JSONDocument(text, place: document.origin)
    let parsed = try strict ?? JSONDocument(text, place: document.origin, lenient: true)
    try parsed.root.forEachMember { name, value in
      try add(String(decoding: name, as: UTF8.self), Kind(value, null: strict == nil ? .json : .null), place: document.origin)
    }
  }

  private mutating func add(_ name: String, _ kind: Kind, place: String) throws {
    let key = name.lowercased()
    let remedy = "export as JSON Lines"
    if let index = indices[key] {
      guard columns[index].name == name else {
        throw WeirError(place, "has a member \"\(name)\", and another \"\(columns[index].name)\"; columns ignore case", remedy: remedy)
      }
      guard columns[index].document != documents else { throw WeirError(place, "has the member \"\(name)\" twice", remedy: remedy) }
      columns[index].document = documents
      columns[index].kind.merge(kind)
      return
    }
    guard !["id", "text", "source", "origin"].contains(key) else {
      throw WeirError(place, "has a member \"\(name)\" beside Weir's own; columns ignore case", remedy: remedy)
    }
    guard !name.isEmpty, !name.contains("\0") else {
      throw WeirError(place, "has a member whose name cannot be a column's", remedy: remedy)
    }
    guard columns.count < Self.mostColumns else {
      throw WeirError(place, "documents have more than \(Format.count(Self.mostColumns)) different members", remedy: remedy)
    }
    indices[key] = columns.count
    columns.append(Column(name: name, kind: kind, document: documents))
  }

  /// The statement that reads JSON lines from standard input.
  var selection: String {
    let own = [("id", "VARCHAR"), ("text", "VARCHAR")] + (hasSource ? [("source", "VARCHAR")] : []) + [("origin", "VARCHAR")]
    let all = own + columns.map { ($0.name, $0.kind.sql) }
    let list = all.map { "\(Self.literal($0.0)): \(Self.literal($0.1))" }.joined(separator: ", ")
    // Escapes take up to six bytes per byte of text.
    let room = min(max(1 << 24, 6 * largest + 1 << 16), Int(UInt32.max))
    return "SELECT * FROM read_json('/dev/stdin', format = 'newline_delimited', compression = 'uncompressed', "
      + "maximum_object_size = \(room), columns = {\(list)})"
  }

  /// The options of the file. Row groups hold about 64 MB of text, because readers and writers keep them in memory.
  var layout: String {
    let rows = (1 << 26) / max(1, bytes / max(1, documents)) / 2_048 * 2_048
    return "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE \(min(max(2_048, rows), 122_880))"
  }

  private static func literal(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
}
