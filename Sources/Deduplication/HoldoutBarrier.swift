import Documents
import Pipeline
import Primitives
import Storage

/// Sets documents aside for validation: writes them to a file of their own and passes on the others, both in input order.
///
/// The choice follows from a random number that each text has by its fingerprint, the one that exact deduplication compares, and the random
/// seed. So equal texts stay together, and the choice depends neither on the order of the documents nor on threads. A text is set aside if its
/// number is below the fraction. By domain, documents wait in a temporary file until all are counted: of each domain, those with the smallest
/// numbers are set aside.
package final class HoldoutBarrier: Barrier {
  package let stages: Stages<[Document], NumberedDocuments>
  /// What was set aside, once the chain has run.
  package private(set) var report: HoldoutReport
  private let fraction: Double
  private let file: String

  /// - Parameters:
  ///   - fraction: of the documents to set aside, more than 0 and less than 1.
  ///   - by: what a domain is, as in `Document.domain(by:)`; nil for one choice over all documents.
  ///   - file: where they go.
  package init(fraction: Double, by: String?, randomSeed: UInt64, file: String) {
    stages = Stages(HashDocuments()).then(NumberDocuments(randomSeed: randomSeed, by: by))
    report = HoldoutReport(by: by)
    self.fraction = fraction
    self.file = file
  }

  package func run(_ flow: BarrierFlow<[Document], NumberedDocuments>) throws -> Account {
    let start = ContinuousClock.now
    var account = Account(stage: "holdout")
    let sink = try DocumentSink(path: file)
    do {
      if let by = report.by {
        try runByDomain(flow, by: by, sink, &account)
      } else {
        // 2⁶⁴ times the fraction; a fraction below 1 stays below 2⁶⁴.
        let limit = UInt64(fraction * 0x1p64)
        while let batch = try flow.pull() {
          let isHeldOut = batch.numbers.map { $0 < limit }
          try separate(batch.documents, isHeldOut, sink, flow, &account)
        }
      }
      // Without a document, the command fails.
      if account.input == 0 { sink.discard() } else { try sink.finish() }
    } catch {
      sink.discard()
      throw error
    }
    report.documents = account.input
    report.heldOut = account.input - account.output
    if account.input > 0, report.heldOut == 0 {
      flow.progress.note("warning: \(file): no document was held out; raise the fraction, or use another seed if they were split before")
    }
    account.seconds = (ContinuousClock.now - start).seconds
    return account
  }

  private func runByDomain(
    _ flow: BarrierFlow<[Document], NumberedDocuments>, by: String, _ sink: DocumentSink, _ account: inout Account
  ) throws {
    let spool = try DocumentSpool()
    var numbers: [UInt64] = []
    var domains: [String: [Int]] = [:]
    while let batch = try flow.pull() {
      for (place, name) in batch.domains.enumerated() {
        if domains[name] == nil, domains.count >= Document.maximumDomains { throw Document.tooManyDomains(by: by) }
        domains[name, default: []].append(numbers.count + place)
      }
      numbers += batch.numbers
      try spool.append(DocumentSpool.encode(batch.documents), count: batch.documents.count)
    }
    let all = domains.sorted { $0.key < $1.key }
    var chosen: Set<UInt64> = []
    for (_, documents) in all { Self.choose(fraction, of: documents.map { numbers[$0] }, into: &chosen) }
    report.domains = all.map { name, documents in
      HoldoutReport.Domain(
        name: name, documents: documents.count, heldOut: documents.reduce(0) { $0 + (chosen.contains(numbers[$1]) ? 1 : 0) })
    }
    _ = try flow.runner.run(Stages(DecodeSpool()), source: spool.next) { delivery in
      try flow.progress.checkStop()
      try separate(
        delivery.output.map(\.document), delivery.output.map { chosen.contains(numbers[$0.number]) }, sink, flow, &account)
    }
  }

  /// Chooses about a fraction of a domain's documents, smallest numbers first: at least one, and not all, where there are two texts. Documents
  /// with the same number are chosen together, where that does not lead further from the fraction.
  package static func choose(_ fraction: Double, of numbers: [UInt64], into chosen: inout Set<UInt64>) {
    var counts: [UInt64: Int] = [:]
    for number in numbers { counts[number, default: 0] += 1 }
    guard counts.count > 1 else { return }
    let wanted = min(numbers.count - 1, max(1, Int((fraction * Double(numbers.count)).rounded())))
    // Texts that are in another domain, too, may be chosen already.
    var count = counts.reduce(0) { $0 + (chosen.contains($1.key) ? $1.value : 0) }
    for (number, copies) in counts.sorted(by: { $0.key < $1.key }) where !chosen.contains(number) {
      if count >= wanted { return }
      guard count + copies - wanted < wanted - count else { continue }
      chosen.insert(number)
      count += copies
    }
  }

  /// Writes the documents that are held out, and passes on the others.
  private func separate(
    _ documents: [Document], _ isHeldOut: [Bool], _ sink: DocumentSink, _ flow: BarrierFlow<[Document], NumberedDocuments>,
    _ account: inout Account
  ) throws {
    var kept: [Document] = []
    var held: [Document] = []
    kept.reserveCapacity(documents.count)
    for (document, isHeldOut) in zip(documents, isHeldOut) {
      account.input += 1
      account.bytesIn += document.byteCount
      if isHeldOut {
        held.append(document)
        account.drop("held_out")
      } else {
        kept.append(document)
        account.output += 1
        account.bytesOut += document.byteCount
      }
    }
    try sink.write(SerializeDocuments.lines(held), records: held.count)
    if !kept.isEmpty { try flow.push(kept) }
  }
}

/// What was set aside.
package struct HoldoutReport: Sendable, Codable, Equatable {
  package struct Domain: Sendable, Codable, Equatable {
    package var name: String
    package var documents: Int
    package var heldOut: Int
  }

  /// What a domain is; nil where the choice was not by domain.
  package var by: String?
  package var documents = 0
  package var heldOut = 0
  /// By name; empty where the choice was not by domain.
  package var domains: [Domain] = []

  init(by: String?) { self.by = by }
}

/// A batch with the random number and the domain of each document.
package struct NumberedDocuments: Sendable {
  var documents: [Document]
  var numbers: [UInt64]
  /// Empty where the choice is not by domain.
  var domains: [String]
}

private struct NumberDocuments: Stage {
  let randomSeed: UInt64
  let by: String?

  func apply(_ batch: HashedDocuments, tally: inout Tally) -> NumberedDocuments {
    NumberedDocuments(
      documents: batch.documents,
      numbers: batch.keys.map { CounterRandom(seed: randomSeed, stream: $0.high).bits($0.low) },
      domains: by.map { by in batch.documents.map { $0.domain(by: by) } } ?? [])
  }
}
