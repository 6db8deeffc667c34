import Artifacts
import Primitives
import Storage

/// A folder with an embedder: `embedder.json` and the files of its kind.
package enum EmbedderFolder {
  package static let format = "weir.embedder.1"

  /// Opens the embedder in a folder: its own, that of window vectors, or that of a cluster tree.
  package static func open(_ folder: String) throws -> any Embedder {
    try check(folder)
    return try load(folder)
  }

  /// Opens an embedder and checks its fingerprint, but no manifest.
  static func load(_ folder: String) throws -> any Embedder {
    switch try kind(folder) {
    case "lsi": return try LSIEmbedder(folder: folder)
    case "static": return try StaticEmbedder(folder: folder)
    case "minilm": return try TextEmbedder(folder: folder)
    case let kind: throw WeirError(folder, "embedder kind \"\(kind)\" is not supported", remedy: "make the embedder again")
    }
  }

  /// Checks the embedder's files where it is part of a folder with a manifest, such as window vectors or a tree.
  private static func check(_ folder: String) throws {
    let inner = resolved(folder), suffix = "/" + StoredTree.embedderFolder
    guard inner.hasSuffix(suffix) else { return }
    let owner = String(inner.dropLast(suffix.count))
    guard Files.exists(owner + "/" + Manifest.fileName) else { return }
    try Manifest.read(folder: owner).check(in: owner) { $0.hasPrefix(StoredTree.embedderFolder + "/") }
  }

  /// The folder itself, or the embedder's folder inside it.
  package static func resolved(_ folder: String) -> String {
    let inside = folder + "/" + StoredTree.embedderFolder
    return Files.exists(inside + "/" + StoredEmbedder.fileName) ? inside : folder
  }

  /// The file with the weights.
  static let modelFile = "model.safetensors"

  private static func descriptionFile(_ folder: String) -> String { resolved(folder) + "/" + StoredEmbedder.fileName }

  /// Creates the folder of an embedder, if needed, and writes `embedder.json`.
  static func describe<Configuration: Codable>(
    _ embedder: some Embedder, kind: String, _ configuration: Configuration, in folder: String
  ) throws {
    try Files.createFolder(folder)
    let description = EmbedderDescription(
      kind: kind, fingerprint: embedder.fingerprint, tokenizer: embedder.tokenizer, configuration: configuration)
    try JSONFile.write(description, to: folder + "/" + StoredEmbedder.fileName)
  }

  private struct Kind: Codable {
    var format: String
    var kind: String
  }

  /// The kind of the embedder in a folder: `lsi`, `minilm` or `static`.
  /// - Throws: `WeirError` if there is none.
  package static func kind(_ folder: String) throws -> String {
    let place = descriptionFile(folder)
    guard Files.exists(place) else {
      throw WeirError(
        folder, "contains no embedder",
        remedy: "make one with `weir embed`; imported vectors have none, so new text cannot be embedded")
    }
    let found = try JSONFile.read(Kind.self, from: place)
    guard found.format == format else {
      throw WeirError(place, "has format \(found.format), expected \(format)", remedy: "make the embedder again")
    }
    return found.kind
  }

  /// Reads `embedder.json` of an embedder that must be of a kind.
  static func description<Configuration: Codable>(
    _ folder: String, kind: String, as configuration: Configuration.Type
  ) throws -> EmbedderDescription<Configuration> {
    let found = try self.kind(folder)
    let place = descriptionFile(folder)
    guard found == kind else {
      throw WeirError(place, "is a \(found) embedder, expected \(kind)", remedy: "name the folder of such an embedder")
    }
    return try JSONFile.read(EmbedderDescription<Configuration>.self, from: place)
  }
}

/// `embedder.json`.
struct EmbedderDescription<Configuration: Codable>: Codable {
  var format = EmbedderFolder.format
  var kind: String
  var fingerprint: String
  var tokenizer: String
  var configuration: Configuration

  /// Throws if the model that was loaded has another fingerprint.
  func check(_ fingerprint: String, file: String) throws {
    guard fingerprint == self.fingerprint else {
      throw WeirError(file, "does not match its fingerprint in embedder.json (\(self.fingerprint))", remedy: "make the embedder again")
    }
  }
}

extension StoredTree {
  /// Opens the embedder that is stored with the tree.
  package func openEmbedder() throws -> any Embedder {
    let embedder = try EmbedderFolder.open(path)
    try check(embedder: embedder.fingerprint)
    return embedder
  }
}
