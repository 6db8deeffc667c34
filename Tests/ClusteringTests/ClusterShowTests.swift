import Artifacts
import Clustering
import Primitives
import Testing

/// A root with two leaves.
private func twoLeaves() -> ClusterTree {
  var nodes = [ClusterTree.Node(parent: -1, level: 0, firstChild: 1, childCount: 2, leaf: -1)]
  for _ in 0..<2 { nodes.append(ClusterTree.Node(parent: 0, level: 1, firstChild: 0, childCount: 0, leaf: -1)) }
  var tree = ClusterTree(embedder: "e", dimensions: 2, spherical: true, nodes: nodes, centroids: [0, 0, 1, 0, 0, 1])
  tree.numberLeaves()
  return tree
}

@Suite struct ClusterShowTests {
  @Test func wordsSizesAndLabels() throws {
    let texts = [
      "The star and the galaxy shine", "A galaxy, the STAR of the night", "the telescope sees the star",
      "The cake needs sugar", "the sugar and the flour", "the oven bakes the cake with sugar",
    ]
    let assignment = ClusterAssignment(dataset: "d", tree: "t", leafCount: 2, leaves: [0, 0, 0, 1, 1, 1])
    let labels = ["sky", "sky", nil, "food", "sky", "food"]
    let report = try ClusterShow.report(
      tree: twoLeaves(), assignment: assignment, lengths: [10, 10, 20, 20, 20, 20], text: { Array(texts[$0].utf8) },
      label: { labels[$0] })
    #expect(report.nodes.count == 3 && report.windows == 6 && report.tokens == 100)
    #expect(report.nodes[1].share == 0.4 && report.nodes[2].windows == 3)
    #expect(report.nodes[1].terms.first?.word == "star")
    #expect(report.nodes[2].terms.first?.word == "sugar")
    // A word that is everywhere tells nothing.
    #expect(!report.nodes[1].terms.contains { $0.word == "the" })
    #expect(report.nodes[1].purity == 1 && report.nodes[2].labels.first?.label == "food" && report.nodes[2].labels.first?.windows == 2)
    #expect(report.labelled == 5 && report.purity == 0.8)
  }

  @Test(
    arguments: [
      ([0, 0, 1, 1], ["a", "a", "b", "b"], 1.0), ([0, 1, 0, 1], ["a", "a", "b", "b"], 0.0), ([0, 0, 0, 0], ["a", "a", "a", "a"], 1.0),
    ] as [([UInt32], [String], Double)]) func mutualInformation(leaves: [UInt32], labels: [String], expected: Double) throws
  {
    let assignment = ClusterAssignment(dataset: "d", tree: "t", leafCount: 2, leaves: leaves)
    let report = try ClusterShow.report(tree: twoLeaves(), assignment: assignment, lengths: [1, 1, 1, 1], label: { labels[$0] })
    #expect(((report.mutualInformation ?? -1) - expected).magnitude < 1e-12)
  }

  @Test func partsThatDoNotBelongTogetherAreRefused() {
    let assignment = ClusterAssignment(dataset: "d", tree: "t", leafCount: 3, leaves: [0, 1])
    #expect(throws: WeirError.self) { try ClusterShow.report(tree: twoLeaves(), assignment: assignment, lengths: [1, 1]) }
  }

  @Test func foreignAlphabetsHaveWords() throws {
    let assignment = ClusterAssignment(dataset: "d", tree: "t", leafCount: 2, leaves: [0, 0, 1, 1])
    let texts = ["звезда и звезда", "звезда x", "мука да", "мука"]
    let report = try ClusterShow.report(
      tree: twoLeaves(), assignment: assignment, lengths: [1, 1, 1, 1], text: { Array(texts[$0].utf8) })
    #expect(report.nodes[1].terms.first?.word == "звезда" && report.nodes[2].terms.first?.word == "мука")
  }
}
