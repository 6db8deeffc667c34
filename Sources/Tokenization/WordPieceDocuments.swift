import Documents
import Pipeline
import Tokens

/// Turns documents into the WordPiece ids of their texts.
package struct WordPieceDocuments: RecordStage {
  package let name: String? = "wordpiece"
  package let workers: WorkerPool<WordPieceWorker>

  package init(_ pieces: WordPiece) {
    workers = WorkerPool { WordPieceWorker(pieces: pieces) }
  }
}

package struct WordPieceWorker: RecordWorker {
  fileprivate let pieces: WordPiece

  package func decide(_ document: Document) -> Decision<TokenDocument> {
    .keep(
      TokenDocument(
        id: document.id, source: document.source, origin: document.origin, members: document.members, bytes: document.text.count,
        tokens: pieces.encode(String(decoding: document.text, as: UTF8.self))))
  }
}
