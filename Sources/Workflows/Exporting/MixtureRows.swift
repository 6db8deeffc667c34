import Artifacts
import Export
import Loading
import Pipeline
import Primitives
import Tokens

/// The rows that a mixture, schedule or blend samples for a run, the same as those of `weir feed`: as rows, as their segments in the same order, or
/// as the documents that they come from.
package final class MixtureRows: ExportSource {
  /// The datasets that the documents of the segments are in: the specialist seed's, where the mixture samples from it.
  private let datasets: [TokenDataset]
  /// The number of rows.
  package let count: Int
  /// Tokens per row.
  package let sequence: Int

  private let file: String
  private let clusters: [UInt32]?
  private let loader: PackedLoader
  private let batchRows: Int
  /// Names the documents of segments; nil where nobody asks.
  private var infos: [DocumentInfoReader]?
  /// The last batch, so that rows in order are read batch by batch.
  private var batch: (step: Int, rows: Batch, segments: [[Batch.Segment]])?

  /// Tokens per batch, at most, unless a row has more.
  private static let batchTokens = 1 << 18

  /// - Parameters:
  ///   - file: the mixture, schedule or blend.
  ///   - tokens: the tokens of the run, rounded up to whole rows; nil for those that a mixture of `weir sample` was made for.
  /// - Throws: `WeirError` if the mixture was built for another dataset, or what it samples from is missing.
  package convenience init(_ dataset: TokenDataset, mixture file: String, randomSeed: UInt64, sequence: Int, tokens: Int?) throws {
    let mixture = try LoaderConfiguration.isSchedule(file) ? nil : Mixture.read(from: file)
    guard let tokens = tokens ?? mixture?.runTokens else {
      throw WeirError("tokens", "is missing: a schedule does not say how long the run is")
    }
    guard (1...1_000_000_000_000).contains(tokens) else { throw WeirError("tokens", "must be in 1…10¹², not \(tokens)") }
    var configuration = LoaderConfiguration(dataset: dataset.path)
    (configuration.mixture, configuration.rows, configuration.sequence, configuration.randomSeed) = (file, 1, sequence, randomSeed)
    try self.init(
      configuration.loader(tokens: tokens), of: dataset, file: file, rows: (tokens - 1) / sequence + 1,
      clusters: mixture.flatMap { $0.source == nil ? try dataset.assignment(of: $0, file: file).leaves : nil })
  }

  /// - Parameters:
  ///   - file: a row order.
  ///   - tokens: the tokens of the run, rounded up to whole rows; nil for those that the order was made for.
  package convenience init(_ dataset: TokenDataset, order file: String, tokens: Int?) throws {
    let loader = try PackedLoader(order: file, rows: 1, dataset: dataset.path), order = loader.order
    guard let rows = tokens.map({ ($0 - 1) / loader.sequence + 1 }) ?? order.endPosition.map({ $0 - order.fromPosition }) else {
      throw WeirError("tokens", "is missing: \(file) does not say how long the run is")
    }
    guard rows > 0, rows <= order.draws.capacity - order.fromPosition else {
      throw WeirError("tokens", "\(rows) rows are asked for, and \(file) allows \(order.draws.capacity - order.fromPosition)")
    }
    try self.init(loader, of: dataset, file: file, rows: rows, clusters: nil)
  }

  private init(_ loader: PackedLoader, of dataset: TokenDataset, file: String, rows: Int, clusters: [UInt32]?) throws {
    (self.loader, self.file, self.clusters) = (loader, file, clusters)
    (count, sequence) = (rows, loader.sequence)
    batchRows = max(1, min(64, Self.batchTokens / sequence))
    datasets = try loader.sources.map { try $0.tokens.path == dataset.path ? dataset : TokenDataset($0.tokens.path) }
  }

  /// The only dataset that the rows are of.
  package func dataset() throws -> TokenDataset {
    guard datasets.count == 1 else {
      throw WeirError(
        file, "combines \(datasets.count) datasets, and documents are exported from one",
        remedy: "export rows (\(ExportFormat.allCases.filter(\.keepsRows).map(\.rawValue).joined(separator: ", "))), or each dataset")
    }
    return datasets[0]
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
        if let info = try infos?[segment.dataset].info(segment.document) { (named.id, named.origin) = (info.id, info.origin) }
        return named
      })
  }

  /// Makes samples name the documents of their segments.
  package func nameDocuments() throws { infos = try datasets.map { try DocumentInfoReader($0) } }

  /// The batch of a row, and the row's segments.
  private func row(_ index: Int) throws -> (Batch, [Batch.Segment]) {
    let (step, place) = index.quotientAndRemainder(dividingBy: batchRows)
    if let batch, batch.step == step { return (batch.rows, batch.segments[place]) }
    let first = loader.order.fromPosition
    let rows = try loader.batch(positions: first + step * batchRows..<first + min(count, (step + 1) * batchRows))
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
    let dataset = try dataset()
    var segments: [DocumentSegments.Segment] = []
    try forEachSegment(progress) { segment in
      let count = min(segment.count, dataset.length(segment.document) - 1 - segment.offset)
      if count > 0 { segments.append(.init(document: segment.document, offset: segment.offset, count: count)) }
    }
    return DocumentSegments(try DocumentInfoReader(dataset), segments: segments, format: format)
  }

  /// What the rows take of each document.
  package func draw(progress: Progress) throws -> DocumentAnnotations.Draw {
    let dataset = try dataset(), order = loader.order, before = order.draws.counts(before: order.fromPosition)
    let drawn = zip(order.draws.counts(before: order.fromPosition + count), before).map { $0 - $1 }
    var tokens = [Int](repeating: 0, count: dataset.documentCount), expected = [Double](repeating: 0, count: dataset.documentCount)
    try forEachSegment(progress) { tokens[$0.document] += $0.count }
    for (group, rows) in zip(order.groups, drawn) where rows > 0 {
      try progress.checkStop()
      let epochs = Double(rows) / Double(group.rows)
      for row in group.firstRow..<group.firstRow + group.rows {
        for segment in try loader.sources[0].segments(row: row) { expected[segment.document] += epochs * Double(segment.count) }
      }
    }
    return DocumentAnnotations.Draw(clusters: clusters, expected: expected, tokens: tokens)
  }
}
