import Artifacts
import Primitives
import Sampling
import Testing

/// A tree whose inner nodes have the given numbers of children, level by level.
func makeTree(_ arities: [Int]) -> ClusterTree {
  var nodes = [ClusterTree.Node(parent: -1, level: 0, firstChild: 0, childCount: 0, leaf: -1)]
  var level = [0]
  for (depth, arity) in arities.enumerated() {
    var next: [Int] = []
    for node in level {
      nodes[node].firstChild = nodes.count
      nodes[node].childCount = arity
      for _ in 0..<arity {
        next.append(nodes.count)
        nodes.append(ClusterTree.Node(parent: node, level: depth + 1, firstChild: 0, childCount: 0, leaf: -1))
      }
    }
    level = next
  }
  var tree = ClusterTree(embedder: "e", dimensions: 1, spherical: false, nodes: nodes, centroids: [Float](repeating: 0, count: nodes.count))
  tree.numberLeaves()
  return tree
}

private let origin = MixtureOrigin(dataset: "d", tree: "t", assignment: "a", seedData: "s")

private func close(_ a: Double, _ b: Double, _ tolerance: Double = 1e-12) -> Bool { (a - b).magnitude <= tolerance }

@Suite struct CRISPByHand {
  @Test func theHistogramIsCountedInTokens() throws {
    let tree = makeTree([3])
    let general = try GeneralHistogram(leaves: [0, 0, 1, 2], lengths: [10, 30, 40, 20], leafCount: 3)
    #expect(general.windows == [2, 1, 1])
    #expect(general.tokens == [40, 40, 20])
    let seed = try SpecialistHistogram(
      name: "s", leaves: [0, 2, 2, 1], lengths: [5, 10, 5, 7], hasFeatures: [true, true, true, false], leafCount: 3)
    #expect(seed.tokens == [5, 0, 15])
    #expect(seed.skipped == 1)
    var configuration = MixtureConfiguration()
    configuration.runTokens = 200
    let mixture = try Sampler.crisp(tree: tree, general: general, seeds: [(1, seed)], configuration: configuration, origin: origin)
    #expect(mixture.clusters.map(\.weight) == [0.25, 0, 0.75])
    #expect(mixture.clusters.map(\.general) == [0.4, 0.4, 0.2])
    #expect(close(mixture.clusters[0].epochs, 200 * 0.25 / 40))
    #expect(close(mixture.clusters[2].epochs, 200 * 0.75 / 20))
    #expect(close(mixture.effectiveSampleSize, 1 / (0.0625 / 2 + 0.5625 / 1)))
    #expect(mixture.moved == 0)
    let report = MixtureReport(mixture)
    #expect(report.rows.map(\.leaf) == [2, 0])
    #expect(close(report.rows[0].importance, 3.75))
    #expect(report.largestEpochsLeaf == 2)
  }

