import Primitives
import Storage

extension StoredTree: Artifact {
  package static let form = ArtifactForm.folder
  package static let fileKinds = [shapeFile: "cluster tree shape"]
  package static func open(_ path: String) throws -> StoredTree { try StoredTree(path) }

  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    try checkEmbedder(open(path).manifest, in: path)
  }

  /// Throws if the embedder in a folder, of a tree or of window vectors, is not the one that the manifest names.
  static func checkEmbedder(_ manifest: Manifest, in folder: String) throws {
    let place = folder + "/" + embedderFolder + "/embedder.json"
    guard Files.exists(place) else { return }
    let (named, found) = (try manifest.input("embedder", in: folder), try JSONFile.read(JSONValue.self, from: place)["fingerprint"]?.string)
    guard named == found else {
      throw WeirError(
        place, "has the fingerprint \(Format.clip(found ?? "", 60)), the manifest of \(folder) names \(Format.clip(named, 60))",
        remedy: "restore it or make the folder again")
    }
  }

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
