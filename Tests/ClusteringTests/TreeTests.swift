import Artifacts
import Clustering
import Foundation
import Kernels
import Primitives
import Storage
import TestSupport
import Testing

private func fit(_ points: [Float], dimensions: Int, arity: Int, depth: Int, minimumLeaf: Int = 4, threads: Int = 2, sample: Int? = nil)
  throws -> ClusterTree
{
  var configuration = TreeFit.Configuration()
  configuration.arity = arity
  configuration.depth = depth
  configuration.minimumLeaf = minimumLeaf
  configuration.sample = sample
  return try TreeFit.run(
    vectors: points, count: points.count / dimensions, dimensions: dimensions, embedder: "e", configuration: configuration,
    pool: ThreadPool(threads: threads))
}

@Suite struct TreeTests {
  @Test func theBranchingIsConsistent() throws {
    let points = planted(2_000, dimensions: 8, centers: 16, noise: 0.4, seed: 2)
    let tree = try fit(points, dimensions: 8, arity: 4, depth: 3, minimumLeaf: 40)
    #expect(tree.depth <= 3 && tree.leafCount > 16)
    #expect(tree.centroids.count == tree.nodes.count * 8)
    for (index, node) in tree.nodes.enumerated() {
      for child in tree.children(of: index) {
        #expect(tree.nodes[child].parent == index && tree.nodes[child].level == node.level + 1)
      }
      #expect((node.leaf >= 0) == (node.childCount == 0))
    }
    #expect(Set(tree.nodes.filter { $0.leaf >= 0 }.map(\.leaf)) == Set(0..<tree.leafCount))
    // Leaves under one node of the first level are consecutive.
    let domains = tree.domains(level: 1)
    #expect(domains == domains.sorted() && Set(domains).count == tree.nodes(atLevel: 1).count)
    #expect(tree.domains(level: 0).allSatisfy { $0 == 0 })
    #expect(
      tree.domains(level: 9)
        == tree.nodes(atLevel: 9).map { tree.nodes[$0].leaf }.enumerated().reduce(into: [Int](repeating: 0, count: tree.leafCount)) {
          $0[$1.element] = $1.offset
        })
  }

  @Test func aNodeOfFewWindowsIsNotSplit() throws {
    let points = planted(50, dimensions: 4, centers: 5, noise: 0.2, seed: 3)
    #expect(try fit(points, dimensions: 4, arity: 64, depth: 2, minimumLeaf: 26).leafCount == 1)
    #expect(try fit(points, dimensions: 4, arity: 64, depth: 1, minimumLeaf: 10).leafCount <= 5)
  }

  @Test func descentIsTheNearestChildAtEveryLevel() throws {
    let points = planted(1_500, dimensions: 6, centers: 30, noise: 0.5, seed: 4)
    let tree = try fit(points, dimensions: 6, arity: 5, depth: 2)
    let leaves = try TreeRouter(tree).leaves(points, pool: ThreadPool(threads: 2))
    for window in 0..<1_500 {
      var node = 0
      while tree.nodes[node].childCount > 0 {
        node =
          tree.children(of: node).max { a, b in
            func dot(_ n: Int) -> Double {
              (0..<6).reduce(0.0) { $0 + Double(points[window * 6 + $1]) * Double(tree.centroids[n * 6 + $1]) }
            }
            return dot(a) < dot(b)
          } ?? node
      }
      #expect(Int(leaves[window]) == tree.nodes[node].leaf)
    }
    // A level above the leaves, and one vector alone.
    let nodes = TreeRouter(tree).nodes(points, count: 1_500, level: 1)
    let domains = tree.domains(level: 1)
    #expect((0..<1_500).allSatisfy { tree.nodes(atLevel: 1)[domains[Int(leaves[$0])]] == Int(nodes[$0]) })
    for window in [0, 9, 1_499] {
      #expect(try TreeRouter(tree).leaves(Array(points[window * 6..<window * 6 + 6])) == [leaves[window]])
    }
  }

  @Test func theSameTreeWhateverTheThreads() throws {
    let points = planted(3_000, dimensions: 8, centers: 40, noise: 0.5, seed: 5)
    let trees = try [1, 2, 3].map { try fit(points, dimensions: 8, arity: 9, depth: 3, minimumLeaf: 5, threads: $0) }
    #expect(trees[0] == trees[1] && trees[1] == trees[2])
    let leaves = try [1, 2, 3].map { try TreeRouter(trees[0]).leaves(points, pool: ThreadPool(threads: $0)) }
    #expect(leaves[0] == leaves[1] && leaves[1] == leaves[2])
  }

  @Test func zeroVectorsAreLeftOutOfTheFitAndAssigned() throws {
    var points = planted(400, dimensions: 5, centers: 4, noise: 0.1, seed: 6)
    let clean = try fit(points, dimensions: 5, arity: 4, depth: 1)
    points += [Float](repeating: 0, count: 50)
    let tree = try fit(points, dimensions: 5, arity: 4, depth: 1)
    #expect(tree == clean)
    #expect(try TreeRouter(tree).leaves([Float](repeating: 0, count: 10)) == [0, 0])
    #expect(throws: WeirError.self) { try fit([Float](repeating: 0, count: 50), dimensions: 5, arity: 4, depth: 1) }
    #expect(throws: WeirError.self) { try TreeRouter(tree).leaves([1, 2, 3]) }
  }

  @Test func aSampleGivesATreeForAll() throws {
    let points = planted(4_000, dimensions: 8, centers: 8, noise: 0.1, seed: 7)
    let tree = try fit(points, dimensions: 8, arity: 8, depth: 1, sample: 400)
    let leaves = try TreeRouter(tree).leaves(points)
    #expect(Set(leaves).count == tree.leafCount)
  }
}

