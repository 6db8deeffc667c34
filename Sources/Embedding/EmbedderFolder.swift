import Primitives
import Storage

/// A folder with an embedder: `embedder.json` and what its kind needs.
package enum EmbedderFolder {
  /// The format's name in `embedder.json`.
  package static let format = "weir.embedder.1"

  /// The folder itself, or the embedder's in it (that of window vectors, of a cluster tree).
  package static func resolved(_ folder: String) -> String {
    Files.exists(folder + "/embedder/embedder.json") ? folder + "/embedder" : folder
  }

  private struct Kind: Codable {
    var format: String
    var kind: String
  }

  /// The kind of the embedder in a folder: `lsi`, `minilm`, `static`.
  /// - Throws: `WeirError` where there is none.
  package static func kind(_ folder: String) throws -> String {
    let place = resolved(folder) + "/embedder.json"
    guard Files.exists(place) else {
      throw WeirError(
        folder, "no embedder here",
        remedy: "make one with weir embed; vectors from elsewhere (--vectors) have none, and cannot place new text")
    }
    let found = try JSONFile.read(Kind.self, from: place)
    guard found.format == format else { throw WeirError(place, "is of format \(found.format), not \(format)") }
    return found.kind
  }

  /// What `embedder.json` says of an embedder of a kind.
  static func description<Configuration: Codable>(
    _ folder: String, kind: String, as configuration: Configuration.Type
  ) throws -> EmbedderDescription<Configuration> {
    let found = try self.kind(folder)
    let place = resolved(folder) + "/embedder.json"
    guard found == kind else { throw WeirError(place, "is a \(found) embedder, not \(kind)") }
    return try JSONFile.read(EmbedderDescription<Configuration>.self, from: place)
  }
}
