import Artifacts
import Export
import Loading
import Pipeline
import Primitives
import Tokens

/// The rows that a mixture samples for a run, the same as those of `weir feed`: as rows, as their segments in the same order, or as the documents
/// that they come from.
package final class MixtureRows: ExportSource {
  /// The dataset that the documents of the segments are in: the specialist seed's, where the mixture samples from it.
  package let dataset: TokenDataset
  /// The number of rows.
  package let count: Int
  /// Tokens per row.
  package let sequence: Int

  private let mixture: Mixture
  private let clusters: [UInt32]?
  private let loader: PackedLoader
  private let batchRows: Int
  /// Names the documents of segments; nil where nobody asks.
  private var infos: DocumentInfoReader?
  /// The last batch, so that rows in order are read batch by batch.
  private var batch: (step: Int, rows: Batch, segments: [[Batch.Segment]])?

  /// Tokens per batch, at most, unless a row has more.
  private static let batchTokens = 1 << 18

  /// - Parameters:
  ///   - file: the mixture.
  ///   - tokens: the tokens of the run, rounded up to whole rows; nil for those that the mixture was made for.
  /// - Throws: `WeirError` if the mixture was built for another dataset, or what it samples from is missing.
  package init(_ dataset: TokenDataset, mixture file: String, randomSeed: UInt64, sequence: Int, tokens: Int?) throws {
    mixture = try Mixture.read(from: file)
    let tokens = tokens ?? mixture.runTokens
    guard (1...1_000_000_000_000).contains(tokens) else { throw WeirError("tokens", "must be in 1…10¹², not \(tokens)") }
    var configuration = LoaderConfiguration(dataset: dataset.path)
    (configuration.mixture, configuration.rows, configuration.sequence, configuration.randomSeed) = (file, 1, sequence, randomSeed)
    loader = try configuration.loader(tokens: tokens)
    count = (tokens - 1) / sequence + 1
    self.sequence = sequence
    batchRows = max(1, min(64, Self.batchTokens / sequence))
    self.dataset = try mixture.source.map { try dataset.specialistSeed(fingerprint: $0, file: file) } ?? dataset
    clusters = mixture.source == nil ? try dataset.assignment(of: mixture, file: file).leaves : nil
  }

  package var fixedLength: Int? { sequence }

  package func length(_ index: Int) -> Int { sequence }

  package func sample(_ index: Int) throws -> ExportSample {
    let (batch, segments) = try row(index)
    let place = index % batchRows
    return ExportSample(
      id: "row-\(index)", tokens: Array(batch.tokens[place * sequence..<(place + 1) * sequence]),
      segments: try segments.map { segment in
        var named = ExportSegment(start: segment.start, count: segment.count, document: segment.document, offset: segment.offset)
        if let info = try infos?.info(segment.document) { (named.id, named.origin) = (info.id, info.origin) }
        return named
      })
  }

  /// Makes samples name the documents of their segments.
  package func nameDocuments() throws { infos = try DocumentInfoReader(dataset) }

  /// The batch of a row, and the row's segments.
  private func row(_ index: Int) throws -> (Batch, [Batch.Segment]) {
    let (step, place) = index.quotientAndRemainder(dividingBy: batchRows)
    if let batch, batch.step == step { return (batch.rows, batch.segments[place]) }
    let rows = try loader.batch(positions: step * batchRows..<min(count, (step + 1) * batchRows))
    var segments = [[Batch.Segment]](repeating: [], count: rows.rows)
    for segment in rows.segments { segments[segment.row].append(segment) }
    batch = (step, rows, segments)
    return (rows, segments[place])
  }

  private func forEachSegment(_ progress: Progress, _ body: (Batch.Segment) -> Void) throws {
    for index in 0..<count {
      if index % batchRows == 0 {
        try progress.checkStop()
        progress.update(Double(index * sequence), of: Double(count * sequence), unit: "tokens")
      }
      for segment in try row(index).1 { body(segment) }
    }
  }

  /// The segments of all rows, in order, without the end-of-document tokens; those with nothing else are left out.
  package func segments(format: ExportFormat, progress: Progress) throws -> DocumentSegments {
    var segments: [DocumentSegments.Segment] = []
    try forEachSegment(progress) { segment in
      let count = min(segment.count, dataset.length(segment.document) - 1 - segment.offset)
      if count > 0 { segments.append(.init(document: segment.document, offset: segment.offset, count: count)) }
    }
    return DocumentSegments(try DocumentInfoReader(dataset), segments: segments, format: format)
  }

  /// What the rows take of each document.
  package func draw(progress: Progress) throws -> DocumentAnnotations.Draw {
    var tokens = [Int](repeating: 0, count: dataset.documentCount)
    try forEachSegment(progress) { tokens[$0.document] += $0.count }
    let run = Double(count * sequence)
    var epochs: [Double] = [run / Double(max(1, dataset.tokenCount))]
    if clusters != nil { epochs = mixture.clusters.map { $0.weight > 0 ? $0.weight * run / Double(max(1, $0.tokens)) : 0 } }
    return DocumentAnnotations.Draw(clusters: clusters, epochs: epochs, tokens: tokens)
  }
}
