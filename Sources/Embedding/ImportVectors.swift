import Artifacts
import Primitives
import Storage
import Tokens

/// Vectors from elsewhere become those of a dataset.
package enum ImportVectors {
  /// Writes the vectors' folder.
  /// - Parameters:
  ///   - array: the vectors, one a window, in order.
  ///   - dataset: whose windows they are.
  ///   - folder: where; one of ours that is there is replaced.
  ///   - tool: what writes it, with its version.
  /// - Throws: `WeirError` where their number is not that of the windows, or a number is not finite.
  package static func run(_ array: WindowVectors, of dataset: TokenDataset, to folder: String, tool: String) throws -> EmbedDataset.Report {
    guard array.count == dataset.windowCount else {
      throw WeirError(
        array.path, "holds \(array.count) vectors, \(dataset.path) has \(dataset.windowCount) windows",
        remedy: "make one vector a window of at most \(Window.maximum) tokens, in order")
    }
    try array.checkFinite()
    let output = try AtomicFolder(folder, replacing: true)
    let width = array.dimensions
    var empty = 0
    let writer = try VectorWriter.file(output.working + "/" + WindowVectors.fileName, windows: array.count, dimensions: width)
    try array.withVectors { numbers in
      for row in 0..<array.count where numbers[row * width..<(row + 1) * width].allSatisfy({ $0 == 0 }) { empty += 1 }
      try writer.append(numbers)
    }
    let file = try writer.commit()
    let manifest = try output.commit(
      format: WindowVectors.format, tool: tool,
      inputs: ["dataset": dataset.fingerprint, "embedder": array.embedder, "tokenizer": dataset.tokenizer], configuration: .object([:]),
      counts: ["dimensions": width, "empty": empty, "windows": array.count], known: [file])
    return EmbedDataset.Report(
      windows: array.count, empty: empty, dimensions: width, embedder: array.embedder, fingerprint: manifest.fingerprint)
  }
}
