import Kernels
import Pipeline
import Primitives
import Storage
import Tokenization
import Tokens

/// The embedder of a dataset by its name: `lsi`, `minilm:FOLDER`, `static:FOLDER`, or the folder of a tree or of vectors.
package enum EmbedderModel: Sendable, Equatable {
  /// Latent semantic indexing, fitted on the dataset.
  case lsi
  /// The sentence encoder in a folder.
  case encoder(String)
  /// Token vectors distilled from the sentence encoder in a folder.
  case distilled(String)
  /// The embedder that is stored in a folder.
  case stored(String)

  package init(_ name: String) {
    func folder(_ kind: String) -> String? { name.hasPrefix(kind + ":") ? String(name.dropFirst(kind.count + 1)) : nil }
    if name == "lsi" {
      self = .lsi
    } else if let folder = folder("minilm") {
      self = .encoder(folder)
    } else if let folder = folder("static") {
      self = .distilled(folder)
    } else {
      self = .stored(name)
    }
  }

  /// The folder that is read.
  package var folder: String? {
    switch self {
    case .lsi: nil
    case .encoder(let folder), .distilled(let folder), .stored(let folder): folder
    }
  }

  /// The kind of the embedder, which its vectors are named after.
  package var kind: String {
    switch self {
    case .lsi: "lsi"
    case .encoder: "minilm"
    case .distilled: "static"
    case .stored(let folder): (try? EmbedderFolder.kind(folder)) ?? "lsi"
    }
  }

  /// Fits, distills or opens the embedder for a dataset.
  /// - Parameters:
  ///   - lsi: the configuration for `lsi`.
  ///   - encoder: the configuration for `encoder`.
  ///   - dimensions: the dimensions of `distilled`.
  package func embedder(
    for dataset: TokenDataset, lsi: LSIEmbedder.Configuration, encoder: TextEmbedder.Configuration, dimensions: Int, pool: ThreadPool,
    progress: Progress = .silent
  ) throws -> any Embedder {
    switch self {
    case .lsi:
      return try LSIEmbedder.fit(WindowReader(dataset), tokenizer: dataset.tokenizer, configuration: lsi, pool: pool, progress: progress)
    case .encoder(let folder): return try TextEmbedder(encoder: folder, configuration: encoder, tokenizer: dataset.openTokenizer())
    case .distilled(let folder):
      return try StaticEmbedder(distilling: folder, tokenizer: dataset.openTokenizer(), dimensions: dimensions, pool: pool)
    case .stored(let folder):
      guard Files.isFolder(folder) else {
        throw WeirError(
          "model", "\"\(folder)\" is not an embedder", remedy: "use lsi, minilm:FOLDER, static:FOLDER or a folder with an embedder")
      }
      return try EmbedderFolder.open(folder)
    }
  }
}
