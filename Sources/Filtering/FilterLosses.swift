import CKernels
import Documents
import Primitives
import Synchronization

/// Counts what each rule drops from each domain, and keeps a sample of the dropped documents. The result depends on the documents and the seed
/// alone: the sample are the documents with the smallest random numbers, and a number depends on the document's origin.
package final class FilterLosses: Sendable {
  private let by: String
  private let samples: Int
  private let random: CounterRandom
  private let total: Mutex<Counts>

  /// - Parameters:
  ///   - by: what the domain of a document is: `file`, or a member such as `source` or `metadata.domain`.
  ///   - samples: dropped documents to keep per rule.
  ///   - randomSeed: chooses them.
  package init(by: String = "file", samples: Int = 2, randomSeed: UInt64 = 1) {
    (self.by, self.samples, random) = (by, samples, CounterRandom(seed: randomSeed))
    total = Mutex(Counts(by: by, samples: samples, random: random))
  }

  /// Empty counts, for one batch.
  func counts() -> Counts { Counts(by: by, samples: samples, random: random) }

  func add(_ counts: Counts) { total.withLock { $0.merge(counts) } }

  package var report: FilterReport { total.withLock { $0.report } }

  struct Counts: Sendable {
    fileprivate let by: String
    fileprivate let samples: Int
    fileprivate let random: CounterRandom
    private var domains: [String: FilterReport.Domain] = [:]
    private var rules: [String: FilterReport.Rule] = [:]
    /// Of each rule's samples, in the same order.
    private var ranks: [String: [UInt64]] = [:]

    fileprivate init(by: String, samples: Int, random: CounterRandom) { (self.by, self.samples, self.random) = (by, samples, random) }

    mutating func count(_ document: Document, _ violation: Violation?) throws {
      let name = document.domain(by: by)
      if domains[name] == nil, domains.count >= Document.maximumDomains { throw Document.tooManyDomains(by: by) }
      domains[name, default: FilterReport.Domain(name: name)].documents += 1
      guard let violation else { return }
      domains[name]?.dropped += 1
      var rule = rules[violation.reason] ?? FilterReport.Rule(violation)
      rule.dropped += 1
      rule.byDomain[name, default: 0] += 1
      let origin = Array(document.origin.utf8)
      let rank = random.bits(weir_fingerprint_of(origin, origin.count, 0, origin.count))
      let isFull = rule.samples.count >= samples
      if samples > 0, !isFull || rank < ranks[violation.reason]?.last ?? 0 {
        let sample = FilterReport.Sample(
          origin: document.origin, measured: violation.finiteMeasure, text: Format.clip(document.text, 120))
        insert(sample, rank: rank, into: &rule)
      }
      rules[violation.reason] = rule
    }

    private mutating func insert(_ sample: FilterReport.Sample, rank: UInt64, into rule: inout FilterReport.Rule) {
      var ranks = self.ranks[rule.name] ?? []
      let at = ranks.indices.first { (rank, sample.origin) < (ranks[$0], rule.samples[$0].origin) } ?? ranks.count
      ranks.insert(rank, at: at)
      rule.samples.insert(sample, at: at)
      self.ranks[rule.name] = Array(ranks.prefix(samples))
      rule.samples = Array(rule.samples.prefix(samples))
    }

    fileprivate mutating func merge(_ other: Counts) {
      for (name, domain) in other.domains {
        domains[name, default: FilterReport.Domain(name: name)].documents += domain.documents
        domains[name]?.dropped += domain.dropped
      }
      for (name, found) in other.rules {
        guard var rule = rules[name] else {
          (rules[name], ranks[name]) = (found, other.ranks[name])
          continue
        }
        rule.dropped += found.dropped
        rule.byDomain.merge(found.byDomain, uniquingKeysWith: +)
        for (rank, sample) in zip(other.ranks[name] ?? [], found.samples) { insert(sample, rank: rank, into: &rule) }
        rules[name] = rule
      }
    }

    fileprivate var report: FilterReport {
      FilterReport(
        by: by, domains: domains.values.sorted { ($1.dropped, $1.documents, $0.name) < ($0.dropped, $0.documents, $1.name) },
        rules: rules.values.sorted { ($1.dropped, $0.name) < ($0.dropped, $1.name) })
    }
  }
}
