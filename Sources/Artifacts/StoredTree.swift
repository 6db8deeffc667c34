import Primitives
import Storage

/// A cluster tree on disk: `tree.json` (how it branches), `centroids.safetensors`, the embedder in `embedder/`, and a manifest. With a
/// tokenizer, the folder is all that is needed to assign new documents.
package struct StoredTree: Sendable {
  /// The format's name in the manifest.
  package static let format = "weir.cluster-tree.1"
  /// The embedder's folder in the tree's.
  package static let embedderFolder = "embedder"

  /// The folder.
  package let path: String
  /// The manifest.
  package let manifest: Manifest
  /// What outputs made with the tree name as their input.
  package let fingerprint: String
  /// The fingerprint of the tokenizer whose ids the embedder understands.
  package let tokenizer: String
  /// The tree.
  package let tree: ClusterTree

  /// `tree.json`: the number of children of every node in breadth-first order says all about the branching.
  private struct Shape: Codable {
    var format: String
    var embedder: String
    var dimensions: Int
    var spherical: Bool
    var children: [Int]
  }

  /// Reads a tree.
  /// - Throws: `WeirError` where it is none, or damaged.
  package init(_ folder: String) throws {
    guard Files.isFolder(folder) else { throw WeirError(folder, "no cluster tree here", remedy: "make one with weir cluster fit") }
    manifest = try Manifest.read(folder: folder, format: Self.format)
    path = folder
    fingerprint = manifest.fingerprint
    guard let tokenizer = manifest.inputs["tokenizer"], let embedder = manifest.inputs["embedder"] else {
      throw WeirError(folder + "/manifest.json", "names no tokenizer or embedder", remedy: "fit the tree again")
    }
    self.tokenizer = tokenizer
    let place = folder + "/tree.json"
    let shape = try JSONFile.read(Shape.self, from: place)
    guard shape.format == Self.format, shape.embedder == embedder else {
      throw WeirError(place, "is not the tree of this manifest", remedy: "fit the tree again")
    }
    let nodes = try Self.nodes(children: shape.children, place: place)
    let file = try SafetensorsFile(folder + "/centroids.safetensors")
    guard shape.dimensions > 0, file.shape("centroids") == [nodes.count, shape.dimensions], file.dtype("centroids") == .F32 else {
      throw WeirError(
        file.path, "holds no F32 tensor \"centroids\" of \(nodes.count) nodes and \(shape.dimensions) dimensions",
        remedy: "fit the tree again")
    }
    var tree = ClusterTree(
      embedder: embedder, dimensions: shape.dimensions, spherical: shape.spherical, nodes: nodes,
      centroids: try file.floats("centroids"))
    tree.numberLeaves()
    self.tree = tree
  }

  /// Writes a tree, whole or not at all.
  /// - Parameters:
  ///   - tree: the tree.
  ///   - folder: where; one of ours that is there is replaced when `replacing`.
  ///   - replacing: whether one of ours that is there is replaced.
  ///   - embedder: the folder of the embedder, which is copied along; nil = none.
  ///   - inputs: fingerprints by role: `dataset`, `vectors`, `tokenizer`; the embedder's is added.
  ///   - configuration: what was asked for.
  ///   - tool: what writes it, with its version.
  package static func write(
    _ tree: ClusterTree, to folder: String, replacing: Bool = false, embedder: String?, inputs: [String: String],
    configuration: JSONValue, tool: String
  ) throws -> StoredTree {
    let output = try AtomicFolder(folder, replacing: replacing)
    try JSONFile.write(
      Shape(
        format: format, embedder: tree.embedder, dimensions: tree.dimensions, spherical: tree.spherical,
        children: tree.nodes.map(\.childCount)), to: output.working + "/tree.json")
    _ = try Safetensors.write(
      output.working + "/centroids.safetensors",
      floats: [("centroids", [tree.nodes.count, tree.dimensions], tree.centroids)], metadata: ["format": format])
    if let embedder {
      let copy = output.working + "/" + embedderFolder
      try Files.createFolder(copy)
      for name in try Files.walk(embedder) {
        // An embedder may hold folders, such as its tokenizer's.
        if let slash = name.lastIndex(of: "/") { try Files.createFolder(copy + "/" + name[..<slash]) }
        try Files.write(Files.read(embedder + "/" + name), to: copy + "/" + name)
      }
    }
    var inputs = inputs
    inputs["embedder"] = tree.embedder
    _ = try output.commit(
      format: format, tool: tool, inputs: inputs, configuration: configuration,
      counts: ["depth": tree.depth, "leaves": tree.leafCount, "nodes": tree.nodes.count])
    return try StoredTree(output.path)
  }

  /// Throws where the tree was fitted on vectors of another embedder.
  package func check(embedder: String) throws {
    guard tree.embedder == embedder else {
      throw WeirError(
        path, "the tree belongs to another embedder than the vectors", remedy: "embed with the tree's embedder or fit the tree again")
    }
  }

  /// Nodes of the numbers of children in breadth-first order.
  private static func nodes(children: [Int], place: String) throws -> [ClusterTree.Node] {
    guard let root = children.first, root >= 0 else { throw WeirError(place, "a tree without a root", remedy: "fit the tree again") }
    var nodes = [ClusterTree.Node(parent: -1, level: 0, firstChild: 0, childCount: 0, leaf: -1)]
    nodes.reserveCapacity(children.count)
    for (node, count) in children.enumerated() {
      guard node < nodes.count, count >= 0, count <= children.count - nodes.count else {
        throw WeirError(place, "node \(node) has \(count) children: not a tree of \(children.count) nodes", remedy: "fit the tree again")
      }
      nodes[node].childCount = count
      nodes[node].firstChild = count > 0 ? nodes.count : 0
      for _ in 0..<count {
        nodes.append(ClusterTree.Node(parent: node, level: nodes[node].level + 1, firstChild: 0, childCount: 0, leaf: -1))
      }
    }
    guard nodes.count == children.count else {
      throw WeirError(place, "\(children.count) nodes are listed, \(nodes.count) hang together", remedy: "fit the tree again")
    }
    return nodes
  }
}
