import Primitives

/// The seal of a manifest, its member `manifest_xxh3`.
extension Manifest {
  /// Writes `folder/manifest.json` with its seal, atomically.
  package func write(folder: String) throws {
    let path = folder + "/" + Self.fileName
    let text = try JSONFile.text(members(tool: tool, seal: JSONSeal.open), place: path)
    try Files.write(JSONSeal.manifest.close(text), to: path)
  }

  /// What is wrong with the seal in the text of `manifest.json`; nil where it is valid.
  package static func sealProblem(of text: [UInt8]) -> String? { JSONSeal.manifest.problem(of: text) }
}
