import Artifacts
import Primitives

/// Builds mixtures: how much of a training run comes from each cluster of the general corpus.
///
/// A weight is the cluster's fraction of the training tokens. The loader samples rows of equal length, so weights and seed histograms both
/// count tokens, and a run of T tokens makes T · weight / tokens epochs over a cluster.
package enum Sampler {
  /// Clustered-importance sampling (Grangier et al., arXiv 2410.03735 §3): c ~ P(c|Ds), then uniformly within the cluster. Back-off along the
  /// tree for small seeds and the cap on epochs are extensions of Weir.
  /// - Parameters:
  ///   - general: the counts of the dataset.
  ///   - seeds: the seeds of a convex combination; their weights are normalized.
  /// - Throws: `WeirError` for counts of another tree, weights that cannot be normalized, or a cap that cannot be met.
  package static func crisp(
    tree: ClusterTree, general: GeneralHistogram, seeds: [(weight: Double, histogram: SpecialistHistogram)],
    configuration: MixtureConfiguration = MixtureConfiguration(), origin: MixtureOrigin
  ) throws -> Mixture {
    try configuration.validate()
    let depth = min(configuration.depth ?? .max, tree.depth)
    let (counted, smoothed) = try demand(tree: tree, general: general, seeds: seeds, configuration: configuration)
    guard zip(smoothed, general.tokens).contains(where: { $0 > 0 && $1 > 0 }) else {
      throw WeirError(
        seeds.map(\.histogram.name).joined(separator: ", "),
        "all its clusters (\(smoothed.count { $0 > 0 }) of \(smoothed.count)) are empty in the dataset",
        remedy: "use fewer levels of the tree, or smoothing, or a dataset with such text")
    }
    return try mixture(
      method: "crisp", mass: TreeMass(tree: tree), demand: smoothed, seed: counted, general: general, depth: depth,
      configuration: configuration, origin: origin)
  }

  /// P(c|Ds) of a convex combination of seeds, as counted and as smoothed along the tree: [leaves], summing to 1.
  static func demand(
    tree: ClusterTree, general: GeneralHistogram, seeds: [(weight: Double, histogram: SpecialistHistogram)],
    configuration: MixtureConfiguration
  ) throws -> (counted: [Double], smoothed: [Double]) {
    let leaves = tree.leafCount
    guard general.tokens.count == leaves else {
      throw WeirError("assignment", "\(general.tokens.count) leaves, the tree has \(leaves)", remedy: "assign the dataset with this tree")
    }
    guard !seeds.isEmpty else { throw WeirError("specialist", "no seed is given") }
    for (weight, histogram) in seeds {
      guard weight >= 0, weight.isFinite else { throw WeirError(histogram.name, "its weight must be a finite number ≥ 0, not \(weight)") }
      guard histogram.tokens.count == leaves else {
        throw WeirError(histogram.name, "\(histogram.tokens.count) leaves, the tree has \(leaves)", remedy: "count it with this tree")
      }
    }
    let sum = seeds.reduce(0.0) { $0 + $1.weight }
    guard sum > 0, sum.isFinite else { throw WeirError("specialistWeights", "sum to \(sum)", remedy: "give at least one positive weight") }
    let mass = TreeMass(tree: tree)
    let depth = min(configuration.depth ?? .max, tree.depth)
    let shares = general.shares
    var counted = [Double](repeating: 0, count: leaves)
    var result = counted
    for (weight, histogram) in seeds where weight > 0 {
      // Scaled to sum to the number of windows, which is the unit of the pseudo-count.
      let own = histogram.shares
      let windows = Double(histogram.totalWindows)
      let smoothed = mass.backOff(seed: own.map { $0 * windows }, general: shares, pseudo: configuration.smoothing, depth: depth)
      for leaf in 0..<leaves {
        counted[leaf] += weight / sum * own[leaf]
        result[leaf] += weight / sum * smoothed[leaf]
      }
    }
    return (counted, result)
  }

  /// The general corpus as it is: P(c|Dg), uniform over tokens.
  /// - Parameter tree: the tree of the histogram; nil for clusters without a tree.
  package static func uniform(
    tree: ClusterTree? = nil, general: GeneralHistogram, configuration: MixtureConfiguration = MixtureConfiguration(), origin: MixtureOrigin
  ) throws -> Mixture {
    try configuration.validate()
    if let tree, tree.leafCount != general.tokens.count {
      throw WeirError(
        "assignment", "\(general.tokens.count) leaves, the tree has \(tree.leafCount)", remedy: "assign the dataset with this tree")
    }
    let tree = tree ?? flat(general.tokens.count)
    return try mixture(
      method: "uniform", mass: TreeMass(tree: tree), demand: general.shares, seed: general.shares, general: general,
      depth: tree.depth, configuration: configuration, origin: origin)
  }

  /// Any distribution over the leaves, under the same cap.
  /// - Parameters:
  ///   - method: the name of the method in the mixture.
  ///   - tree: the tree of the histogram; nil for clusters without a tree.
  ///   - demand: [leaves] numbers ≥ 0, which are normalized.
  package static func weighted(
    method: String, tree: ClusterTree? = nil, general: GeneralHistogram, demand: [Double],
    configuration: MixtureConfiguration = MixtureConfiguration(), origin: MixtureOrigin
  ) throws -> Mixture {
    try configuration.validate()
    let sum = demand.reduce(0, +)
    guard demand.count == general.tokens.count, demand.allSatisfy({ $0 >= 0 }), sum > 0, sum.isFinite else {
      throw WeirError(method, "expected one weight ≥ 0 per cluster, with a positive sum")
    }
    let tree = tree ?? flat(general.tokens.count)
    guard tree.leafCount == demand.count else { throw WeirError(method, "\(demand.count) weights, the tree has \(tree.leafCount) leaves") }
    let share = demand.map { $0 / sum }
    return try mixture(
      method: method, mass: TreeMass(tree: tree), demand: share, seed: share, general: general, depth: tree.depth,
      configuration: configuration, origin: origin)
  }

  /// A root with `leaves` leaves, or a lone root.
  private static func flat(_ leaves: Int) -> ClusterTree {
    var nodes = [ClusterTree.Node(parent: -1, level: 0, firstChild: 0, childCount: 0, leaf: -1)]
    if leaves > 1 {
      nodes[0].firstChild = 1
      nodes[0].childCount = leaves
      for _ in 0..<leaves { nodes.append(ClusterTree.Node(parent: 0, level: 1, firstChild: 0, childCount: 0, leaf: -1)) }
    }
    var tree = ClusterTree(embedder: "", dimensions: 0, spherical: false, nodes: nodes, centroids: [])
    tree.numberLeaves()
    return tree
  }

  private static func mixture(
    method: String, mass: TreeMass, demand: [Double], seed: [Double], general: GeneralHistogram, depth: Int,
    configuration: MixtureConfiguration, origin: MixtureOrigin
  ) throws -> Mixture {
    let total = general.totalTokens
    guard total > 0 else { throw WeirError("dataset", "contains no tokens") }
    let run = configuration.runTokens ?? total
    let capacity = try capacities(general, run: run, cap: configuration.maxEpochs)
    var weights = mass.place(demand: demand, capacity: capacity)
    let sum = weights.reduce(0, +)
    guard sum > 0, sum.isFinite else { throw WeirError("specialist", "no cluster of the seed has text in the dataset") }
    // Rounding can leave a tiny cluster above its capacity; clipping it does not change the sum noticeably.
    weights = zip(weights, capacity).map { min($0 / sum, $1) }
    let moved = zip(weights, demand).reduce(0.0) { $0 + ($1.0 - $1.1).magnitude } / 2
    var concentration = 0.0
    var clusters: [Mixture.Cluster] = []
    let shares = general.shares
    for leaf in weights.indices {
      let epochs = weights[leaf] > 0 ? weights[leaf] / Double(general.tokens[leaf]) * Double(run) : 0
      if weights[leaf] > 0 { concentration += weights[leaf] * weights[leaf] / Double(max(1, general.windows[leaf])) }
      clusters.append(
        Mixture.Cluster(
          leaf: leaf, general: shares[leaf], seed: seed[leaf], weight: weights[leaf], windows: general.windows[leaf],
          tokens: general.tokens[leaf], epochs: epochs))
    }
    return Mixture(
      method: method, dataset: origin.dataset, tree: origin.tree, assignment: origin.assignment, seedData: origin.seedData, depth: depth,
      smoothing: configuration.smoothing, maxEpochs: configuration.maxEpochs, runTokens: run, moved: moved < 1e-12 ? 0 : moved,
      effectiveSampleSize: 1 / concentration, clusters: clusters)
  }

  /// [leaves] the largest weight under the cap: 0 for an empty cluster, infinite without a cap.
  private static func capacities(_ general: GeneralHistogram, run: Int, cap: Double?) throws -> [Double] {
    guard let cap else { return general.tokens.map { $0 > 0 ? .infinity : 0 } }
    let needed = Double(run) / Double(general.totalTokens)
    // A cap equal to the epochs that the run needs is feasible despite rounding.
    guard cap >= needed * (1 - 1e-12) else {
      throw WeirError(
        "maxEpochs",
        "\(cap) epochs over the dataset's \(general.totalTokens) tokens are \(Int(cap * Double(general.totalTokens))) tokens, fewer than the run's \(run)",
        remedy: "allow at least \((needed * 1_000).rounded(.up) / 1_000) epochs, or run fewer tokens")
    }
    return general.tokens.map { max(cap, needed) * (Double($0) / Double(run)) }
  }
}
