import Deduplication
import Documents
import Pipeline
import Primitives
import Storage

/// Fuzzy deduplication: signatures on all threads while documents are spooled, the decision, then the documents that stay.
struct FuzzyBarrier: ChainBarrier {
  var configuration: DeduplicationConfiguration
  var memory: Int
  /// Where the report goes, beside the account.
  var findings: Findings
  /// `--report FILE`.
  var file: String?
  /// `--buckets FILE`: candidates that somebody else found.
  var buckets: String?

  func prepare() throws -> AnyStage<[Document], SpooledShingles> {
    AnyStage(try ShingleDocuments(configuration, isBanded: buckets == nil)).appending(AnyStage(SpoolShingled()))
  }

  func run(_ flow: ChainFlow<SpooledShingles>) throws -> [Account] {
    let start = ContinuousClock.now
    let candidates = try buckets.map { try CandidateFile($0) }
    let deduplicator = try FuzzyDeduplicator(configuration, isBanded: candidates == nil, spillLimit: memory)
    let spool = try DocumentSpool()
    while let batch = try flow.pull() {
      try deduplicator.add(batch.shingled)
      try spool.append(batch.encoded, count: batch.shingled.documents.count)
    }
    var decision = try deduplicator.decide(candidates: candidates, threads: flow.runner.threads, progress: flow.progress)
    try name(&decision.report.examples, spool)
    let accounts = try flow.runner.run(AnyStage(ReplayDocuments(decision)), source: { try spool.next() }) { documents, ledger in
      try flow.progress.checkStop()
      try flow.reject?(ledger.rejects)
      if !documents.isEmpty { try flow.push(documents) }
    }
    var account = accounts[0]
    account.seconds = (ContinuousClock.now - start).seconds
    account.extra["groups"] = Double(decision.report.groups.values.reduce(0, +))
    account.extra["pairs compared"] = Double(decision.report.compared)
    findings.add("fuzzy", try JSONValue(encoding: decision.report), lines: decision.report.lines)
    if let file { try JSONFile.write(decision.report, to: file) }
    for warning in decision.report.warnings { Terminal.write("weir: warning: \(warning)\n") }
    return [account]
  }

  /// Says of the examples where they come from and how they begin.
  private func name(_ examples: inout [FuzzyReport.Pair], _ spool: DocumentSpool) throws {
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

/// Signatures, and the documents as the spool takes them.
struct SpooledShingles: Sendable {
  var shingled: ShingledDocuments
  var encoded: [UInt8]
}

private struct SpoolShingled: Stage {
  var names: [String] { [] }
  func apply(_ batch: ShingledDocuments, ledger: inout Ledger, offset: Int) -> SpooledShingles {
    SpooledShingles(shingled: batch, encoded: DocumentSpool.encode(batch.documents))
  }
}

extension FuzzyReport {
  /// What was found, for a person.
  var lines: [String] {
    let sizes = groups.sorted { $0.key < $1.key }
    let shown = sizes.prefix(6).map { "\(Format.count($0.value)) of \(Format.count($0.key))" }
    var lines = ["  groups: \(shown.isEmpty ? "none" : shown.joined(separator: ", "))"]
    if sizes.count > 6 { lines[0] += ", …, the largest of \(Format.count(largestGroup))" }
    let percents = recall.filter { Int(($0.similarity * 100).rounded()) % 10 == 0 }.map {
      "\(Int(($0.probability * 1_000).rounded()) / 10) % at \($0.similarity)"
    }
    lines.append("  found of pairs by their similarity, expected: \(percents.joined(separator: ", "))")
    return lines
  }
}