  /// Two inner nodes with two leaves each; seed windows 3, 1 | 0, 0; m = 2; the general corpus 1, 3 | 2, 2 (in eighths).
  @Test func backOffFollowsTheTree() throws {
    let tree = makeTree([2, 2])
    let general = try GeneralHistogram(windows: [1, 3, 2, 2], tokens: [100, 300, 200, 200])
    let seed = try SpecialistHistogram(name: "s", windows: [3, 1, 0, 0], tokens: [30, 10, 0, 0])
    var configuration = MixtureConfiguration()
    configuration.smoothing = 2
    let mixture = try Sampler.crisp(tree: tree, general: general, seeds: [(1, seed)], configuration: configuration, origin: origin)
    // Level 1: (4 + 2/2)/6 and (0 + 2/2)/6. Level 2, left: (3 + 2/4)/6 and (1 + 2·3/4)/6; right: no count, halves.
    let expected = [5.0 / 6 * 3.5 / 6, 5.0 / 6 * 2.5 / 6, 1.0 / 12, 1.0 / 12]
    for (cluster, value) in zip(mixture.clusters, expected) { #expect(close(cluster.weight, value)) }
  }

  @Test func aPrefixOfTheTreeSpreadsByTheGeneralCorpus() throws {
    let tree = makeTree([2, 2])
    let general = try GeneralHistogram(windows: [1, 3, 2, 2], tokens: [100, 300, 200, 200])
    let seed = try SpecialistHistogram(name: "s", windows: [3, 0, 0, 1], tokens: [30, 0, 0, 10])
    var configuration = MixtureConfiguration()
    configuration.depth = 1
    let mixture = try Sampler.crisp(tree: tree, general: general, seeds: [(1, seed)], configuration: configuration, origin: origin)
    for (cluster, value) in zip(mixture.clusters, [0.75 / 4, 0.75 * 3 / 4, 0.125, 0.125]) { #expect(close(cluster.weight, value)) }
    configuration.depth = 0
    let root = try Sampler.crisp(tree: tree, general: general, seeds: [(1, seed)], configuration: configuration, origin: origin)
    for cluster in root.clusters { #expect(close(cluster.weight, cluster.general)) }
  }

  /// The left leaf wants everything; a cap of one epoch fills it, then its sibling, then the other side by room.
  @Test func theCapOverflowsToSiblingsThenUp() throws {
    let tree = makeTree([2, 2])
    let general = try GeneralHistogram(windows: [1, 1, 1, 3], tokens: [100, 100, 100, 300])
    let seed = try SpecialistHistogram(name: "s", windows: [5, 0, 0, 0], tokens: [50, 0, 0, 0])
    var configuration = MixtureConfiguration()
    configuration.maxEpochs = 1
    configuration.runTokens = 150
    let half = try Sampler.crisp(tree: tree, general: general, seeds: [(1, seed)], configuration: configuration, origin: origin)
    for (cluster, value) in zip(half.clusters, [2.0 / 3, 1.0 / 3, 0, 0]) { #expect(close(cluster.weight, value)) }
    #expect(close(half.moved, 1.0 / 3))
    configuration.runTokens = 400
    let up = try Sampler.crisp(tree: tree, general: general, seeds: [(1, seed)], configuration: configuration, origin: origin)
    for (cluster, value) in zip(up.clusters, [0.25, 0.25, 0.125, 0.375]) { #expect(close(cluster.weight, value)) }
    configuration.runTokens = 600
    let full = try Sampler.crisp(tree: tree, general: general, seeds: [(1, seed)], configuration: configuration, origin: origin)
    for cluster in full.clusters { #expect(close(cluster.epochs, 1)) }
    configuration.runTokens = 601
    #expect(throws: WeirError.self) {
      try Sampler.crisp(tree: tree, general: general, seeds: [(1, seed)], configuration: configuration, origin: origin)
    }
  }

  @Test func severalSeedsAreAConvexCombination() throws {
    let tree = makeTree([2])
    let general = try GeneralHistogram(windows: [1, 1], tokens: [10, 10])
    let left = try SpecialistHistogram(name: "l", windows: [1, 0], tokens: [7, 0])
    let right = try SpecialistHistogram(name: "r", windows: [0, 9], tokens: [0, 900])
    let mixture = try Sampler.crisp(tree: tree, general: general, seeds: [(3, left), (1, right), (0, right)], origin: origin)
    #expect(mixture.clusters.map(\.weight) == [0.75, 0.25])
    #expect(throws: WeirError.self) { try Sampler.crisp(tree: tree, general: general, seeds: [(0, left)], origin: origin) }
    #expect(throws: WeirError.self) { try Sampler.crisp(tree: tree, general: general, seeds: [(-1, left), (2, right)], origin: origin) }
    #expect(throws: WeirError.self) { try Sampler.crisp(tree: tree, general: general, seeds: [(.nan, left)], origin: origin) }
  }

  @Test func uniformIsTheGeneralCorpus() throws {
    let general = try GeneralHistogram(windows: [1, 2, 0], tokens: [10, 30, 0])
    let mixture = try Sampler.uniform(general: general, origin: origin)
    #expect(mixture.clusters.map(\.weight) == [0.25, 0.75, 0])
    #expect(mixture.clusters.map(\.epochs) == [1, 1, 0])
    let one = try Sampler.uniform(general: GeneralHistogram(windows: 4, tokens: 99), origin: origin)
    #expect(one.clusters.map(\.weight) == [1])
  }

  @Test func aSeedWithoutWordsIsAnError() {
    #expect(throws: WeirError.self) {
      try SpecialistHistogram(name: "s", leaves: [0, 1], lengths: [3, 4], hasFeatures: [false, false], leafCount: 2)
    }
    #expect(throws: WeirError.self) { try SpecialistHistogram(name: "s", leaves: [], lengths: [], leafCount: 2) }
    #expect(throws: WeirError.self) { try SpecialistHistogram(name: "s", leaves: [2], lengths: [1], leafCount: 2) }
  }

  @Test func massNeverLandsOnAnEmptyCluster() throws {
    let tree = makeTree([2, 2])
    let general = try GeneralHistogram(windows: [0, 2, 1, 1], tokens: [0, 20, 10, 10])
    let seed = try SpecialistHistogram(name: "s", windows: [3, 0, 0, 1], tokens: [30, 0, 0, 10])
    let mixture = try Sampler.crisp(tree: tree, general: general, seeds: [(1, seed)], origin: origin)
    for (cluster, value) in zip(mixture.clusters, [0, 0.75, 0, 0.25]) { #expect(close(cluster.weight, value)) }
    #expect(close(mixture.moved, 0.75))
  }

  @Test func depthScoresPreferTheLevelThatTellsTheSeedApart() throws {
    let tree = makeTree([2, 4])
    let general = try GeneralHistogram(windows: [Int](repeating: 10, count: 8), tokens: [Int](repeating: 1_000, count: 8))
    let flat = (0..<200).map { UInt32($0 % 8) }
    let sharp = [UInt32](repeating: 5, count: 200)
    let documents = Array(0..<200)
    let none = try DepthScore.scores(tree: tree, general: general, leaves: flat, documents: documents, smoothing: 1, randomSeed: 3)
    let much = try DepthScore.scores(tree: tree, general: general, leaves: sharp, documents: documents, smoothing: 1, randomSeed: 3)
    #expect(none.count == 3 && much.count == 3)
    #expect(none.allSatisfy { $0.gain.magnitude < 0.1 })
    #expect(much[0].gain.magnitude < 1e-9 && much[1].gain > 0.5 && much[2].gain > much[1].gain + 1)
    // Four documents with a leaf of their own each, all below one node: what another document says of theirs is the node, not the leaf.
    let own = (0..<200).map { UInt32(4 + $0 / 50) }
    let alone = try DepthScore.scores(
      tree: tree, general: general, leaves: own, documents: (0..<200).map { $0 / 50 }, smoothing: 1, randomSeed: 3)
    #expect(alone[1].gain > 0.5 && alone[2].gain < alone[1].gain)
    let one = try DepthScore.scores(
      tree: tree, general: general, leaves: own, documents: [Int](repeating: 7, count: 200), smoothing: 1, randomSeed: 3)
    #expect(one[1].gain > 0.5 && one[2].gain > one[1].gain - 0.1)
  }
}

@Suite struct SamplerProperties {
  @Test(arguments: 0..<60) func weightsAreADistributionWithinTheCap(seed: Int) throws {
    var random = SequentialRandom(seed: UInt64(seed), stream: 7)
    let shapes = [[1], [5], [3, 4], [2, 2, 3], [64]]
    let tree = makeTree(shapes[seed % shapes.count])
    let leaves = tree.leafCount
    // Sizes over nine orders of magnitude, some empty; seeds on few leaves.
    var windows = (0..<leaves).map { _ in Int.random(in: 0...5, using: &random) == 0 ? 0 : Int.random(in: 1...1_000, using: &random) }
    var tokens = windows.map { $0 * [1, 1_000, 1_000_000].randomElement(using: &random)! }
    if tokens.allSatisfy({ $0 == 0 }) { (windows[0], tokens[0]) = (1, 1) }
    let general = try GeneralHistogram(windows: windows, tokens: tokens)
    var hits = (0..<leaves).map { _ in Int.random(in: 0...3, using: &random) == 0 ? Int.random(in: 1...1_000_000, using: &random) : 0 }
    if !zip(hits, tokens).contains(where: { $0 > 0 && $1 > 0 }) { hits[tokens.firstIndex { $0 > 0 } ?? 0] = 1 }
    let histogram = try SpecialistHistogram(name: "s", windows: hits.map { min($0, 1 + $0 / 700) }, tokens: hits)
    var configuration = MixtureConfiguration()
    configuration.smoothing = [0, 1e-9, 1, 1e9][seed % 4]
    configuration.depth = seed % 3 == 0 ? seed % 5 : nil
    configuration.runTokens = Int.random(in: 1...3 * general.totalTokens, using: &random)
    let needed = Double(configuration.runTokens!) / Double(general.totalTokens)
    for cap in [nil, needed, needed * 1.0001, needed * 3, needed * 1e6] as [Double?] {
      configuration.maxEpochs = cap
      let mixture = try Sampler.crisp(
        tree: tree, general: general, seeds: [(1, histogram), (1e-12, histogram)], configuration: configuration, origin: origin)
      #expect((mixture.clusters.reduce(0) { $0 + $1.weight } - 1).magnitude < 1e-12)
      for cluster in mixture.clusters {
        #expect(cluster.weight >= 0 && cluster.weight.isFinite)
        #expect(cluster.tokens > 0 || cluster.weight == 0)
        if let cap { #expect(cluster.epochs <= cap * (1 + 1e-9)) }
      }
      #expect(mixture.moved >= 0 && mixture.moved <= 1 + 1e-12)
      #expect(mixture.effectiveSampleSize > 0 && mixture.effectiveSampleSize <= Double(general.windows.reduce(0, +)) + 1e-6)
    }
    configuration.maxEpochs = needed * 0.999
    #expect(throws: WeirError.self) {
      try Sampler.crisp(tree: tree, general: general, seeds: [(1, histogram)], configuration: configuration, origin: origin)
    }
  }

  @Test(arguments: 0..<20) func withoutSmoothingItIsThePaper(seed: Int) throws {
    var random = SequentialRandom(seed: UInt64(seed), stream: 8)
    let tree = makeTree([4, 5])
    let general = try GeneralHistogram(
      windows: (0..<20).map { _ in Int.random(in: 1...50, using: &random) },
      tokens: (0..<20).map { _ in Int.random(in: 100...999, using: &random) })
    let leaves = (0..<40).map { _ in UInt32.random(in: 0..<20, using: &random) }
    let histogram = try SpecialistHistogram(name: "s", leaves: leaves, lengths: [Int](repeating: 1_024, count: 40), leafCount: 20)
    let mixture = try Sampler.crisp(tree: tree, general: general, seeds: [(1, histogram)], origin: origin)
    for cluster in mixture.clusters {
      #expect(close(cluster.weight, Double(leaves.count { $0 == UInt32(cluster.leaf) }) / 40))
    }
  }
}
