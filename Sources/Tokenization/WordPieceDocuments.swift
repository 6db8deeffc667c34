import Documents
import Pipeline
import Tokens

/// Documents → the WordPiece ids of their texts.
package struct WordPieceDocuments: Stage {
  private let pieces: WordPiece

  /// Creates the stage.
  package init(_ pieces: WordPiece) { self.pieces = pieces }

  /// One account, `wordpiece`.
  package var names: [String] { ["wordpiece"] }

  /// Encodes a batch.
  package func apply(_ batch: [Document], ledger: inout Ledger, offset: Int) throws -> [TokenDocument] {
    var output: [TokenDocument] = []
    for document in batch {
      let tokens = pieces.encode(String(decoding: document.text, as: UTF8.self))
      ledger.accounts[offset].input += 1
      ledger.accounts[offset].output += 1
      ledger.accounts[offset].bytesIn += document.text.count
      ledger.accounts[offset].bytesOut += 4 * tokens.count
      output.append(
        TokenDocument(
          id: document.id, source: document.source, origin: document.origin, members: document.members, bytes: document.text.count,
          tokens: tokens))
    }
    return output
  }
}
