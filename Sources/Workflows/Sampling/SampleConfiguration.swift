import Primitives
import Sampling

/// The configuration of a sample: which rows of a corpus a run is trained on, and how often.
package struct SampleConfiguration: Codable, Sendable {
  package enum Method: String, Codable, Sendable, CaseIterable {
    case crisp, uniform, specialist, dsir, classifier, ced, doge

    /// Whether the method sets the weights of a tree's clusters.
    package var needsTree: Bool { [.crisp, .uniform, .doge].contains(self) }
    /// Whether the method scores windows and keeps the best.
    package var scoresWindows: Bool { [.dsir, .classifier, .ced].contains(self) }
    /// Whether the method compares with models.
    package var needsProxy: Bool { [.ced, .doge].contains(self) }
  }

  /// The token dataset, assigned to the tree if there is one.
  package var dataset: String
  package var method: Method
  /// The tree whose clusters `crisp`, `uniform` and `doge` weight; for other methods, the clusters to report on.
  package var tree: String?
  /// Files of the specialist seed; several files are several tasks.
  package var specialist: [String] = []
  /// One weight per file; nil for equal weights.
  package var specialistWeights: [Double]?
  /// Without a depth, `crisp` uses all levels, and `doge` the deepest one with at most 64 nodes.
  package var mixture = MixtureConfiguration()
  /// Whether to use the depth with the highest held-out likelihood on a split of the specialist seed (`crisp`).
  package var choosesDepth = false
  /// Bootstrap resamples of the seed's documents for intervals of P(c|Ds); 0 for none.
  package var bootstrap = 200
  /// The fraction of the corpus's tokens to keep, for methods that score windows; nil for as many as the run has.
  package var keep: Double?
  /// `dsir`: windows with fewer words are never kept.
  package var minimumWords = 100
  /// `ced`, `doge`: a small model of the corpus.
  package var proxyModel: String?
  /// `ced`: the same model, continued on the seed.
  package var specialistModel: String?
  /// `ced`: tokens of each window to score.
  package var scoreTokens = 1_024
  /// `doge`: steps of the proxy.
  package var proxySteps = 100
  /// `doge`: the rate of the weights. A domain whose gradient equals that of the seed gains e^x per step over an orthogonal one.
  package var weightRate = 0.1
  package var randomSeed: UInt64 = 1
  /// The mixture's file; nil writes nothing.
  package var output: String?
  /// Whether to describe each cluster by its terms.
  package var describesClusters = false

  package init(dataset: String, method: Method = .crisp) { (self.dataset, self.method) = (dataset, method) }

  /// Throws `WeirError` with the name of the first property that is invalid, or that is missing or unused with this method.
  package func validate() throws {
    try validateUse()
    if let weights = specialistWeights {
      guard weights.count == specialist.count, weights.allSatisfy({ $0 >= 0 && $0.isFinite }), weights.reduce(0, +) > 0 else {
        throw WeirError("specialistWeights", "expected \(specialist.count) numbers ≥ 0, at least one of them positive")
      }
    }
    try mixture.validate()
  }

  /// The part of `validate` that a command line can be checked by before anything is read.
  package func validateUse() throws {
    func require(_ condition: Bool, _ property: String, _ reason: String) throws {
      if !condition { throw WeirError(property, reason) }
    }
    let name = method.rawValue
    try require(method == .uniform || !specialist.isEmpty, "specialist", "is missing; method \(name) needs it")
    try require(tree != nil || !method.needsTree, "tree", "is missing; method \(name) needs it")
    try require(proxyModel != nil || !method.needsProxy, "proxyModel", "is missing; method \(name) needs it")
    try require(specialistModel != nil || method != .ced, "specialistModel", "is missing; method \(name) needs it")
    try require(keep == nil || method.scoresWindows, "keep", "applies to dsir, classifier and ced, not to \(name)")
    // Methods other than crisp know one target: the documents of all files together, each counted once.
    try require(
      specialistWeights == nil || method == .crisp, "specialistWeights",
      "apply to crisp, not to \(name); to weight a seed, repeat its documents")
    try require(!choosesDepth || method == .crisp, "depth", "auto applies to crisp, not to \(name)")
    try require(keep.map { $0 > 0 && $0 <= 1 } ?? true, "keep", "must be greater than 0 and at most 1, not \(keep ?? 0)")
    try require((0...100_000).contains(bootstrap), "bootstrap", "must be in 0…100,000, not \(bootstrap)")
    try require((1...1_000_000).contains(proxySteps), "proxySteps", "must be in 1…1,000,000, not \(proxySteps)")
    try require(weightRate > 0 && weightRate <= 1_000, "weightRate", "must be greater than 0 and at most 1,000, not \(weightRate)")
    try require(scoreTokens > 1, "scoreTokens", "must be at least 2, not \(scoreTokens)")
  }
}
