import Documents
import Foundation
import Primitives
import Storage

extension TokenDataset {
  private struct InfoLine: Decodable {
    var id: String
    var source: String?
    var origin: String
    var bytes: Int
    var members: String?
  }

  package static func parse(_ line: [UInt8], place: String) throws -> DocumentInfo {
    guard let value = try? JSONDecoder().decode(InfoLine.self, from: Data(line)) else {
      throw WeirError(place, "does not describe a document", remedy: "check the dataset with `weir verify`")
    }
    return DocumentInfo(
      id: value.id, source: value.source, origin: value.origin, bytes: value.bytes, members: Array((value.members ?? "").utf8))
  }

  /// Appends a document's line: members sorted by name; only `"`, `\\` and control characters are escaped.
  static func append(line document: TokenDocument, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "{\"bytes\":".utf8)
    bytes.append(contentsOf: String(document.bytes).utf8)
    bytes.append(contentsOf: ",\"id\":".utf8)
    JSONText.append(string: document.id, to: &bytes)
    if !document.members.isEmpty {
      bytes.append(contentsOf: ",\"members\":".utf8)
      JSONText.append(string: String(decoding: document.members, as: UTF8.self), to: &bytes)
    }
    bytes.append(contentsOf: ",\"origin\":".utf8)
    JSONText.append(string: document.origin, to: &bytes)
    if let source = document.source {
      bytes.append(contentsOf: ",\"source\":".utf8)
      JSONText.append(string: source, to: &bytes)
    }
    bytes.append(contentsOf: "}\n".utf8)
  }
}
