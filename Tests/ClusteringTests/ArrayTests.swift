import Artifacts
import Clustering
import Foundation
import Kernels
import Primitives
import Storage
import TestSupport
import Testing

@Suite struct ArrayTests {
  private let base = temporaryPath()

  /// A float32 matrix as numpy.save writes it.
  private func write(_ values: [Float], columns: Int, to name: String, type: String = "<f4", cut: Int = 0) throws -> String {
    var text = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': (\(values.count / columns), \(columns)), }".utf8)
    text += [UInt8](repeating: 0x20, count: 63 - (10 + text.count) % 64) + [0x0A]
    let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count), 0] + text + values.withUnsafeBytes { Array($0) }
    try Files.createFolder(base)
    try Files.write(Array(bytes.dropLast(cut)), to: base + "/" + name)
    return base + "/" + name
  }

  private func fit(_ path: String, arity: Int) throws -> StoredTree {
    var configuration = TreeFit.Configuration()
    configuration.arity = arity
    configuration.depth = 1
    configuration.minimumLeaf = 1
    return try ClusterDataset.fit(
      WindowVectors(array: path, name: "external"), to: base + "/tree", replacing: true, configuration: configuration, tool: "test",
      pool: ThreadPool(threads: 2))
  }

  @Test func vectorsOfNoDataset() throws {
    defer { try? FileManager.default.removeItem(atPath: base) }
    let points = planted(300, dimensions: 6, centers: 5, noise: 0.2, seed: 2)
    let path = try write(points, columns: 6, to: "a.npy")
    let tree = try fit(path, arity: 5)
    let assignment = try ClusterDataset.assign(WindowVectors(array: path, name: "external"), tree: tree, pool: ThreadPool(threads: 1))
    #expect(tree.tree.leafCount == 5 && assignment.leaves.count == 300)
    // Vectors of another dimension, or from another hand.
    let narrow = try WindowVectors(array: write(points, columns: 3, to: "b.npy"), name: "external")
    #expect(
      errorMessage { _ = try ClusterDataset.assign(narrow, tree: tree, pool: ThreadPool(threads: 1)) }
        .contains("has vectors of 3 dimensions, the tree \(base)/tree was fitted on 6"))
    let foreign = try WindowVectors(array: path, name: "other")
    #expect(errorMessage { _ = try ClusterDataset.assign(foreign, tree: tree, pool: ThreadPool(threads: 1)) }.contains("another embedder"))
  }

  @Test(arguments: [(Float.nan, "vector 7 contains NaN/Inf"), (.infinity, "NaN/Inf"), (1e20, "has a norm above 1e15")])
  func numbersThatCannotBeCompared(value: Float, expected: String) throws {
    defer { try? FileManager.default.removeItem(atPath: base) }
    var points = planted(100, dimensions: 4, centers: 3, noise: 0.2, seed: 2)
    let tree = try fit(write(points, columns: 4, to: "a.npy"), arity: 3)
    points[7 * 4 + 2] = value
    let path = try write(points, columns: 4, to: "b.npy")
    #expect(errorMessage { _ = try fit(path, arity: 3) }.contains(expected))
    let vectors = try WindowVectors(array: path, name: "external")
    #expect(errorMessage { _ = try ClusterDataset.assign(vectors, tree: tree, pool: ThreadPool(threads: 1)) }.contains(expected))
  }

  @Test func moreClustersThanDistinctPoints() throws {
    defer { try? FileManager.default.removeItem(atPath: base) }
    let points = planted(4, dimensions: 5, centers: 4, noise: 0.1, seed: 1)
    let path = try write((0..<50).flatMap { _ in points }, columns: 5, to: "a.npy")
    #expect(errorMessage { _ = try fit(path, arity: 9) }.contains("9 clusters were requested, but there are only 4 distinct vectors"))
    #expect(try fit(path, arity: 4).tree.leafCount == 4)
    // Clusters that are empty when the iterations end are another matter.
    var configuration = TreeFit.Configuration()
    (configuration.arity, configuration.minimumLeaf, configuration.kMeans.iterations) = (200, 1, 1)
    let noise = planted(600, dimensions: 12, centers: 600, noise: 1, seed: 4)
    let tree = try TreeFit.run(
      vectors: noise, count: 600, dimensions: 12, embedder: "e", configuration: configuration, pool: ThreadPool(threads: 2))
    #expect(tree.leafCount > 150 && tree.leafCount <= 200)
  }

  @Test func arraysThatAreNone() throws {
    defer { try? FileManager.default.removeItem(atPath: base) }
    let points = planted(20, dimensions: 4, centers: 2, noise: 0.1, seed: 1)
    for (path, expected) in [
      (try write(points, columns: 4, to: "a.npy", cut: 3), "20 vectors of 4 numbers do not fit"),
      (try write(points, columns: 4, to: "b.npy", cut: 400), "ends within its header"),
      (try write(points, columns: 4, to: "c.npy", cut: 440), "is not a NumPy array"),
      (try write(points, columns: 4, to: "d.npy", type: "<f8"), "is not a row-major float32 array of two dimensions"),
    ] {
      #expect(errorMessage { _ = try WindowVectors(array: path, name: "external") }.contains(expected))
    }
    let empty = try write([], columns: 4, to: "e.npy")
    #expect(errorMessage { _ = try fit(empty, arity: 2) }.contains("contains no vectors"))
  }
}
