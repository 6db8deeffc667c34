import Artifacts
import Primitives
import Storage
import TestSupport
import Testing

private func mixture() -> Mixture {
  Mixture(
    method: "crisp", dataset: "d", tree: "t", assignment: "a", seedData: "s", depth: 2, smoothing: 1, maxEpochs: 4, runTokens: 1_000,
    moved: 0, effectiveSampleSize: 12,
    clusters: [0.5, 0.25, 0.25].enumerated().map { leaf, weight in
      Mixture.Cluster(leaf: leaf, general: weight, seed: weight, weight: weight, windows: 4, tokens: 100, epochs: 10 * weight)
    })
}

@Test func impossibleMixturesAreRefused() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/m.json"
    try mixture().write(to: path)
    #expect(try Mixture.read(from: path) == mixture())
    let changes: [(String, (inout Mixture) -> Void)] = [
      ("tree", { $0.tree = "../../x" }), ("dataset", { $0.dataset = "a/b" }), ("assignment", { $0.assignment = "a b" }),
      ("source", { $0.source = ".." }), ("runTokens", { $0.runTokens = -1 }), ("epochs", { $0.clusters[0].epochs = 1e308 }),
      ("epochs", { $0.clusters[0].epochs = -1 }),
      ("method", { $0.method = "crips" }), ("seedLow", { ($0.clusters[1].seedLow, $0.clusters[1].seedHigh) = (0.5, 0.25) }),
      ("depth", { $0.depth = 1 << 40 }), ("smoothing", { $0.smoothing = -1 }),
      ("maxEpochs", { $0.maxEpochs = 0 }), ("moved", { $0.moved = 7 }), ("effectiveSampleSize", { $0.effectiveSampleSize = -1 }),
      ("cluster 1", { $0.clusters[1].tokens = -5 }), ("cluster 1", { $0.clusters[1].seed = 2 }), ("cluster 2", { $0.clusters[2].leaf = 1 }),
      ("weights", { $0.clusters[2].weight = 0.5 }), ("general", { $0.clusters[2].general = 0.5 }), ("resamples", { $0.resamples = -1 }),
      ("seeds", { $0.seeds = [Mixture.Seed(name: "s", fingerprint: "f", weight: 0.5, documents: 1, windows: 1, tokens: 1)] }),
    ]
    for (name, change) in changes {
      var wrong = mixture()
      change(&wrong)
      try wrong.write(to: path)
      #expect(errorMessage { _ = try Mixture.read(from: path) }.contains(name), "\(name)")
    }
    #expect(mixture().contradictions == [])
    for change: (inout Mixture) -> Void in [{ $0.clusters[0].epochs *= 1.01 }, { $0.clusters[0].tokens = 0 }] {
      var wrong = mixture()
      change(&wrong)
      #expect(wrong.problems == [] && wrong.contradictions.count == 1)
    }
    // A changed digit is found, and a file of an earlier version, without a seal, is read.
    try mixture().write(to: path)
    let text = String(decoding: try Files.read(path), as: UTF8.self)
    try Files.write(Array(text.replacing("1000", with: "1001").utf8), to: path)
    #expect(errorMessage { _ = try Mixture.read(from: path) }.contains("was changed"))
    try JSONFile.write(mixture(), to: path)
    #expect(try Mixture.read(from: path) == mixture())
  }
}

@Test func impossibleTreesAreRefused() throws {
  try withTemporaryFolder { folder in
    func write(_ children: [Int], bad: Float? = nil) throws -> StoredTree {
      var nodes = [ClusterTree.Node(parent: -1, level: 0, firstChild: 0, childCount: 0, leaf: -1)]
      for (node, count) in children.enumerated() {
        (nodes[node].childCount, nodes[node].firstChild) = (count, count > 0 ? nodes.count : 0)
        for _ in 0..<count {
          nodes.append(ClusterTree.Node(parent: node, level: nodes[node].level + 1, firstChild: 0, childCount: 0, leaf: -1))
        }
      }
      var tree = ClusterTree(
        embedder: "e", dimensions: 2, spherical: false, nodes: nodes, centroids: [Float](repeating: 1, count: 2 * nodes.count))
      if let bad { tree.centroids[3] = bad }
      tree.numberLeaves()
      return try StoredTree.write(
        tree, to: folder + "/tree", replacing: true, embedder: nil, inputs: ["tokenizer": "t"], configuration: .object([:]), tool: "test")
    }
    let leaves = try write([2, 0, 0]).tree.leafCount
    #expect(leaves == 2)
    for bad in [Float.nan, .infinity, -.infinity, 1e30] {
      #expect(errorMessage { _ = try write([2, 0, 0], bad: bad) }.contains("the centroid of node 1 contains"))
    }
    #expect(errorMessage { _ = try write([Int](repeating: 1, count: 2_000) + [0]) }.contains("more than 64 levels"))
  }
}
