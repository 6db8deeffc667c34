import Artifacts
import Embedding
import Foundation
import Kernels
import Pipeline
import Primitives
import Sampling
import Tokenization
import Tokens

/// How far the clusters of a specialist seed can be trusted.
///
/// Every window is assigned to some leaf, even text in a script that the corpus lacks. So the seed is compared with windows of the corpus
/// from the same leaves: by the pairs of adjacent letters that occur there, and by the distance to the leaf's centroid.
package struct SeedCoverage: Encodable, Sendable, Equatable {
  package var name: String
  /// The share of the seed's letter pairs that occur in corpus windows of its leaves; nil if either has none.
  package var known: Double?
  /// The share of the seed's windows that are farther from their centroid than 99 % of those corpus windows; nil if the seed has no leaves.
  package var far: Double?
  /// What the seed was compared with, for messages.
  private var place = "the clusters it is assigned to"

  enum CodingKeys: String, CodingKey {
    case name, far
    case known = "known_letter_pairs"
  }

  /// Corpus windows to compare with.
  private static let sample = 256
  /// Below the first share a seed is refused, below the second there is a warning.
  private static let limits = (refused: 0.1, doubtful: 0.5)

  init(
    _ seed: SpecialistSeeds.Seed, leaves: [UInt32], distances: [Float], assignment: ClusterAssignment, stored: StoredTree,
    embedder: any Embedder, dataset: TokenDataset, tokenizer: Tokenizer, pool: ThreadPool
  ) throws {
    name = seed.path
    let chosen = Self.windows(like: leaves, assignment: assignment), reader = WindowReader(dataset)
    let corpus = try chosen.map { try reader.tokens($0) }, lengths = seed.windows.map(\.tokens.count)
    // Short windows are far from any centroid, so those of the corpus are cut to the lengths of the seed's.
    let alike = corpus.enumerated().map { index, tokens in Array(tokens.prefix(lengths[index % lengths.count])) }
    let own = Self.distances(
      try embedder.embed(alike, pool: pool), leaves: chosen.map { assignment.leaves[$0] }, tree: stored.tree
    ).sorted()
    let limit = own.isEmpty ? Float.infinity : own[own.count * 99 / 100]
    far = Double(distances.filter { $0 > limit }.count) / Double(max(1, distances.count))
    var pairs: Set<UInt64> = []
    for window in corpus { Self.forEachPair(tokenizer.text(of: window)) { pairs.insert($0) } }
    var (found, total) = (0, 0)
    for document in seed.documents {
      Self.forEachPair(document.document.text) { pair in
        total += 1
        if pairs.contains(pair) { found += 1 }
      }
    }
    known = total == 0 || corpus.isEmpty ? nil : Double(found) / Double(total)
  }

  /// Compares a seed with the whole corpus, for a method that assigns it to no leaves. Reads windows evenly spread over the corpus, until they
  /// leave no doubt.
  init(_ seed: SpecialistSeeds.Seed, dataset: TokenDataset, tokenizer: Tokenizer, progress: Pipeline.Progress = .silent) throws {
    (name, place) = (seed.path, "the corpus")
    var counts: [UInt64: Int] = [:]
    for document in seed.documents { Self.forEachPair(document.document.text) { counts[$0, default: 0] += 1 } }
    let total = counts.values.reduce(0, +), reader = WindowReader(dataset)
    guard total > 0, reader.count > 0 else { return }
    var (missing, read) = (total, 0)
    let stride = max(1, reader.count / 4_096)
    search: for offset in 0..<stride {
      for window in Swift.stride(from: offset, to: reader.count, by: stride) {
        Self.forEachPair(tokenizer.text(of: try reader.tokens(window))) { missing -= counts.removeValue(forKey: $0) ?? 0 }
        read += 1
        if read % 256 == 0 { try progress.checkStop() }
        if missing == 0 { break search }
      }
      if Double(total - missing) >= Self.limits.doubtful * Double(total) { break }
    }
    known = Double(total - missing) / Double(total)
  }

  /// Windows of the corpus, spread evenly over each leaf and divided among the leaves like those of the seed.
  private static func windows(like leaves: [UInt32], assignment: ClusterAssignment) -> [Int] {
    var wanted = [Int](repeating: 0, count: assignment.leafCount), members = [[Int]](repeating: [], count: assignment.leafCount)
    for leaf in leaves { wanted[Int(leaf)] += 1 }
    for (window, leaf) in assignment.leaves.enumerated() where wanted[Int(leaf)] > 0 { members[Int(leaf)].append(window) }
    return wanted.indices.flatMap { leaf -> [Int] in
      let count = min(members[leaf].count, (wanted[leaf] * sample + leaves.count - 1) / max(1, leaves.count))
      return (0..<count).map { members[leaf][$0 * members[leaf].count / count] }
    }
  }

  /// The squared distance of each vector to the centroid of its leaf.
  static func distances(_ vectors: [Float], leaves: [UInt32], tree: ClusterTree) -> [Float] {
    let nodes = tree.leafNodes, width = tree.dimensions
    return leaves.enumerated().map { index, leaf in
      let centroid = nodes[Int(leaf)] * width
      return (0..<width).reduce(Float(0)) { sum, j in
        let gap = vectors[index * width + j] - tree.centroids[centroid + j]
        return sum + gap * gap
      }
    }
  }

  /// Calls `body` for each pair of adjacent letters; every character beyond ASCII counts as one.
  private static func forEachPair(_ text: [UInt8], _ body: (UInt64) -> Void) {
    var previous: UInt64?
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      let isLetter = scalar.isASCII ? scalar.properties.isAlphabetic : !scalar.properties.isWhitespace
      if isLetter, let previous { body(previous << 32 | UInt64(scalar.value)) }
      previous = isLetter ? UInt64(scalar.value) : nil
    }
  }

  private static func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }

  /// Throws `WeirError` if the seed has almost nothing in common with its clusters.
  func check() throws {
    guard let known, known < Self.limits.refused else { return }
    throw WeirError(
      name,
      "only \(Self.percent(known)) of its letter pairs occur in \(place): the corpus lacks text in its script",
      remedy: "add such documents to the corpus")
  }

  /// What the user should know about the seed.
  var warning: String? {
    if let known, known < Self.limits.doubtful {
      return "\(name): only \(Self.percent(known)) of its letter pairs occur in \(place); "
        + "the corpus may lack its language"
    }
    if let far, far > Self.limits.doubtful {
      return "\(name): \(Self.percent(far)) of its windows are farther from their cluster than 99 % of the windows there; "
        + "the corpus may lack its domain"
    }
    return nil
  }
}
