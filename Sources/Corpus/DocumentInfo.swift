import Primitives
import Storage

/// What a document of a dataset is and where it comes from.
public struct DocumentInfo: Sendable, Equatable {
  /// The document's name.
  public var id: String
  /// Where the corpus says it comes from.
  public var source: String?
  /// `path:line` of the file it was first read from.
  public var origin: String
  /// Bytes of its text.
  public var bytes: Int
  /// The other members, as in `Document`.
  public var members: [UInt8]

  /// What a token document says of itself.
  public init(_ document: TokenDocument) {
    id = document.id
    source = document.source
    origin = document.origin
    bytes = document.bytes
    members = document.members
  }

  /// Reads a line of a sidecar.
  init(line: [UInt8], place: String) throws {
    let root = try JSONDocument(line, place: place).root
    guard let id = root["id"]?.string, let origin = root["origin"]?.string, let bytes = root["bytes"]?.int else {
      throw WeirError(place, "is no line of a sidecar", remedy: "write the dataset again")
    }
    self.id = id
    self.origin = origin
    self.bytes = bytes
    source = root["source"]?.string
    members = []
    // The members stand last, in braces of their own, so that their bytes stay as they were.
    if root["members"] != nil, let start = Self.find(Self.membersKey, in: line), line.count >= start + 2 {
      members = Array(line[start..<line.count - 2])
    }
  }

  private static let membersKey = Array(", \"members\": {".utf8)

  /// The place behind the first `key` outside of strings at the top level.
  private static func find(_ key: [UInt8], in line: [UInt8]) -> Int? {
    var index = 0
    var inString = false
    while index < line.count {
      let byte = line[index]
      if inString {
        if byte == 0x5C { index += 1 } else if byte == 0x22 { inString = false }
      } else if byte == 0x22 {
        inString = true
      } else if byte == key[0], line[index...].starts(with: key) {
        return index + key.count
      }
      index += 1
    }
    return nil
  }

  /// Appends the line of a sidecar.
  func serialize(into bytes: inout [UInt8]) {
    bytes.append(contentsOf: "{\"id\": ".utf8)
    JSONText.append(string: id, to: &bytes)
    if let source {
      bytes.append(contentsOf: ", \"source\": ".utf8)
      JSONText.append(string: source, to: &bytes)
    }
    bytes.append(contentsOf: ", \"origin\": ".utf8)
    JSONText.append(string: origin, to: &bytes)
    bytes.append(contentsOf: ", \"bytes\": \(self.bytes)".utf8)
    if !members.isEmpty {
      bytes.append(contentsOf: Self.membersKey)
      bytes.append(contentsOf: members)
      bytes.append(0x7D)
    }
    bytes.append(contentsOf: [0x7D, 0x0A])
  }
}
