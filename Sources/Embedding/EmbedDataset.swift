import Artifacts
import Kernels
import Pipeline
import Storage
import Tokens

/// Embeds every window of a dataset into a folder that `WindowVectors` reads.
package enum EmbedDataset {
  package struct Report: Sendable, Codable, Equatable {
    package var windows: Int
    /// Windows without features, whose vector is zero.
    package var empty: Int
    package var dimensions: Int
    /// The embedder's fingerprint.
    package var embedder: String
    /// The folder's fingerprint.
    package var fingerprint: String
  }

  /// Embeds a dataset.
  /// - Parameters:
  ///   - embedder: its tokenizer must be the dataset's.
  ///   - folder: the output, such as `DATASET/vectors/lsi`.
  ///   - replacing: whether to replace a Weir folder that exists there.
  ///   - tool: name and version of the program, for the manifest.
  ///   - pool: the result does not depend on its number of threads.
  /// - Throws: `WeirError` if the tokenizers differ or the folder cannot be written.
  package static func run(
    _ dataset: TokenDataset, embedder: any Embedder, to folder: String, replacing: Bool = false, tool: String, pool: ThreadPool,
    progress: Progress = .silent
  ) throws -> Report {
    try embedder.check(tokenizer: dataset.tokenizer, place: dataset.path)
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
    let report = try commit(output, file, of: dataset, embedder: embedder.fingerprint, dimensions: width, empty: empty, tool: tool)
    progress.update(Double(reader.count), of: Double(reader.count), unit: "windows")
    return report
  }

  /// Completes a folder of window vectors.
  static func commit(
    _ output: AtomicFolder, _ file: FileRecord, of dataset: TokenDataset, embedder: String, dimensions: Int, empty: Int, tool: String
  ) throws -> Report {
    let windows = dataset.windowCount
    let manifest = try output.commit(
      format: WindowVectors.format, tool: tool,
      inputs: ["dataset": dataset.fingerprint, "embedder": embedder, "tokenizer": dataset.tokenizer], configuration: .object([:]),
      counts: ["dimensions": dimensions, "empty": empty, "windows": windows], known: [file], blocks: true)
    return Report(windows: windows, empty: empty, dimensions: dimensions, embedder: embedder, fingerprint: manifest.fingerprint)
  }
}
