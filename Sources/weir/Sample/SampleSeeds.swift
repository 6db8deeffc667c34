import Artifacts
import Clustering
import Documents
import Embedding
import Kernels
import Primitives
import Sampling
import Storage
import Tokenization
import Tokens

/// The specialist seeds of `weir sample`, read once: documents, tokens, and where their windows fall in a tree.
struct SampleSeeds {
  /// One file.
  struct Seed {
    var path: String
    var weight: Double
    var documents: [(document: Document, tokens: [Int32])]
    var tokens: Int { documents.reduce(0) { $0 + $1.tokens.count } }
    /// The windows of each document, as the dataset would cut them.
    var windows: [(document: Int, tokens: [Int32])] {
      documents.enumerated().flatMap { index, entry in
        WindowReader.windows(of: entry.tokens.map { UInt32(bitPattern: $0) }).map { (index, $0) }
      }
    }
  }

  let seeds: [Seed]
  let tokenizer: Tokenizer

  /// Reads the files.
  /// - Throws: `WeirError` where one has no word, or the weights are not one a file.
  init(_ paths: [String], weights: String?, tokenizer: Tokenizer) throws {
    self.tokenizer = tokenizer
    let shares = try Self.weights(weights, count: paths.count)
    seeds = try zip(paths, shares).map { path, weight in
      let documents = try Load.tokenize([path], tokenizer)
      // Blanks and punctuation are tokens too, and would draw the cluster that they happen to lie in.
      let isBlank = !documents.contains { String(decoding: $0.document.text, as: UTF8.self).contains { $0.isLetter || $0.isNumber } }
      guard !isBlank else { throw WeirError(path, "is a seed without a word", remedy: "name a file with documents of the domain") }
      return Seed(path: path, weight: weight, documents: documents)
    }
  }

  private static func weights(_ list: String?, count: Int) throws -> [Double] {
    guard let list else { return [Double](repeating: 1, count: count) }
    let weights = list.split(separator: ",").compactMap { Double($0) }
    guard weights.count == count, list.split(separator: ",").count == count, weights.allSatisfy({ $0 >= 0 && $0.isFinite }),
      weights.reduce(0, +) > 0
    else { throw WeirError("--seed-weights", "are not \(count) numbers ≥ 0 separated by commas, one of them positive") }
    return weights
  }

  /// Where each seed's windows fall: embedded and routed as the dataset's were.
  func samples(tree stored: StoredTree, threads: Int) throws -> [(weight: Double, sample: SeedSample)] {
    let embedder = try Clusters.embedder(of: stored)
    try embedder.check(tokenizer: tokenizer.fingerprint, place: stored.path)
    let pool = ThreadPool(threads: threads), router = TreeRouter(stored.tree), width = embedder.dimensions
    return try seeds.map { seed in
      let windows = seed.windows
      let vectors = try embedder.embed(windows.map(\.tokens), pool: pool)
      return (
        seed.weight,
        SeedSample(
          name: seed.path, leaves: try router.leaves(vectors, pool: pool), lengths: windows.map(\.tokens.count),
          documents: windows.map(\.document),
          hasFeatures: windows.indices.map { index in vectors[index * width..<(index + 1) * width].contains { $0 != 0 } })
      )
    }
  }

  /// What the mixture says of them.
  func provenance() throws -> [Mixture.Seed] {
    let sum = seeds.reduce(0.0) { $0 + $1.weight }
    return try seeds.map { seed in
      Mixture.Seed(
        name: seed.path, fingerprint: Checksum.hex(try Checksum.xxh3(file: seed.path)), weight: seed.weight / sum,
        documents: seed.documents.count, windows: seed.windows.count, tokens: seed.tokens)
    }
  }

  /// The texts of all documents: methods that score windows know one target, and take no weights.
  var texts: [[UInt8]] { seeds.flatMap { $0.documents.map(\.document.text) } }

  /// Writes the documents of all seeds as a token dataset.
  func write(to path: String, like dataset: TokenDataset) throws -> TokenDataset {
    let writer = try TokenDatasetWriter(
      path, tokenizer: tokenizer.fingerprint, tokenizerFile: Files.read(dataset.path + "/tokenizer/tokenizer.json"),
      vocabulary: dataset.vocabulary, endOfDocument: dataset.endOfDocument)
    do {
      for (document, tokens) in seeds.flatMap(\.documents) {
        // The writer ends each document itself.
        let own = tokens.map { UInt32(bitPattern: $0) }
        let body = own.last == UInt32(dataset.endOfDocument) ? own.dropLast() : own[...]
        try writer.append([
          TokenDocument(
            id: document.id, source: document.source, origin: document.origin, members: document.members, bytes: document.text.count,
            tokens: Array(body))
        ])
      }
      _ = try writer.commit(tool: Weir.tool)
    } catch {
      writer.discard()
      throw error
    }
    return try TokenDataset(path)
  }
}
