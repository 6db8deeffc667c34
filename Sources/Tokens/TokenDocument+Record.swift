import Pipeline
import Storage

extension TokenDocument: Record {
  package var byteCount: Int { 4 * tokens.count }

  private struct Line: Encodable {
    var id: String
    var tokens: [UInt32]
  }

  package func rejectedForm() throws -> [UInt8] { try JSONFile.encode(Line(id: id, tokens: tokens)) }
}
