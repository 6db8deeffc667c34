import Documents
import Pipeline
import Storage

/// Fuzzy deduplication: signatures on all threads while documents are spooled, the decision, then the documents that stay.
package final class FuzzyBarrier: Barrier {
  package let stages: Stages<[Document], SpooledShingles>
  /// What was found, once the chain has run.
  package private(set) var report: FuzzyReport?
  private let configuration: DeduplicationConfiguration
  private let memory: Int
  private let reportFile: String?
  private let candidates: CandidateFile?

  /// - Parameters:
  ///   - memory: bytes of signatures and shingles that stay in memory.
  ///   - reportFile: where the report is written as JSON; nil for nowhere.
  ///   - buckets: a file that names the candidates; nil to find them by banding.
  /// - Throws: `WeirError` for a configuration out of range, and for a file that cannot be read.
  package init(configuration: DeduplicationConfiguration, memory: Int, reportFile: String? = nil, buckets: String? = nil) throws {
    stages = Stages(try ShingleDocuments(configuration, isBanded: buckets == nil)).then(SpoolShingles())
    self.configuration = configuration
    self.memory = memory
    self.reportFile = reportFile
    candidates = try buckets.map { try CandidateFile($0) }
  }

  package func run(_ flow: BarrierFlow<[Document], SpooledShingles>) throws -> Account {
    let start = ContinuousClock.now
    let deduplicator = try FuzzyDeduplicator(configuration, isBanded: candidates == nil, spillLimit: memory)
    let spool = try DocumentSpool()
    while let batch = try flow.pull() {
      try deduplicator.add(batch.shingled)
      try spool.append(batch.encoded, count: batch.shingled.documents.count)
    }
    var decision = try deduplicator.decide(candidates: candidates, threads: flow.runner.threads, progress: flow.progress)
    try describe(&decision.report.examples, spool)
    let replay = Stages(DecodeSpool()).then(ReplayDocuments(decision))
    var account = try flow.runner.run(replay, source: spool.next) { delivery in
      try flow.progress.checkStop()
      try flow.reject(delivery.rejects)
      if !delivery.output.isEmpty { try flow.push(delivery.output) }
    }[0]
    account.seconds = (ContinuousClock.now - start).seconds
    account.extra["groups"] = Double(decision.report.groups.values.reduce(0, +))
    account.extra["pairs compared"] = Double(decision.report.compared)
    report = decision.report
    if let reportFile { try JSONFile.write(decision.report, to: reportFile) }
    for warning in decision.report.warnings { flow.progress.note("warning: \(warning)") }
    return account
  }

  /// Adds to the examples where they come from and how they begin.
  private func describe(_ examples: inout [FuzzyReport.Pair], _ spool: DocumentSpool) throws {
    let documents = try spool.documents(Set(examples.flatMap { [$0.first, $0.second] }))
    for index in examples.indices {
      let pair = [examples[index].first, examples[index].second].compactMap { documents[$0] }
      examples[index].origins = pair.map(\.origin)
      examples[index].texts = pair.map { document in
        let beginning = String(decoding: document.text.prefix(400), as: UTF8.self)
        return String(beginning.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(100))
      }
    }
  }
}

/// A batch's shingles, and its documents as the spool stores them.
package struct SpooledShingles: Sendable {
  var shingled: ShingledDocuments
  var encoded: [UInt8]
}

private struct SpoolShingles: Stage {
  func apply(_ batch: ShingledDocuments, tally: inout Tally) -> SpooledShingles {
    SpooledShingles(shingled: batch, encoded: DocumentSpool.encode(batch.documents))
  }
}
