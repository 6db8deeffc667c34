import Artifacts
import Documents
import Storage
import Tokens

/// How much of the corpus, and of what a mixture samples, is of the specialist seed's domain, by tokens.
package struct DomainShare: Sendable, Equatable {
  /// The domain: the `metadata.domain` of most documents of the specialist seed.
  package var domain: String
  package var corpus: Double
  /// Σ over clusters of the weight × the domain's share of the cluster's tokens.
  package var mixture: Double

  /// Nil if the domain of the specialist seed is not known, if no document of the dataset has its label, or if the dataset is not assigned to
  /// the clusters of the mixture.
  /// - Parameter located: where a path that the mixture names is.
  init?(of mixture: Mixture, in dataset: TokenDataset, contents: DatasetContents, located: (String) -> String) throws {
    guard mixture.source == nil, mixture.dataset == dataset.fingerprint, let domain = try Self.domain(of: mixture, located),
      let label = contents.labelNumbers[domain], let assignment = try? dataset.assignment(of: mixture, file: "mixture")
    else { return nil }
    var tokens = [Int](repeating: 0, count: assignment.leafCount)
    var ofDomain = tokens
    for (window, leaf) in assignment.leaves.enumerated() {
      let window = dataset.window(window)
      tokens[Int(leaf)] += window.count
      if contents.labels[window.document] == label { ofDomain[Int(leaf)] += window.count }
    }
    self.domain = domain
    corpus = Double(ofDomain.reduce(0, +)) / Double(max(1, tokens.reduce(0, +)))
    self.mixture = mixture.clusters.reduce(0) { sum, cluster in
      sum + cluster.weight * Double(ofDomain[cluster.leaf]) / Double(max(1, tokens[cluster.leaf]))
    }
  }

  /// The domain of more than half of the specialist seed's documents; nil if there is none, or the files are not what the mixture was made from.
  private static func domain(of mixture: Mixture, _ located: (String) -> String) throws -> String? {
    let seeds = mixture.seeds ?? []
    guard !seeds.isEmpty else { return nil }
    for seed in seeds {
      let file = located(seed.name)
      guard Files.exists(file), !Files.isFolder(file), try Checksum.hex(file: file) == seed.fingerprint else { return nil }
    }
    let domains = try DocumentFile.readAll(seeds.map { located($0.name) }).map { Document.label(members: $0.members, source: nil) }
    let counts = Dictionary(grouping: domains) { $0 }.mapValues(\.count)
    return counts.first { $0.key != nil && 2 * $0.value > domains.count }?.key
  }
}
