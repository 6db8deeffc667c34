import Artifacts
import Primitives
import Tokens

/// Documents of a dataset, or parts of them that lie in one cluster, as samples to export.
///
/// A part that ends within its document is ended by the end-of-document token all the same, so that a trainer which finds documents
/// by that token does not join it to a stranger.
package struct DocumentPieces: ExportSource {
  /// Consecutive tokens of one document, its end-of-document token left out.
  struct Piece: Equatable {
    var document: Int
    var offset: Int
    var count: Int
  }

  let dataset: TokenDataset
  private let infos: DocumentInfoReader
  private let marksBeginnings: Bool
  private let pieces: [Piece]
  private let order: Permutation?

  /// Whole documents.
  /// - Parameters:
  ///   - infos: where they come from.
  ///   - format: decides on which side of a document its token stands.
  ///   - shuffle: the seed of the order; nil for that of the dataset.
  package init(_ infos: DocumentInfoReader, format: ExportFormat, shuffle: UInt64? = nil) {
    let dataset = infos.dataset
    let pieces = (0..<dataset.documentCount).map { Piece(document: $0, offset: 0, count: dataset.length($0) - 1) }
    self.init(infos, pieces: pieces, format: format, shuffle: shuffle, stream: 0)
  }

  private init(_ infos: DocumentInfoReader, pieces: [Piece], format: ExportFormat, shuffle: UInt64?, stream: UInt64) {
    dataset = infos.dataset
    self.infos = infos
    self.pieces = pieces
    marksBeginnings = format.marksBeginnings
    order = shuffle.flatMap { pieces.isEmpty ? nil : Permutation(count: pieces.count, seed: $0, stream: stream) }
  }

  /// The parts of documents in each leaf of a tree: neighbouring windows of a document that share a leaf are one part.
  /// - Returns: [leaves] the samples of each leaf.
  /// - Throws: where the assignment is not the dataset's.
  package static func byLeaf(
    _ infos: DocumentInfoReader, assignment: ClusterAssignment, format: ExportFormat, shuffle: UInt64? = nil
  ) throws -> [DocumentPieces] {
    let dataset = infos.dataset
    try assignment.check(dataset: dataset.fingerprint, windows: dataset.windowCount)
    var pieces = [[Piece]](repeating: [], count: assignment.leafCount)
    for document in 0..<dataset.documentCount {
      var last = -1
      for index in dataset.windows(of: document) {
        let window = dataset.window(index)
        // The document's own end is not a token of its text; a window of it alone adds nothing.
        let count = min(window.count, dataset.length(document) - 1 - window.offset)
        guard count > 0 else { continue }
        let leaf = Int(assignment.leaves[index])
        if leaf == last {
          pieces[leaf][pieces[leaf].count - 1].count += count
        } else {
          pieces[leaf].append(Piece(document: document, offset: window.offset, count: count))
        }
        last = leaf
      }
    }
    return pieces.enumerated().map {
      DocumentPieces(infos, pieces: $1, format: format, shuffle: shuffle, stream: UInt64($0) + 1)
    }
  }

  private func piece(_ index: Int) -> Piece { pieces[order.map { $0[index] } ?? index] }

  /// The number of documents or parts of them.
  package var count: Int { pieces.count }
  /// Tokens of one, its end-of-document token included.
  package func length(_ index: Int) -> Int { piece(index).count + 1 }

  /// One of them, with its end-of-document token.
  package func sample(_ index: Int) throws -> ExportSample {
    let piece = piece(index)
    var tokens = try dataset.tokens(document: piece.document, range: piece.offset..<piece.offset + piece.count)
    let end = Int32(truncatingIfNeeded: dataset.endOfDocument)
    if marksBeginnings { tokens.insert(end, at: 0) } else { tokens.append(end) }
    let info = try infos.info(piece.document)
    return ExportSample(id: info.id, source: info.source ?? "", origin: info.origin, tokens: tokens)
  }
}
