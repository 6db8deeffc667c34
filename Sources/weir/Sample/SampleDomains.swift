import Artifacts
import Loading
import Pipeline
import Primitives
import Sampling
import Storage
import Tokens
import Training

/// DoGE over the nodes of a tree's level: domains weighed by how well their gradients agree with the seed's, in a proxy model that learns
/// from them.
struct SampleDomains {
  let dataset: TokenDataset
  let stored: StoredTree
  let assignment: ClusterAssignment
  let general: GeneralHistogram
  let seeds: SampleSeeds
  let session: Session

  /// Sequences of a domain's batch, and their tokens.
  static let shape = (rows: 4, sequence: 256)
  /// The proxy's learning rate.
  static let proxyRate = 1e-3

  /// [leaves] the weights: each domain's, spread by P(leaf|domain, Dg).
  /// - Parameters:
  ///   - proxy: the model the proxy goes on from.
  ///   - level: whose nodes are the domains.
  ///   - steps: of the proxy.
  ///   - weightRate: of the weights: a domain as good as the target gains e^weightRate a step over one that says nothing.
  ///   - seed: of what is drawn.
  func demand(proxy: String, level: Int, steps: Int, weightRate: Double, seed: UInt64) throws -> [Double] {
    let nodes = stored.tree.nodes(atLevel: level)
    guard nodes.count > 1 else {
      throw WeirError(stored.path, "has one node at level \(level): nothing to weigh", remedy: "name a deeper level with --depth")
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
          uniform: dataset, windows: windows, name: "domain \(domain)", randomSeed: seed, rows: Self.shape.rows, sequence: sequence)
    }
    let target = try DocumentBatches(
      documents: seeds.seeds.flatMap { $0.documents.map { TuningDocument(tokens: $0.tokens) } }, name: "--seed-data",
      rows: Self.shape.rows, sequence: sequence, epochs: 4, randomSeed: seed)
    let shares = general.shares
    var mass = [Double](repeating: 0, count: nodes.count)
    for leaf in domains.indices { mass[domains[leaf]] += shares[leaf] }
    var weights = DomainReweighting(shares: mass, rate: weightRate)
    let model = try GradientAlignment(folder: folder, rows: Self.shape.rows, sequence: sequence, threads: session.threads)
    try session.with("doge") { progress in
      for step in 0..<steps {
        try progress.checkStop()
        let (products, square) = try model.step(
          target: try target.batch(step: step), sources: try loaders.map { try $0?.batch(step: step) }, weights: weights.weights,
          rate: Self.proxyRate)
        weights.update(products: products, square: square)
        progress.update(Double(step + 1), of: Double(steps), unit: "steps")
      }
    }
    let mean = weights.mean
    return domains.indices.map { leaf in
      let domain = domains[leaf]
      return mass[domain] > 0 ? mean[domain] * shares[leaf] / mass[domain] : 0
    }
  }
}
