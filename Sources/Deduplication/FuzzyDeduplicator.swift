// Near-duplicates in two passes. In the first, `ShingleDocuments` makes signatures in parallel and `add` takes them in input order.
// `decide` is the barrier between: per band, documents with the same fingerprint are candidates; candidates are compared by the Jaccard
// similarity of their shingles; what passes is joined; of every group one document stays. The second pass is `ReplayDocuments`.
//
// The groups are the connected components of the candidate pairs above the threshold, whatever the order in which pairs are compared, so
// that pairs already connected need no comparison. Cost: a sort a band, and one merge of two lists a compared pair.
//
// Memory: bands and shingles beyond a limit lie in temporary files; a band that is too large to be sorted at once is read several times, for
// one range of fingerprints after another. What stays is a few numbers a document.

import Kernels
import Pipeline
import Primitives

/// Finds near-duplicates by MinHash and locality-sensitive hashing, with verified edges.
package final class FuzzyDeduplicator {
  private let configuration: DeduplicationConfiguration
  private let bands: [SpillBuffer<UInt64>]
  private let shingles: SpillBuffer<UInt32>
  private let spillLimit: Int
  private let isBanded: Bool
  /// Where the shingles of each document start, and at the end where they end.
  private var starts: [Int] = [0]
  private var lengths: [Int] = []

  /// Creates a deduplicator without documents.
  /// - Parameters:
  ///   - configuration: the same as for `ShingleDocuments`.
  ///   - isBanded: the same as for `ShingleDocuments`; without, `decide` takes candidates from a file.
  ///   - spillLimit: bytes of bands and shingles that stay in memory; what is beyond goes to a temporary file.
  ///   - temporaryFolder: where that file goes; nil for the system's.
  /// - Throws: `WeirError` for a configuration out of range.
  package init(
    _ configuration: DeduplicationConfiguration = .init(), isBanded: Bool = true,
    spillLimit: Int = DeduplicationConfiguration.defaultSpillLimit, temporaryFolder: String? = nil
  ) throws {
    try configuration.validate()
    self.configuration = configuration
    self.isBanded = isBanded
    self.spillLimit = max(0, spillLimit)
    let half = self.spillLimit / 2
    bands = (0..<configuration.bands).map { _ in SpillBuffer(limit: half / configuration.bands, folder: temporaryFolder) }
    shingles = SpillBuffer(limit: half, folder: temporaryFolder)
  }

  /// Documents so far.
  package var count: Int { lengths.count }

  /// Adds the next batch, in input order.
  /// - Throws: `WeirError` for more than 2³¹ − 1 documents, or when a temporary file cannot be written.
  package func add(_ batch: ShingledDocuments) throws {
    guard lengths.count + batch.documents.count <= Int(Int32.max) else {
      throw WeirError("--fuzzy", "more than \(Int32.max) documents", remedy: "deduplicate the corpus in parts")
    }
    precondition(
      batch.bands.count == (isBanded ? batch.documents.count * bands.count : 0),
      "the stage and the deduplicator have the same configuration")
    for (index, document) in batch.documents.enumerated() {
      starts.append(starts[starts.count - 1] + Int(batch.counts[index]))
      lengths.append(document.text.count)
    }
    var column: [UInt64] = []
    for band in bands.indices where isBanded {
      column.removeAll(keepingCapacity: true)
      for index in batch.documents.indices { column.append(batch.bands[index * bands.count + band]) }
      try bands[band].append(column)
    }
    try shingles.append(batch.shingles)
  }

  /// Decides which documents stay. The result does not depend on the number of threads.
  /// - Parameters:
  ///   - candidates: where no bands were made: the documents that share one.
  ///   - threads: threads that compare.
  ///   - progress: told of bands, or lines of the file.
  /// - Throws: `Stopped`, and `WeirError` when a file cannot be read.
  package func decide(candidates: CandidateFile? = nil, threads: Int = 1, progress: Progress = .silent) throws -> FuzzyDecision {
    precondition((candidates == nil) == isBanded, "candidates come from bands or from a file")
    var groups = CandidateGroups(count: count, configuration: configuration)
    let pool = ThreadPool(threads: threads)
    func takesPart(_ document: Int) -> Bool { starts[document + 1] > starts[document] }
    if let candidates {
      while let buckets = try candidates.next(documents: count, where: takesPart) {
        try progress.checkStop()
        progress.update(Double(candidates.linesRead), unit: "lines")
        try groups.join(buckets, starts: starts, shingles: shingles, pool: pool, progress: progress)
      }
      return try decision(&groups)
    }
    // 24 bytes a document are sorted at once.
    let parts = UInt64(count / max(1 << 20, spillLimit / 48) + 1)
    let width = UInt64.max / parts
    for (number, band) in bands.enumerated() {
      for part in 0..<parts {
        try progress.checkStop()
        progress.update(Double(number), of: Double(bands.count), unit: "bands")
        let last = part == parts - 1 ? UInt64.max : width * (part + 1) - 1
        let buckets = try Buckets(band, in: width * part...last, where: takesPart)
        try groups.join(buckets, starts: starts, shingles: shingles, pool: pool, progress: progress)
      }
    }
    progress.update(Double(bands.count), of: Double(bands.count), unit: "bands")
    return try decision(&groups)
  }

  private func decision(_ groups: inout CandidateGroups) throws -> FuzzyDecision {
    var report = groups.report
    report.documents = count
    report.withoutWords = (0..<count).reduce(0) { $0 + (starts[$1 + 1] == starts[$1] ? 1 : 0) }
    report.recall = stride(from: 0.5, through: 0.951, by: 0.05).map {
      FuzzyReport.Recall(similarity: ($0 * 100).rounded() / 100, probability: configuration.recall($0))
    }
    // The survivor and the size of each group, at its least member.
    var survivors = [Int32](repeating: -1, count: count)
    var sizes = [Int32](repeating: 0, count: count)
    for document in 0..<count {
      let root = groups.sets.find(document)
      sizes[root] += 1
      let best = Int(survivors[root])
      if best < 0 || (configuration.keep == .longest && lengths[document] > lengths[best]) { survivors[root] = Int32(document) }
    }
    var kept = [Bool](repeating: true, count: count)
    var duplicateOf = [Int32](repeating: -1, count: count)
    for document in 0..<count {
      let root = groups.sets.find(document)
      if root == document, sizes[root] > 1 {
        report.groups[Int(sizes[root]), default: 0] += 1
        report.largestGroup = max(report.largestGroup, Int(sizes[root]))
      }
      if Int(survivors[root]) != document {
        kept[document] = false
        duplicateOf[document] = survivors[root]
        report.removed += 1
      }
    }
    // Exactly one of each group stays.
    var staying = [Bool](repeating: false, count: count)
    for document in 0..<count where kept[document] {
      let root = groups.sets.find(document)
      guard !staying[root] else { throw Self.broken(document) }
      staying[root] = true
    }
    for document in 0..<count where !kept[document] {
      let survivor = Int(duplicateOf[document])
      guard kept[survivor], groups.sets.find(survivor) == groups.sets.find(document) else { throw Self.broken(document) }
    }
    if report.largestGroup > configuration.alarmDocuments, Double(report.largestGroup) > configuration.alarmShare * Double(count) {
      report.warnings.append(
        "a group of \(report.largestGroup) near-duplicates is \(Self.percent(report.largestGroup, of: count)) of the documents; "
          + "look at the examples, raise --threshold if they are not alike")
    }
    if report.skipped * 1_000 > count {
      report.warnings.append(
        "\(report.skipped) times groups that share a band were not compared in full, so that near-duplicates may stay; "
          + "more --rows make crowded bands rarer")
    }
    return FuzzyDecision(kept: kept, duplicateOf: duplicateOf, report: report)
  }

  private static func broken(_ document: Int) -> WeirError {
    WeirError(
      "dedup.fuzzy", "the group of document \(document) does not keep exactly one", remedy: "this is an error in weir; please report it")
  }

  private static func percent(_ part: Int, of whole: Int) -> String {
    let tenths = (Double(part) * 1_000 / Double(max(1, whole))).rounded() / 10
    return "\(tenths) %"
  }
}
