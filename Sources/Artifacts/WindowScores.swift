import Primitives
import Storage

/// The score of every window of a dataset by one method, stored in a folder (`DATASET/scores/NAME`) with `scores.safetensors` and a manifest,
/// so that windows can be selected again without scoring them again.
package struct WindowScores: Sendable, Equatable {
  package static let format = "weir.window-scores.1"
  package static let fileName = "scores.safetensors"

  /// The fingerprint of the dataset.
  package var dataset: String
  /// The method, and everything else the scores depend on.
  package var method: String
  /// [windows] higher is better; −∞ for a window without a score.
  package var values: [Double]

  package init(dataset: String, method: String, values: [Double]) { (self.dataset, self.method, self.values) = (dataset, method, values) }

  /// Reads scores and checks their checksum.
  package init(folder: String) throws {
    let manifest = try Manifest.read(folder: folder, format: Self.format)
    guard try manifest.files.allSatisfy({ try $0.problem(in: folder) == nil }) else { throw Self.damaged(folder) }
    try self.init(folder: folder, manifest: manifest)
  }

  /// Reads scores whose checksum is known to be right.
  init(folder: String, manifest: Manifest) throws {
    let file = try SafetensorsFile(folder + "/" + Self.fileName)
    guard let dataset = manifest.inputs["dataset"], let method = manifest.inputs["method"], let windows = manifest.counts["windows"],
      file.dtype("scores") == .F64, file.shape("scores") == [windows]
    else { throw Self.damaged(folder) }
    let values = try file.withBytes("scores") { bytes in
      (0..<windows).map { Double(bitPattern: bytes.integer(at: 8 * $0)) }
    }
    self.init(dataset: dataset, method: method, values: values)
  }

  private static func damaged(_ folder: String) -> WeirError {
    WeirError(folder, "is damaged: the scores do not match the manifest", remedy: "remove it; `weir sample` computes the scores again")
  }

  /// Writes the scores atomically.
  package func write(to folder: String, tool: String) throws {
    let output = try AtomicFolder(folder, replacing: true)
    let bytes = values.reduce(into: []) { $0.append(integer: $1.bitPattern) }
    _ = try Safetensors.write(
      output.working + "/" + Self.fileName, tensors: [("scores", .F64, [values.count], bytes)], metadata: ["format": Self.format])
    _ = try output.commit(
      format: Self.format, tool: tool, inputs: ["dataset": dataset, "method": method], configuration: .object([:]),
      counts: ["windows": values.count])
  }
}
