import Primitives
import Storage

extension WindowVectors: Artifact {
  package static let form = ArtifactForm.folder
  package static func open(_ path: String) throws -> WindowVectors { try WindowVectors(path) }

  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    try StoredTree.checkEmbedder(open(path).manifest, in: path)
  }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let vectors = try WindowVectors(path)
    var table = TextTable(["window", "norm", "first values"], right: [0, 1])
    for window in 0..<min(lines, vectors.count) {
      let values = try vectors.vectors(window..<window + 1)
      let norm = values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      let first = values.prefix(6).map { Format.significant(Double($0)) }.joined(separator: " ")
      table.add("\(window)", Format.significant(norm), first + (vectors.dimensions > 6 ? " …" : ""))
    }
    return [kind] + vectors.manifest.facts + [""] + table.lines + Format.more(vectors.count - lines, "windows")
  }
}
