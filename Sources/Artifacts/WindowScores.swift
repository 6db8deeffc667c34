import Primitives
import Storage

/// The score of every window of a dataset by some method: a folder (`DATASET/scores/NAME`) with `scores.safetensors` and a manifest, so
/// that what was scored once can be chosen from again.
package struct WindowScores: Sendable, Equatable {
  /// The format's name in the manifest.
  package static let format = "weir.window-scores.1"
  /// The tensor file's name in the folder.
  package static let fileName = "scores.safetensors"

  /// The fingerprint of the dataset.
  package var dataset: String
  /// The method and everything that the scores depend on.
  package var method: String
  /// [windows] higher is better; −∞ where a window has no score.
  package var values: [Double]

  /// Creates scores.
  package init(dataset: String, method: String, values: [Double]) {
    (self.dataset, self.method, self.values) = (dataset, method, values)
  }

  /// Reads scores.
  /// - Throws: `WeirError` where there are none, or damaged ones.
  package init(folder: String) throws {
    let manifest = try Manifest.read(folder: folder, format: Self.format)
    let file = try SafetensorsFile(folder + "/" + Self.fileName)
    guard let dataset = manifest.inputs["dataset"], let method = manifest.inputs["method"], let windows = manifest.counts["windows"],
      file.dtype("scores") == .F64, file.shape("scores") == [windows], try manifest.files.allSatisfy({ try $0.isIntact(in: folder) })
    else { throw WeirError(folder, "is damaged: its scores are not those of its manifest", remedy: "remove it; they are made again") }
    let values = try file.withBytes("scores") { bytes in
      (0..<windows).map { Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self))) }
    }
    self.init(dataset: dataset, method: method, values: values)
  }

  /// Writes the scores, whole or not at all.
  package func write(to folder: String, tool: String) throws {
    let output = try AtomicFolder(folder, replacing: true)
    var bytes = [UInt8](repeating: 0, count: 8 * values.count)
    bytes.withUnsafeMutableBytes { bytes in
      for (window, value) in values.enumerated() {
        bytes.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: 8 * window, as: UInt64.self)
      }
    }
    _ = try Safetensors.write(
      output.working + "/" + Self.fileName, tensors: [("scores", .F64, [values.count], bytes)], metadata: ["format": Self.format])
    _ = try output.commit(
      format: Self.format, tool: tool, inputs: ["dataset": dataset, "method": method], configuration: .object([:]),
      counts: ["windows": values.count])
  }
}
