import Primitives
import Storage

/// A cluster tree in a folder: `tree.json` (the branching), `centroids.safetensors`, the embedder in `embedder/`, and a manifest. Together with
/// a tokenizer, the folder is enough to assign new documents.
package struct StoredTree: Sendable {
  package static let format = "weir.cluster-tree.1"
  static let shapeFile = "tree.json"
  private static let centroidsFile = "centroids.safetensors"
  /// Levels below the root, at most: eight times those of a tree that Weir fits.
  private static let mostLevels = 64
  /// The name of the embedder's folder inside the tree's folder.
  package static let embedderFolder = "embedder"

  package let path: String
  package let manifest: Manifest
  /// The input fingerprint in the manifests of outputs made with the tree.
  package let fingerprint: String
  /// The fingerprint of the tokenizer that the embedder expects.
  package let tokenizer: String
  package let tree: ClusterTree

  /// `tree.json`: the number of children of every node in breadth-first order determines the branching.
  private struct Shape: Codable {
    var format: String
    var embedder: String
    var dimensions: Int
    var spherical: Bool
    var children: [Int]
  }

  /// Reads a tree and checks its structure.
  package init(_ folder: String) throws {
    guard Files.isFolder(folder) else { throw WeirError(folder, "is not a cluster tree", remedy: "make one with `weir cluster fit`") }
    manifest = try Manifest.read(folder: folder, format: Self.format)
    path = folder
    fingerprint = manifest.fingerprint
    tokenizer = try manifest.input("tokenizer", in: folder)
    let embedder = try manifest.input("embedder", in: folder)
    let place = folder + "/" + Self.shapeFile
    let shape = try JSONFile.decode(Shape.self, from: manifest.read(Self.shapeFile, in: folder), place: place)
    guard shape.format == Self.format, shape.embedder == embedder else {
      throw WeirError(place, "does not belong to the manifest", remedy: "fit the tree again")
    }
    let nodes = try Self.nodes(children: shape.children, place: place)
    let file = try SafetensorsFile(manifest.open(Self.centroidsFile, in: folder))
    guard shape.dimensions > 0, file.shape("centroids") == [nodes.count, shape.dimensions], file.dtype("centroids") == .F32 else {
      throw WeirError(
        file.path, "has no F32 tensor \"centroids\" of \(nodes.count) nodes and \(shape.dimensions) dimensions",
        remedy: "fit the tree again")
    }
    var tree = ClusterTree(
      embedder: embedder, dimensions: shape.dimensions, spherical: shape.spherical, nodes: nodes,
      centroids: try file.floats("centroids"))
    if let bad = tree.centroids.firstIndex(where: { !($0.magnitude <= 1e15) }) {
      throw WeirError(
        file.path, "the centroid of node \(bad / shape.dimensions) contains \(tree.centroids[bad])", remedy: "fit the tree again")
    }
    tree.numberLeaves()
    for (name, count) in [("nodes", nodes.count), ("leaves", tree.leafCount), ("depth", tree.depth)] {
      _ = try manifest.count(name, in: folder, range: count...count)
    }
    self.tree = tree
  }

  /// Writes a tree atomically.
  /// - Parameters:
  ///   - replacing: whether an existing Weir folder may be replaced.
  ///   - embedder: the folder of the embedder, which is copied; nil for none.
  ///   - inputs: fingerprints by role: `dataset`, `vectors`, `tokenizer`; the embedder's is added.
  ///   - tool: tool and version for the manifest.
  package static func write(
    _ tree: ClusterTree, to folder: String, replacing: Bool = false, embedder: String?, inputs: [String: String],
    configuration: JSONValue, tool: String
  ) throws -> StoredTree {
    let output = try AtomicFolder(folder, replacing: replacing)
    try JSONFile.write(
      Shape(
        format: format, embedder: tree.embedder, dimensions: tree.dimensions, spherical: tree.spherical,
        children: tree.nodes.map(\.childCount)), to: output.working + "/" + shapeFile)
    _ = try Safetensors.write(
      output.working + "/" + centroidsFile,
      floats: [("centroids", [tree.nodes.count, tree.dimensions], tree.centroids)], metadata: ["format": format])
    if let embedder {
      let copy = output.working + "/" + embedderFolder
      try Files.createFolder(copy)
      for name in try Files.walk(embedder) {
        // An embedder may contain folders, such as its tokenizer's.
        if let slash = name.lastIndex(of: "/") { try Files.createFolder(copy + "/" + name[..<slash]) }
        try Files.write(Files.readWhole(embedder + "/" + name, limit: .max), to: copy + "/" + name)
      }
    }
    var inputs = inputs
    inputs["embedder"] = tree.embedder
    _ = try output.commit(
      format: format, tool: tool, inputs: inputs, configuration: configuration,
      counts: ["depth": tree.depth, "leaves": tree.leafCount, "nodes": tree.nodes.count])
    return try StoredTree(output.path)
  }

  /// Throws if the tree was fitted on vectors of another embedder.
  package func check(embedder: String) throws {
    guard tree.embedder == embedder else {
      throw WeirError(path, "was fitted on vectors of another embedder", remedy: "embed with the tree's embedder or fit the tree again")
    }
  }

  /// The nodes for numbers of children in breadth-first order.
  private static func nodes(children: [Int], place: String) throws -> [ClusterTree.Node] {
    func wrong(_ reason: String) -> WeirError { WeirError(place, reason, remedy: "fit the tree again") }
    guard let root = children.first, root >= 0 else { throw wrong("the tree has no root") }
    var nodes = [ClusterTree.Node(parent: -1, level: 0, firstChild: 0, childCount: 0, leaf: -1)]
    nodes.reserveCapacity(children.count)
    for (node, count) in children.enumerated() {
      guard node < nodes.count, count >= 0, count <= children.count - nodes.count else {
        throw wrong("node \(node) has \(count) children: not a tree of \(children.count) nodes")
      }
      guard count == 0 || nodes[node].level < mostLevels else { throw wrong("the tree has more than \(mostLevels) levels below the root") }
      nodes[node].childCount = count
      nodes[node].firstChild = count > 0 ? nodes.count : 0
      for _ in 0..<count {
        nodes.append(ClusterTree.Node(parent: node, level: nodes[node].level + 1, firstChild: 0, childCount: 0, leaf: -1))
      }
    }
    guard nodes.count == children.count else { throw wrong("only \(nodes.count) of \(children.count) nodes are connected") }
    return nodes
  }
}
