// Near-duplicates are found in two passes. In the first, `ShingleDocuments` computes signatures in parallel and `add` collects them in input
// order. Then `decide` runs: documents with the same fingerprint in a band are candidates; candidates are compared by the Jaccard similarity
// of their shingles; pairs above the threshold are joined into groups; one document per group stays. The second pass is `ReplayDocuments`.
//
// The groups are the connected components of the candidate pairs above the threshold, whatever the order of comparisons, so that pairs
// already connected need no comparison. Cost: one sort per band, and one merge of two lists per compared pair.
//
// Memory: bands and shingles beyond a limit are in temporary files. A band that is too large to be sorted at once is read several times, for
// one range of fingerprints after another. What always stays in memory is a few numbers per document.

import Kernels
import Pipeline
import Primitives

/// Finds near-duplicates by MinHash and locality-sensitive hashing, and verifies candidates by their Jaccard similarity.
package final class FuzzyDeduplicator {
  private let configuration: DeduplicationConfiguration
  private let bands: [SpillBuffer<UInt64>]
  private let shingles: SpillBuffer<UInt32>
  private let spillLimit: Int
  private let isBanded: Bool
  /// Where the shingles of each document start, and where the last ones end.
  private var starts: [Int] = [0]
  private var lengths: [Int] = []

  /// - Parameters:
  ///   - configuration: the same as for `ShingleDocuments`.
  ///   - isBanded: the same as for `ShingleDocuments`; if false, `decide` reads candidates from a file.
  ///   - spillLimit: bytes of bands and shingles that stay in memory; the rest goes to temporary files.
  ///   - temporaryFolder: where those files go; nil for the system's folder.
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

  package var count: Int { lengths.count }

  /// Adds the next batch, in input order.
  /// - Throws: `WeirError` for more than 2³¹ − 1 documents, or when a temporary file cannot be written.
  package func add(_ batch: ShingledDocuments) throws {
    guard lengths.count + batch.documents.count <= Int(Int32.max) else {
      throw WeirError("--fuzzy", "more than \(Int32.max) documents", remedy: "deduplicate the corpus in parts")
    }
    precondition(
      batch.bands.count == (isBanded ? batch.documents.count * bands.count : 0),
      "the stage and the deduplicator need the same configuration")
    // By index, because a loop over the documents would retain every part of each.
    for index in batch.documents.indices {
      starts.append(starts[starts.count - 1] + Int(batch.counts[index]))
      lengths.append(batch.documents[index].text.count)
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
  ///   - candidates: the candidates, where no bands were computed.
  ///   - threads: threads that compare.
  ///   - progress: receives bands, or lines of the candidate file.
  /// - Throws: `Stopped`, and `WeirError` when a file cannot be read.
  package func decide(candidates: CandidateFile? = nil, threads: Int = 1, progress: Progress = .silent) throws -> FuzzyDecision {
    precondition((candidates == nil) == isBanded, "candidates come either from bands or from a file")
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
    // Sorting takes 24 bytes per document.
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
    // The survivor and the size of each group, at the index of its first member.
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
    // Check that exactly one document per group stays.
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
          + (try remedy(for: (0..<count).first { sizes[$0] == Int32(report.largestGroup) } ?? 0, &groups.sets)))
    }
    if report.skipped * 1_000 > count {
      report.warnings.append(
        "groups that share a band were not compared completely \(report.skipped) times, so near-duplicates may remain; "
          + "raise --rows to make crowded bands rarer")
    }
    return FuzzyDecision(kept: kept, duplicateOf: duplicateOf, report: report)
  }

  /// What separates the documents of a group, if they are not alike: that depends on how similar they are to its first one.
  private func remedy(for root: Int, _ sets: inout UnionFind) throws -> String {
    guard configuration.verify else { return "leave out --no-verify if they are not similar" }
    let similarities = ShingleSets(shingles)
    var least = 1.0
    var compared = 0
    for document in root + 1..<count where compared < 1_000 && sets.find(document) == root {
      compared += 1
      least = min(least, try starts.withUnsafeBufferPointer { try similarities.similarity(UInt32(root), UInt32(document), $0, 0) })
    }
    if least < 1 { return "look at the examples, and raise --threshold if they are not similar" }
    if configuration.ignoresNumbers {
      return "they have the same words, so --threshold cannot separate them; leave out --ignore-numbers if they differ in numbers"
    }
    return "they have the same words, so --threshold cannot separate them; use --exact alone if they are not duplicates"
  }

  private static func broken(_ document: Int) -> WeirError {
    WeirError(
      "dedup.fuzzy", "the group of document \(document) does not keep exactly one document",
      remedy: "this is an error in weir; please report it")
  }

  private static func percent(_ part: Int, of whole: Int) -> String {
    let tenths = (Double(part) * 1_000 / Double(max(1, whole))).rounded() / 10
    return "\(tenths) %"
  }
}
