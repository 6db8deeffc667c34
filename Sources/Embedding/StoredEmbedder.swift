import Primitives
import Storage

/// The `embedder.json` in the folder of an embedder.
package struct StoredEmbedder: Artifact {
  package static let format = EmbedderFolder.format
  package static let fileName = "embedder.json"
  package static let fileKinds = [fileName: "embedder"]

  package let path: String

  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.name == fileName }

  package static func open(_ path: String) throws -> StoredEmbedder {
    let root = try JSONDocument(Files.readWhole(path), place: path).root
    guard root["format"]?.string == format else {
      throw WeirError(path, "is not an embedder of format \(format)", remedy: "make the embedder again")
    }
    return StoredEmbedder(path: path)
  }

  /// The model has the fingerprint that the file names.
  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    _ = try open(path)
    _ = try EmbedderFolder.load(path.hasSuffix("/" + fileName) ? String(path.dropLast(fileName.count + 1)) : ".")
  }
}
