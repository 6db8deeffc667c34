import Documents
import Pipeline
import Storage

/// Decontamination that leaves out n-grams that are common in the corpus. Whether one is common is known only at the end, so documents wait
/// in a temporary file, from the first one on that shares an n-gram with an evaluation text.
package struct DecontaminationBarrier: Barrier {
  package let stages: Stages<[Document], ScannedDocuments>
  private let index: EvaluationIndex
  private let losses: DomainLosses
  /// The most n-grams that are held in memory; they are looked up again in documents beyond that.
  private static let heldGrams = 1 << 22

  /// - Parameters:
  ///   - index: of the evaluation texts.
  ///   - losses: counts what happens to documents.
  package init(_ index: EvaluationIndex, losses: DomainLosses = DomainLosses()) {
    stages = Stages(ScanDocuments(index: index, losses: losses))
    self.index = index
    self.losses = losses
  }

  package func run(_ flow: BarrierFlow<[Document], ScannedDocuments>) throws -> Account {
    let start = ContinuousClock.now
    var tally = Tally(stage: DecontaminationWorker.stage)
    var frequencies = GramFrequencies(index)
    var suspects: [Int: EvaluationIndex.Hits?] = [:]
    var held = 0
    var spool: DocumentSpool?
    while let batch = try flow.pull() {
      if batch.suspects.isEmpty, spool == nil {
        tally.keep(batch.documents)
        try flow.push(batch.documents)
        continue
      }
      let open = try spool ?? DocumentSpool()
      spool = open
      for (number, hits) in batch.suspects {
        held += hits.count
        suspects[open.count + number] = .some(held <= Self.heldGrams ? hits : nil)
        frequencies.add(hits)
      }
      try open.append(DocumentSpool.encode(batch.documents), count: batch.documents.count)
    }
    var account = tally.account
    if let spool {
      let common = frequencies.common(of: index)
      let replay = Stages(ReplayDecontamination(index: index, common: common, suspects: suspects, losses: losses))
      account.merge(
        try flow.runner.run(replay, source: spool.next) { delivery in
          try flow.progress.checkStop()
          try flow.reject(delivery.rejects)
          if !delivery.output.isEmpty { try flow.push(delivery.output) }
        }[0])
      let count = common.runs.count + common.covers.count
      if count > 0 {
        account.extra["common n-grams left out"] = Double(count)
        flow.progress.note("note: \(frequencies.describe(common, of: index))")
      }
    }
    account.seconds = (ContinuousClock.now - start).seconds
    return account
  }
}

/// A batch, and the n-grams of evaluation texts in it.
package struct ScannedDocuments: Sendable {
  package var documents: [Document]
  /// The places of the documents that share an n-gram with an evaluation text, and these n-grams.
  var suspects: [(number: Int, hits: EvaluationIndex.Hits)] = []
}

private struct ScanDocuments: Stage {
  let index: EvaluationIndex
  let losses: DomainLosses
  private let buffers = WorkerPool(limit: 1 << 24) { FoldedText() }

  init(index: EvaluationIndex, losses: DomainLosses) {
    self.index = index
    self.losses = losses
  }

  func apply(_ batch: [Document], tally: inout Tally) throws -> ScannedDocuments {
    try losses.count(batch)
    var words = try buffers.take()
    var scanned = ScannedDocuments(documents: batch)
    for (number, document) in batch.enumerated() {
      guard let hits = index.hits(document.text, &words) else { continue }
      scanned.suspects.append((number, hits))
    }
    buffers.giveBack(words, after: batch.reduce(0) { $0 + $1.text.count })
    return scanned
  }
}

/// The number of documents that contain each n-gram.
private struct GramFrequencies {
  private var runs: [UInt32]
  private var covers: [UInt32]
  /// The last document in which each n-gram was, so that a document counts once.
  private var lastOfRuns: [UInt32]
  private var lastOfCovers: [UInt32]
  private var documents: UInt32 = 0

  init(_ index: EvaluationIndex) {
    runs = [UInt32](repeating: 0, count: index.runs.count)
    covers = [UInt32](repeating: 0, count: index.covers.count)
    (lastOfRuns, lastOfCovers) = (runs, covers)
  }

  /// Adds the n-grams of the next document.
  mutating func add(_ hits: EvaluationIndex.Hits) {
    documents += 1
    for hit in hits.runs where lastOfRuns[Int(hit.gram)] != documents {
      lastOfRuns[Int(hit.gram)] = documents
      runs[Int(hit.gram)] += 1
    }
    for hit in hits.covers where lastOfCovers[Int(hit.gram)] != documents {
      lastOfCovers[Int(hit.gram)] = documents
      covers[Int(hit.gram)] += 1
    }
  }

  /// The n-grams in more documents than the configuration allows.
  func common(of index: EvaluationIndex) -> CommonGrams {
    func common(_ counts: [UInt32]) -> Set<UInt32> {
      Set(counts.indices.filter { counts[$0] > index.configuration.commonDocuments }.map { UInt32($0) })
    }
    let covers = common(covers)
    return CommonGrams(runs: common(runs), covers: covers, coverCounts: index.coverCounts(without: covers))
  }

  /// How many there are, and the most frequent one.
  func describe(_ common: CommonGrams, of index: EvaluationIndex) -> String {
    let isCover = common.runs.isEmpty
    let counts = isCover ? covers : runs
    let grams = isCover ? common.covers : common.runs
    let table = isCover ? index.covers : index.runs
    // Of several, the one with the smallest fingerprint.
    let most = Int(grams.max { (counts[Int($0)], table.gram(Int($1))) < (counts[Int($1)], table.gram(Int($0))) } ?? 0)
    let (quote, origin) = index.quote(most, isCover: isCover)
    return
      "\(grams.count) n-grams of evaluation texts do not count because more than \(index.configuration.commonDocuments) documents contain "
      + "them; the most frequent, in \(counts[most]) documents: \"\(quote)\" (\(origin)); --common-documents 0 counts them"
  }
}

/// Decides about the documents in the spool.
private struct ReplayDecontamination: Stage {
  let name: String? = DecontaminationWorker.stage
  private let suspects: [Int: EvaluationIndex.Hits?]
  private let losses: DomainLosses
  private let workers: WorkerPool<DecontaminationWorker>

  init(index: EvaluationIndex, common: CommonGrams, suspects: [Int: EvaluationIndex.Hits?], losses: DomainLosses) {
    self.suspects = suspects
    self.losses = losses
    workers = WorkerPool(limit: 1 << 24) { DecontaminationWorker(index: index, common: common) }
  }

  /// - Throws: `WeirError` where the spool is damaged.
  func apply(_ block: SpooledDocuments, tally: inout Tally) throws -> [Document] {
    var worker = try workers.take()
    var kept: [Document] = []
    kept.reserveCapacity(block.range.count)
    try block.decode { number, document in
      let decision = suspects[number].map { worker.decide(document, known: $0) } ?? .keep(document)
      if let document = try tally.settle(document, decision) { kept.append(document) }
    }
    tally.account.extra.merge(worker.report(to: losses), uniquingKeysWith: +)
    workers.giveBack(worker, after: tally.account.bytesIn)
    return kept
  }
}
