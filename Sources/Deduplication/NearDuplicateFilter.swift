import Corpus
import Pipeline

/// The second pass of fuzzy deduplication: lets the documents through that stay, in the order of the first pass.
public struct NearDuplicateFilter {
  /// What became of every document so far.
  public private(set) var account = Account(stage: "dedup.fuzzy")
  private var rejects: [Reject] = []
  private let kept: [Bool]
  private var next = 0
  private let record: (@Sendable (Document) -> [UInt8])?

  /// Creates the filter.
  /// - Parameters:
  ///   - decision: of the first pass over the same documents.
  ///   - record: a document as a line for `--rejects`; nil to keep no rejects.
  public init(_ decision: FuzzyDecision, record: (@Sendable (Document) -> [UInt8])? = nil) {
    kept = decision.kept
    self.record = record
  }

  /// Whether every document of the first pass came by again.
  public var isComplete: Bool { next == kept.count }

  /// Admits the next batch.
  /// - Returns: the documents that stay.
  public mutating func admit(_ batch: [Document]) -> [Document] {
    precondition(next + batch.count <= kept.count, "the second pass has the documents of the first")
    var result: [Document] = []
    for document in batch {
      account.input += 1
      account.bytesIn += document.text.count
      if kept[next] {
        account.output += 1
        account.bytesOut += document.text.count
        result.append(document)
      } else {
        account.drop("near_duplicate")
        if let record {
          rejects.append(Reject(origin: document.origin, stage: account.stage, reason: "near_duplicate", record: record(document)))
        }
      }
      next += 1
    }
    return result
  }

  /// The rejects since the last call, in input order.
  public mutating func takeRejects() -> [Reject] {
    defer { rejects = [] }
    return rejects
  }
}
