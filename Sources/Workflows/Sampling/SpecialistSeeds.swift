import Artifacts
import Clustering
import Embedding
import Kernels
import Primitives
import Sampling
import Storage
import Tokenization
import Tokens

/// The files of a specialist seed, read and encoded once.
struct SpecialistSeeds {
  /// One file.
  struct Seed {
    var path: String
    var weight: Double
    var documents: [EncodedDocument]

    var tokens: Int { documents.reduce(0) { $0 + $1.tokens.count } }
    /// The windows of each document.
    var windows: [(document: Int, tokens: [Int32])] {
      documents.enumerated().flatMap { index, document in document.windows.map { (index, $0) } }
    }
  }

  let seeds: [Seed]
  let tokenizer: Tokenizer

  /// - Throws: `WeirError` for a file without a word.
  init(_ paths: [String], weights: [Double]?, tokenizer: Tokenizer) throws {
    self.tokenizer = tokenizer
    var encoder = DocumentEncoder(tokenizer)
    seeds = try zip(paths, weights ?? [Double](repeating: 1, count: paths.count)).map { path, weight in
      let documents = try encoder.encode(files: [path])
      // White space and punctuation are tokens too, but the cluster of such windows is arbitrary.
      let hasWord = documents.contains { String(decoding: $0.document.text, as: UTF8.self).contains { $0.isLetter || $0.isNumber } }
      guard hasWord else { throw WeirError(path, "contains no word", remedy: "give documents of the domain") }
      return Seed(path: path, weight: weight, documents: documents)
    }
  }

  /// The texts of all documents.
  var texts: [[UInt8]] { seeds.flatMap { $0.documents.map(\.document.text) } }

  /// Embeds the windows of each seed, routes them to the leaves of a tree, and compares them with what the dataset has there.
  func leaves(
    of stored: StoredTree, dataset: TokenDataset, assignment: ClusterAssignment, threads: Int
  ) throws -> [(weight: Double, windows: SpecialistWindows, coverage: SeedCoverage)] {
    let embedder = try stored.openEmbedder()
    try embedder.check(tokenizer: tokenizer.fingerprint, place: stored.path)
    let pool = ThreadPool(threads: threads), router = TreeRouter(stored.tree), width = embedder.dimensions
    return try seeds.map { seed in
      let windows = seed.windows
      let vectors = try embedder.embed(windows.map(\.tokens), pool: pool), leaves = try router.leaves(vectors, pool: pool)
      return (
        seed.weight,
        SpecialistWindows(
          name: seed.path, leaves: leaves, lengths: windows.map(\.tokens.count),
          documents: windows.map(\.document),
          hasFeatures: windows.indices.map { index in vectors[index * width..<(index + 1) * width].contains { $0 != 0 } }),
        try SeedCoverage(
          seed, leaves: leaves, distances: SeedCoverage.distances(vectors, leaves: leaves, tree: stored.tree), assignment: assignment,
          stored: stored, embedder: embedder, dataset: dataset, tokenizer: tokenizer, pool: pool)
      )
    }
  }

  /// The entries of the mixture.
  func provenance() throws -> [Mixture.Seed] {
    let sum = seeds.reduce(0.0) { $0 + $1.weight }
    return try seeds.map { seed in
      Mixture.Seed(
        name: seed.path, fingerprint: try Checksum.hex(file: seed.path), weight: seed.weight / sum,
        documents: seed.documents.count, windows: seed.windows.count, tokens: seed.tokens)
    }
  }

  /// Writes the documents of all seeds as a token dataset.
  func write(to path: String, like dataset: TokenDataset, tool: String) throws -> TokenDataset {
    let writer = try TokenDatasetWriter(
      path, tokenizer: tokenizer.fingerprint, tokenizerFile: Files.readWhole(dataset.folder.tokenizerFile), vocabulary: dataset.vocabulary,
      endOfDocument: dataset.endOfDocument)
    do {
      for encoded in seeds.flatMap(\.documents) {
        // The writer appends the end-of-document token itself.
        let tokens = encoded.tokens.last == UInt32(dataset.endOfDocument) ? encoded.tokens.dropLast() : encoded.tokens[...]
        let document = encoded.document
        try writer.append([
          TokenDocument(
            id: document.id, source: document.source, origin: document.origin, members: document.members, bytes: document.text.count,
            tokens: Array(tokens))
        ])
      }
      _ = try writer.commit(tool: tool)
    } catch {
      writer.discard()
      throw error
    }
    return try TokenDataset(path)
  }
}
