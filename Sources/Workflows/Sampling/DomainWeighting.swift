import Artifacts
import Loading
import Pipeline
import Primitives
import Sampling
import Tokens
import Training

/// DoGE over the nodes of one level of a tree: domains are weighted by the alignment of their gradients with the gradient of the specialist
/// seed, in a proxy model that trains on them.
struct DomainWeighting {
  let dataset: TokenDataset
  let stored: StoredTree
  let assignment: ClusterAssignment
  let general: GeneralHistogram
  let seeds: SpecialistSeeds
  let threads: Int
  let progress: Progress

  /// Rows per batch of a domain, and tokens per row.
  static let shape = (rows: 4, sequence: 256)
  /// The learning rate of the proxy.
  static let proxyRate = 1e-3

  /// The weight of each leaf: that of its domain, distributed by P(leaf|domain, Dg).
  /// - Parameters:
  ///   - proxy: the initial model.
  ///   - level: the level whose nodes are the domains.
  ///   - steps: training steps of the proxy.
  ///   - weightRate: a domain whose gradient equals the target's gains e^weightRate per step over an orthogonal one.
  /// - Returns: [leaves].
  func demand(proxy: String, level: Int, steps: Int, weightRate: Double, randomSeed: UInt64) throws -> [Double] {
    let nodes = stored.tree.nodes(atLevel: level)
    guard nodes.count > 1 else {
      throw WeirError(stored.path, "has one node at level \(level), so there are no domains to weight", remedy: "use a deeper level")
    }
    let folder = try ModelFolder.locate(proxy)
    try ModelInitialization.folder(folder).check(dataset: dataset, tokenizer: seeds.tokenizer, place: proxy)
    let sequence = min(Self.shape.sequence, try ModelFolder.configuration(folder).sequence)
    let domains = stored.tree.domains(level: level)
    var windows = [[UInt32]](repeating: [], count: nodes.count)
    for (window, leaf) in assignment.leaves.enumerated() { windows[domains[Int(leaf)]].append(UInt32(window)) }
    let loaders = try windows.enumerated().map { domain, windows in
      windows.isEmpty
        ? nil
        : try PackedLoader(
          uniform: dataset, windows: windows, name: "domain \(domain)", randomSeed: randomSeed, rows: Self.shape.rows, sequence: sequence)
    }
    let target = try DocumentBatches(
      documents: seeds.seeds.flatMap { $0.documents.map(\.ids) }, name: "specialist", rows: Self.shape.rows,
      sequence: sequence, epochs: 4, randomSeed: randomSeed)
    let shares = general.shares
    var mass = [Double](repeating: 0, count: nodes.count)
    for leaf in domains.indices { mass[domains[leaf]] += shares[leaf] }
    var weights = DomainReweighting(shares: mass, rate: weightRate)
    let model = try GradientAlignment(folder: folder, rows: Self.shape.rows, sequence: sequence, threads: threads)
    let progress = progress.phase("doge")
    for step in 0..<steps {
      try progress.checkStop()
      let (products, square) = try model.step(
        target: try target.batch(step: step), sources: try loaders.map { try $0?.batch(step: step) }, weights: weights.weights,
        rate: Self.proxyRate)
      weights.update(products: products, square: square)
      progress.update(Double(step + 1), of: Double(steps), unit: "steps")
    }
    let mean = weights.mean
    return domains.indices.map { leaf in
      let domain = domains[leaf]
      return mass[domain] > 0 ? mean[domain] * shares[leaf] / mass[domain] : 0
    }
  }
}
