import Artifacts
import Primitives
import Storage
import Tokens

/// Imports vectors that other software computed for the windows of a dataset.
package enum ImportVectors {
  /// - Parameters:
  ///   - array: one vector per window, in order.
  ///   - folder: the output; a Weir folder that exists there is replaced.
  ///   - tool: name and version of the program, for the manifest.
  /// - Throws: `WeirError` if the number of vectors is not that of the windows, or a vector contains NaN/Inf.
  package static func run(_ array: WindowVectors, of dataset: TokenDataset, to folder: String, tool: String) throws -> EmbedDataset.Report {
    guard array.count == dataset.windowCount else {
      throw WeirError(
        array.path, "contains \(array.count) vectors, but \(dataset.path) has \(dataset.windowCount) windows",
        remedy: "compute one vector per window of at most \(Window.maximum) tokens, in order")
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
    return try EmbedDataset.commit(output, file, of: dataset, embedder: array.embedder, dimensions: width, empty: empty, tool: tool)
  }
}
