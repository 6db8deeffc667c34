import Primitives
import Storage

extension StoredTree: Artifact {
  package static let form = ArtifactForm.folder
  package static let fileKinds = [shapeFile: "cluster tree shape"]
  package static func open(_ path: String) throws -> StoredTree { try StoredTree(path) }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let stored = try StoredTree(path)
    let tree = stored.tree
    var table = TextTable(["level", "nodes", "leaves", "children"], right: [0, 1, 2, 3])
    for level in 0...min(tree.depth, lines - 1) {
      let nodes = tree.nodes.filter { $0.level == level }
      let counts = nodes.map(\.childCount).filter { $0 > 0 }
      let (least, greatest) = (counts.min() ?? 0, counts.max() ?? 0)
      let children = counts.isEmpty ? "" : least == greatest ? "\(least)" : "\(least)–\(greatest)"
      table.add("\(level)", Format.count(nodes.count), Format.count(nodes.count - counts.count), children)
    }
    let distance = tree.spherical ? "cosine similarity" : "Euclidean distance"
    return [kind, "\(tree.dimensions) dimensions, \(distance)"] + stored.manifest.facts + [""] + table.lines
  }
}
