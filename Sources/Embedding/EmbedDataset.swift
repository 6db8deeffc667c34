import Artifacts
import Kernels
import Pipeline
import Primitives
import Storage
import Tokens

/// Embeds every window of a dataset into a folder that `WindowVectors` reads.
package enum EmbedDataset {
  /// What was done.
  package struct Report: Sendable, Codable, Equatable {
    /// Windows embedded.
    package var windows: Int
    /// Windows without any feature: their vector is zero.
    package var empty: Int
    /// Dimensions of a vector.
    package var dimensions: Int
    /// The embedder's fingerprint.
    package var embedder: String
    /// The folder's fingerprint.
    package var fingerprint: String
  }

  /// Embeds a dataset.
  /// - Parameters:
  ///   - dataset: the dataset.
  ///   - embedder: the model; its tokenizer must be the dataset's.
  ///   - folder: where, such as `DATASET/vectors/lsi`; one of ours that is there is replaced when `replacing`.
  ///   - replacing: whether one of ours that is there is replaced.
  ///   - tool: what writes it, with its version.
  ///   - pool: where the work runs; the result does not depend on its number of threads.
  ///   - progress: is told how far it is, and may stop it.
  /// - Throws: `WeirError` where the tokenizers differ or the folder cannot be written.
  package static func run(
    _ dataset: TokenDataset, embedder: any Embedder, to folder: String, replacing: Bool = false, tool: String, pool: ThreadPool,
    progress: Progress = .silent
  ) throws -> Report {
    guard embedder.tokenizer == dataset.tokenizer else {
      throw WeirError(
        dataset.path, "was tokenized with \(dataset.tokenizer), the embedder understands \(embedder.tokenizer)",
        remedy: "tokenize with the embedder's tokenizer or fit another embedder")
    }
    let output = try AtomicFolder(folder, replacing: replacing)
    let reader = WindowReader(dataset)
    let width = embedder.dimensions
    let writer = try VectorWriter(output.working + "/" + WindowVectors.fileName, windows: reader.count, dimensions: width)
    var empty = 0
    let batch = 4_096
    for start in stride(from: 0, to: reader.count, by: batch) {
      try progress.checkStop()
      progress.update(Double(start), of: Double(reader.count), unit: "windows")
      let windows = start..<min(reader.count, start + batch)
      let block = try embedder.embed(windows, of: reader, pool: pool)
      for row in 0..<windows.count where block[row * width..<(row + 1) * width].allSatisfy({ $0 == 0 }) { empty += 1 }
      try writer.append(block)
    }
    let file = try writer.commit()
    try embedder.save(to: output.working + "/" + StoredTree.embedderFolder)
    let manifest = try output.commit(
      format: WindowVectors.format, tool: tool,
      inputs: ["dataset": dataset.fingerprint, "embedder": embedder.fingerprint, "tokenizer": dataset.tokenizer],
      configuration: .object([:]), counts: ["dimensions": width, "empty": empty, "windows": reader.count], known: [file])
    progress.update(Double(reader.count), of: Double(reader.count), unit: "windows")
    return Report(
      windows: reader.count, empty: empty, dimensions: width, embedder: embedder.fingerprint, fingerprint: manifest.fingerprint)
  }
}