@Suite struct ClusterFiles {
  /// Vectors of a dataset as `weir embed` writes them.
  private func writeVectors(_ points: [Float], dimensions: Int, embedder: String, to path: String) throws -> WindowVectors {
    let output = try AtomicFolder(path)
    _ = try Safetensors.write(
      output.working + "/" + WindowVectors.fileName, floats: [("vectors", [points.count / dimensions, dimensions], points)])
    try Files.createFolder(output.working + "/embedder")
    try Files.createFolder(output.working + "/embedder/tokenizer")
    for name in ["embedder.json", "tokenizer/tokenizer.json"] {
      try Files.write(Array("{}".utf8), to: output.working + "/embedder/" + name)
    }
    _ = try output.commit(
      format: WindowVectors.format, tool: "test", inputs: ["dataset": "d", "embedder": embedder, "tokenizer": "t"],
      configuration: .object([:]), counts: ["windows": points.count / dimensions])
    return try WindowVectors(path)
  }

  /// The copy of the embedder gets checksums of its own, which would hide the damage.
  @Test func aDamagedEmbedderIsNotCopied() throws {
    let base = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: base) }
    let points = planted(100, dimensions: 6, centers: 4, noise: 0.3, seed: 1)
    let vectors = try writeVectors(points, dimensions: 6, embedder: "e", to: base + "/vectors")
    try Files.write(Array("{ }".utf8), to: vectors.path + "/embedder/tokenizer/tokenizer.json")
    let message = errorMessage { _ = try ClusterDataset.fit(vectors, to: base + "/tree", tool: "test", pool: ThreadPool(threads: 1)) }
    #expect(message.contains("embedder/tokenizer/tokenizer.json"), "\(message)")
    #expect(!Files.exists(base + "/tree"))
  }

  @Test func treesAndAssignmentsSurviveTheDisk() throws {
    let base = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: base) }
    let points = planted(1_000, dimensions: 6, centers: 12, noise: 0.3, seed: 1)
    let vectors = try writeVectors(points, dimensions: 6, embedder: "e", to: base + "/vectors")
    #expect(try vectors.vectors(3..<5) == Array(points[18..<30]))
    try vectors.check(dataset: "d", windows: 1_000)
    #expect(throws: WeirError.self) { try vectors.check(dataset: "other", windows: 1_000) }
    let pool = ThreadPool(threads: 2)
    var configuration = TreeFit.Configuration()
    configuration.arity = 4
    configuration.depth = 2
    configuration.minimumLeaf = 5
    let stored = try ClusterDataset.fit(vectors, to: base + "/tree", configuration: configuration, tool: "test", pool: pool)
    let again = try StoredTree(base + "/tree")
    #expect(again.tree == stored.tree && again.fingerprint == stored.fingerprint && again.tokenizer == "t")
    #expect(
      stored.tree
        == (try TreeFit.run(
          vectors: points, count: 1_000, dimensions: 6, embedder: "e", configuration: configuration, pool: pool)))
    #expect(Files.exists(base + "/tree/embedder/embedder.json") && Files.exists(base + "/tree/embedder/tokenizer/tokenizer.json"))
    let assignment = try ClusterDataset.assign(vectors, tree: stored, pool: pool).write(to: base + "/clusters", tool: "test")
    #expect(try ClusterAssignment(folder: base + "/clusters") == assignment)
    try assignment.check(dataset: "d", windows: 1_000)
    let index = assignment.index
    #expect((0..<index.leafCount).reduce(0) { $0 + index.count(of: $1) } == 1_000)
    for leaf in 0..<index.leafCount {
      #expect(Array(index.windows(of: leaf)) == (0..<1_000).filter { assignment.leaves[$0] == leaf }.map { UInt32($0) })
    }
    // Vectors of another embedder are refused.
    let foreign = try writeVectors(points, dimensions: 6, embedder: "f", to: base + "/foreign")
    #expect(throws: WeirError.self) { try ClusterDataset.assign(foreign, tree: stored, pool: pool) }
    #expect(throws: WeirError.self) { try ClusterDataset.fit(vectors, to: base + "/tree", tool: "test", pool: pool) }
  }

  @Test(arguments: [
    #"{"children":[],"dimensions":6,"embedder":"e","format":"weir.cluster-tree.1","spherical":true}"#,
    #"{"children":[3,0,0],"dimensions":6,"embedder":"e","format":"weir.cluster-tree.1","spherical":true}"#,
    #"{"children":[0,0],"dimensions":6,"embedder":"e","format":"weir.cluster-tree.1","spherical":true}"#,
    #"{"children":[-1],"dimensions":6,"embedder":"e","format":"weir.cluster-tree.1","spherical":true}"#,
    #"{"children":[9223372036854775807],"dimensions":6,"embedder":"e","format":"weir.cluster-tree.1","spherical":true}"#,
    #"{"children":[2,0,0],"dimensions":-6,"embedder":"e","format":"weir.cluster-tree.1","spherical":true}"#,
    #"{"children":[2,0,0],"dimensions":6,"embedder":"x","format":"weir.cluster-tree.1","spherical":true}"#,
    "not JSON",
  ]) func aDamagedTreeIsAnError(json: String) throws {
    let base = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: base) }
    let points = planted(100, dimensions: 6, centers: 2, noise: 0.3, seed: 1)
    _ = try StoredTree.write(
      fit(points, dimensions: 6, arity: 2, depth: 1), to: base + "/tree", embedder: nil, inputs: ["tokenizer": "t"],
      configuration: .object([:]), tool: "test")
    try Files.write(Array(json.utf8), to: base + "/tree/tree.json")
    #expect(throws: WeirError.self) { try StoredTree(base + "/tree") }
  }
}
