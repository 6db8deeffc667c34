import Pipeline
import Primitives
import Tokens

/// The numbers of a dataset's documents, in the order of the dataset or shuffled, in batches of about as many tokens.
package final class DocumentQueue: Source {
  private let dataset: TokenDataset
  private let numbers: [Int]?
  private let order: Permutation?
  private var taken = 0
  private var tokens = 0

  private static let batchTokens = 1 << 16

  /// - Parameters:
  ///   - numbers: the documents; nil for all.
  ///   - shuffle: the random seed of the order; nil for the order given.
  package init(_ dataset: TokenDataset, numbers: [Int]?, shuffle: UInt64? = nil) {
    self.dataset = dataset
    self.numbers = numbers
    let count = numbers?.count ?? dataset.documentCount
    order = shuffle.flatMap { count == 0 ? nil : Permutation(count: count, seed: $0) }
  }

  package var count: Int { numbers?.count ?? dataset.documentCount }

  /// The document at a place in the queue.
  package subscript(place: Int) -> Int {
    let place = order.map { $0[place] } ?? place
    return numbers.map { $0[place] } ?? place
  }

  package func next() throws -> [Int]? {
    guard taken < count else { return nil }
    var batch: [Int] = []
    let end = tokens + Self.batchTokens
    while taken < count, tokens < end {
      batch.append(self[taken])
      tokens += dataset.length(batch[batch.count - 1])
      taken += 1
    }
    return batch
  }

  package func finish() throws { precondition(taken == count, "documents are left") }

  /// Bytes of text, as far as the tokens tell.
  package var bytesRead: Int { Int(Double(tokens) * Double(dataset.byteCount) / Double(max(1, dataset.tokenCount))) }
  package var totalBytes: Int? { numbers == nil ? dataset.byteCount : nil }
}
