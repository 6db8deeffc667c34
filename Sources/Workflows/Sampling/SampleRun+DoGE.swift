import Artifacts
import Foundation
import Loading
import Pipeline
import Primitives
import Sampling
import Storage
import Training

extension SampleRun {
  /// DoGE over the nodes of one level of the tree: domains are weighted by the alignment of their gradients with the gradient of the
  /// specialist seed, in a proxy model that trains on them. The weight of a domain is distributed over its leaves by P(leaf|domain, Dg).
  func doge(_ seeds: SpecialistSeeds, _ origin: MixtureOrigin) throws -> Mixture {
    // Rows per batch of a domain, and tokens per row.
    let shape = (rows: 4, sequence: 256), proxyRate = 1e-3
    let clusters = try neededClusters(), tree = clusters.stored.tree, proxy = configuration.proxyModel ?? ""
    // At most as many domains as fit one batch each into a step.
    let level = configuration.mixture.depth ?? (1...max(1, tree.depth)).last { tree.nodes(atLevel: $0).count <= 64 } ?? 1
    let nodes = tree.nodes(atLevel: level)
    guard nodes.count > 1 else {
      throw WeirError(
        clusters.stored.path, "has one node at level \(level), so there are no domains to weight", remedy: "use a deeper level")
    }
    let folder = try ModelFolder.locate(proxy)
    try ModelInitialization.folder(folder).check(dataset: dataset, tokenizer: seeds.tokenizer, place: proxy)
    let sequence = min(shape.sequence, try ModelFolder.configuration(folder).sequence)
    let domains = tree.domains(level: level)
    // Rows of this length are of no further use.
    let temporary = FileManager.default.temporaryDirectory.path + "/weir-rows-\(ProcessInfo.processInfo.processIdentifier)"
    defer { try? Files.remove(temporary) }
    let rows = try DomainRows(
      dataset: dataset.path, tree: clusters.stored, level: level, sequence: sequence, folder: temporary, progress: progress)
    let loaders = try rows.tokens.enumerated().map { domain, tokens in
      guard tokens > 0 else { return nil as PackedLoader? }
      let order = try RowOrder(
        sources: [rows.rows], mixture: rows.mixture(domain: domain), rows: nil, randomSeed: configuration.randomSeed, name: "domain \(domain)")
      return try PackedLoader(order, sources: [rows.rows], rows: shape.rows)
    }
    let target = try DocumentBatches(
      documents: seeds.seeds.flatMap { $0.documents.map(\.ids) }, name: "specialist", rows: shape.rows,
      sequence: sequence, epochs: 4, randomSeed: configuration.randomSeed)
    let shares = clusters.general.shares
    var mass = [Double](repeating: 0, count: nodes.count)
    for leaf in domains.indices { mass[domains[leaf]] += shares[leaf] }
    var weights = DomainReweighting(shares: mass, rate: configuration.weightRate)
    let model = try GradientAlignment(folder: folder, rows: shape.rows, sequence: sequence, threads: threads)
    let progress = progress.phase("doge")
    for step in 0..<configuration.proxySteps {
      try progress.checkStop()
      let (products, square) = try model.step(
        target: try target.batch(step: step), sources: try loaders.map { try $0?.batch(step: step) }, weights: weights.weights,
        rate: proxyRate)
      weights.update(products: products, square: square)
      progress.update(Double(step + 1), of: Double(configuration.proxySteps), unit: "steps")
    }
    let mean = weights.mean
    let demand = domains.indices.map { leaf in
      let domain = domains[leaf]
      return mass[domain] > 0 ? mean[domain] * shares[leaf] / mass[domain] : 0
    }
    var mixture = try Sampler.weighted(
      method: "doge", tree: tree, general: clusters.general, demand: demand, configuration: configuration.mixture, origin: origin)
    mixture.depth = min(level, tree.depth)
    return mixture
  }
}
