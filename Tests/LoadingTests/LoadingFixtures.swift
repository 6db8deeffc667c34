import Documents
import Foundation
import Loading
import Primitives
import Storage
import TestSupport
import Tokens

/// A dataset whose tokens are consecutive numbers, so that every token identifies its position; 0 ends documents. The group of a document is its
/// `source`.
func withDataset<R>(lengths: [Int], sources: [String] = [], _ body: (String) throws -> R) throws -> R {
  try withTemporaryFolder { folder in
    try writeDataset(folder + "/set", lengths: lengths, sources: sources)
    return try body(folder + "/set")
  }
}

func writeDataset(_ path: String, lengths: [Int], sources: [String] = []) throws {
  let total = lengths.reduce(0, +)
  let writer = try TokenDatasetWriter(
    path, tokenizer: "t", tokenizerFile: [], vocabulary: max(70_000, total + 1), endOfDocument: 0, shardTokens: max(100, total / 3))
  var next: UInt32 = 1
  for (index, length) in lengths.enumerated() {
    let tokens = (0..<UInt32(length)).map { next + $0 }
    next += UInt32(length)
    try writer.append([
      TokenDocument(
        id: "\(index)", source: sources.isEmpty ? nil : sources[index % sources.count], origin: "f:\(index + 1)", bytes: length, tokens: tokens)
    ])
  }
  _ = try writer.commit(tool: "test")
}

func randomLengths(_ seed: UInt64, count: Int) -> [Int] {
  var generator = SequentialRandom(seed: seed)
  return (0..<count).map { _ in Int.random(in: 1...(Bool.random(using: &generator) ? 40 : 1_500), using: &generator) }
}

/// Packs a dataset, by `source` if it has groups.
func pack(_ dataset: String, sequence: Int, _ packing: RowPacking = .concat, bySource: Bool = false) throws -> PackedRows {
  var configuration = PackDataset()
  (configuration.sequence, configuration.packing) = (sequence, packing)
  if bySource { configuration.groups = .field("source") }
  return try RowStore(dataset).rows(configuration)
}

func order(
  _ sources: [PackedRows], weights: [Double]? = nil, maxEpochs: Double? = nil, rows: Int? = nil, seed: UInt64 = 1
) throws -> RowOrder {
  var mixture = RowMixture(uniform: RowOrder.groups(of: sources), maxEpochs: maxEpochs)
  if let weights { mixture.stages[0].weights = weights }
  return try RowOrder(sources: sources, mixture: mixture, rows: rows, randomSeed: seed, name: "m.json")
}
