import Artifacts
import Primitives
import Tokens

/// Documents of a dataset, or segments of documents that are in one cluster or that a loader draws, as samples for export.
///
/// A segment gets an end-of-document token even if its document continues, so that a trainer that finds documents by that token does not join
/// it with an unrelated segment.
package struct DocumentSegments: ExportSource {
  /// Consecutive tokens of one document, without the end-of-document token.
  package struct Segment: Sendable, Equatable {
    package var document: Int
    package var offset: Int
    package var count: Int

    package init(document: Int, offset: Int, count: Int) { (self.document, self.offset, self.count) = (document, offset, count) }
  }

  let dataset: TokenDataset
  private let infos: DocumentInfoReader
  private let marksBeginnings: Bool
  private let segments: [Segment]
  private let order: Permutation?

  /// All documents.
  /// - Parameters:
  ///   - infos: the provenance of the documents.
  ///   - format: decides whether the end-of-document token precedes or follows a document.
  ///   - shuffle: the random seed of the order; nil for the dataset's order.
  package init(_ infos: DocumentInfoReader, format: ExportFormat, shuffle: UInt64? = nil) {
    let dataset = infos.dataset
    let segments = (0..<dataset.documentCount).map { Segment(document: $0, offset: 0, count: dataset.length($0) - 1) }
    self.init(infos, segments: segments, format: format, shuffle: shuffle, stream: 0)
  }

  /// Segments, in this order.
  package init(_ infos: DocumentInfoReader, segments: [Segment], format: ExportFormat) {
    self.init(infos, segments: segments, format: format, shuffle: nil, stream: 0)
  }

  private init(_ infos: DocumentInfoReader, segments: [Segment], format: ExportFormat, shuffle: UInt64?, stream: UInt64) {
    dataset = infos.dataset
    self.infos = infos
    self.segments = segments
    marksBeginnings = format.marksBeginnings
    order = shuffle.flatMap { segments.isEmpty ? nil : Permutation(count: segments.count, seed: $0, stream: stream) }
  }

  /// The segments by leaf cluster: adjacent windows of a document in the same leaf form one segment.
  /// - Returns: [leaves] the samples of each leaf.
  /// - Throws: `WeirError` if the assignment is not the dataset's.
  package static func byLeaf(
    _ infos: DocumentInfoReader, assignment: ClusterAssignment, format: ExportFormat, shuffle: UInt64? = nil
  ) throws -> [DocumentSegments] {
    let dataset = infos.dataset
    try assignment.check(dataset: dataset.fingerprint, windows: dataset.windowCount)
    var segments = [[Segment]](repeating: [], count: assignment.leafCount)
    for document in 0..<dataset.documentCount {
      var last = -1
      for index in dataset.windows(of: document) {
        let window = dataset.window(index)
        // The end-of-document token is not part of the text; a window with nothing else is skipped.
        let count = min(window.count, dataset.length(document) - 1 - window.offset)
        guard count > 0 else { continue }
        let leaf = Int(assignment.leaves[index])
        if leaf == last {
          segments[leaf][segments[leaf].count - 1].count += count
        } else {
          segments[leaf].append(Segment(document: document, offset: window.offset, count: count))
        }
        last = leaf
      }
    }
    return segments.enumerated().map { DocumentSegments(infos, segments: $1, format: format, shuffle: shuffle, stream: UInt64($0) + 1) }
  }

  private func segment(_ index: Int) -> Segment { segments[order.map { $0[index] } ?? index] }

  package var count: Int { segments.count }
  /// The tokens of a segment, including its end-of-document token.
  package func length(_ index: Int) -> Int { segment(index).count + 1 }

  package func sample(_ index: Int) throws -> ExportSample {
    let segment = segment(index)
    var tokens = try dataset.tokens(document: segment.document, range: segment.offset..<segment.offset + segment.count)
    let end = Int32(truncatingIfNeeded: dataset.endOfDocument)
    if marksBeginnings { tokens.insert(end, at: 0) } else { tokens.append(end) }
    let info = try infos.info(segment.document)
    return ExportSample(id: info.id, source: info.source ?? "", origin: info.origin, tokens: tokens)
  }
}
