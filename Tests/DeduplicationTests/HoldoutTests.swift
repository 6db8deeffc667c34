import Deduplication
import Documents
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing

/// What was set aside of some documents.
private struct Held {
  var kept: [Document]
  var held: [Document]
  var account: Account
  var report: HoldoutReport

  var texts: Set<String> { Set(held.map { String(decoding: $0.text, as: UTF8.self) }) }
}

private func holdOut(
  _ documents: [Document], _ fraction: Double, by: String? = nil, seed: UInt64 = 1, batch: Int = 7, threads: Int = 1
) throws -> Held {
  try withTemporaryFolder { folder in
    let barrier = HoldoutBarrier(fraction: fraction, by: by, randomSeed: seed, file: folder + "/held.jsonl")
    let (source, sink) = (Batches(documents, size: batch), Batches([], size: 1))
    var chain = Chain<[Document]>()
    chain.append(barrier)
    let accounts = try chain.run(from: source, to: sink, threads: threads)
    var account = try #require(accounts.last)
    account.seconds = 0
    let held = try account.output == account.input ? [] : DocumentFile.readAll([folder + "/held.jsonl"])
    #expect(account.isBalanced && account.dropped["held_out"] ?? 0 == held.count && account.droppedTotal == held.count)
    #expect(barrier.report.documents == documents.count && barrier.report.heldOut == held.count)
    return Held(kept: sink.kept, held: held, account: account, report: barrier.report)
  }
}

/// Some texts repeated, with other white space; the domain is the source.
private func corpus(_ count: Int, _ dice: inout Dice) -> [Document] {
  (0..<count).map { index in
    let text = "text \(Int.random(in: 0..<count, using: &dice))"
    return Document(
      id: "\(index)", text: Array((index % 5 == 0 ? " " + text.replacing(" ", with: "\n\t") : text).utf8),
      source: ["web", "books", "code", "rare \(index / 40)"][min(3, Int.random(in: 0..<60, using: &dice) / 15)], members: [],
      origin: "in.jsonl:\(index + 1)")
  }
}

private func key(_ document: Document) -> String {
  String(decoding: document.text, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined()
}

@Suite struct HoldoutTests {
  @Test(arguments: 1...12 as ClosedRange<UInt64>) func duplicatesStayTogetherAndNothingIsLost(seed: UInt64) throws {
    var dice = Dice(state: seed)
    let documents = corpus(400, &dice)
    for by in [nil, "source"] {
      let found = try holdOut(documents, 0.2, by: by, seed: seed, batch: Int.random(in: 1...90, using: &dice))
      #expect((found.kept + found.held).sorted { (Int($0.id) ?? 0) < (Int($1.id) ?? 0) } == documents)
      // Both keep the order of the input.
      for part in [found.kept, found.held] { #expect(part.map { Int($0.id) ?? 0 } == part.map { Int($0.id) ?? 0 }.sorted()) }
      #expect(Set(found.kept.map(key)).isDisjoint(with: found.held.map(key)))
      #expect(!found.held.isEmpty)
      // Neither order nor threads decide.
      let again = try holdOut(documents.reversed(), 0.2, by: by, seed: seed, batch: 3, threads: 3)
      #expect(Set(again.held.map(\.id)) == Set(found.held.map(\.id)))
      #expect(try Set(holdOut(documents, 0.2, by: by, seed: seed + 100).held.map(\.id)) != Set(found.held.map(\.id)))
    }
    // What is set aside of a part is what is set aside of the whole.
    let whole = try holdOut(documents, 0.2, seed: seed), half = try holdOut(Array(documents.prefix(200)), 0.2, seed: seed)
    #expect(half.held == Array(whole.held.prefix(half.held.count)) && half.kept == Array(whole.kept.prefix(half.kept.count)))
  }

  @Test func theFractionIsThatOfManySeeds() throws {
    let documents = (0..<300).map { Document(id: "\($0)", text: "document number \($0)") }
    for fraction in [0.01, 0.1, 0.5, 0.9] {
      let count = try (0..<60 as Range<UInt64>).reduce(0) { try $0 + holdOut(documents, fraction, seed: $1).held.count }
      let draws = 60.0 * 300, deviation = (draws * fraction * (1 - fraction)).squareRoot()
      #expect((Double(count) - draws * fraction).magnitude < 4 * deviation, "\(count) at \(fraction)")
    }
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>) func everyDomainGivesItsFraction(seed: UInt64) throws {
    var documents: [Document] = []
    for (name, count) in [("a", 1), ("b", 2), ("c", 9), ("d", 10), ("e", 100), ("f", 333)] {
      documents += (0..<count).map { Document(id: "\(name)\($0)", text: "\(name) \($0)", source: name) }
    }
    for fraction in [0.001, 0.1, 0.25, 0.999] {
      let report = try holdOut(documents, fraction, by: "source", seed: seed).report
      #expect(report.domains.map(\.name) == ["a", "b", "c", "d", "e", "f"])
      for domain in report.domains {
        let rounded = Int((fraction * Double(domain.documents)).rounded())
        let wanted = domain.documents == 1 ? 0 : min(domain.documents - 1, max(1, rounded))
        #expect(domain.heldOut == wanted, "\(domain) at \(fraction)")
      }
    }
  }

  @Test func manyCopiesOfATextDoNotFillTheFile() {
    // 90 copies of one text, and ten others: of the 10 that are wanted, no copy is one.
    for first in [0, 11] as [UInt64] {
      var chosen: Set<UInt64> = []
      HoldoutBarrier.choose(0.1, of: Array(repeating: first, count: 90) + Array(1...10), into: &chosen)
      #expect(chosen == Set(1...10))
    }
    var chosen: Set<UInt64> = []
    HoldoutBarrier.choose(0.5, of: [7, 7, 7], into: &chosen)
    #expect(chosen.isEmpty)
    // What another domain has chosen counts.
    chosen = [5, 6]
    HoldoutBarrier.choose(0.5, of: [1, 5, 6, 7], into: &chosen)
    #expect(chosen == [5, 6])
  }
}
