import CKernels
import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import Tokens

/// What the Fisher information of a model is estimated from.
package struct FisherData: Sendable {
  /// The sequences, each with at least two tokens.
  package let sequences: [[Int32]]
  package let fingerprint: String

  /// - Parameters:
  ///   - documents: divided into sequences of at most `length` tokens, like the documents of a batch.
  ///   - limit: the largest number of sequences, chosen evenly over all of them; nil for all.
  ///   - name: identifies the documents in the fingerprint.
  package init(documents: [[Int32]], length: Int, limit: Int?, name: String) {
    var all: [[Int32]] = []
    for document in documents {
      for start in stride(from: 0, to: document.count - 1, by: max(1, length - 1)) {
        all.append(Array(document[start..<min(document.count, start + length)]))
      }
    }
    let count = min(limit ?? all.count, all.count)
    sequences = (0..<count).map { all[$0 * all.count / count] }
    fingerprint = "sequences \(name) length \(length) count \(count)"
  }
}

/// The empirical diagonal Fisher information of a model: the mean over sequences of the squared gradient of the sequence's mean loss.
///
/// Empirical: the gradients are those of the text's own tokens, not of tokens drawn from the model. Gradients are squared per sequence,
/// because squares of a batch's mean gradient would mostly be 0.
package enum FisherInformation {
  package static let format = "weir.fisher.1"
  private static let file = "fisher.safetensors"

  /// Computes it.
  /// - Parameters:
  ///   - model: the model, for one row per batch.
  ///   - sequences: at most as long as the rows of the model.
  package static func compute(
    _ model: Transformer, _ sequences: [[Int32]], pool: ThreadPool, progress: Pipeline.Progress = .silent
  ) throws -> FloatBuffer {
    let sum = FloatBuffer(model.gradients.count), scale = 1 / Float(max(1, sequences.count))
    for (index, tokens) in sequences.enumerated() {
      try progress.checkStop()
      var batch = Batch(rows: 1, sequence: model.workspace.sequence)
      for (t, token) in tokens.enumerated() {
        (batch.tokens[t], batch.starts[t]) = (token, 0)
        if t + 1 < tokens.count { batch.targets[t] = tokens[t + 1] }
      }
      try model.check(batch, place: "sequence \(index + 1) of the Fisher information")
      model.forward(tokens: batch.tokens, starts: batch.starts)
      _ = model.loss(targets: batch.targets, gradient: true)
      model.backward()
      pool.ranges(sum.count, grain: 65_536) { range in
        weir_add_squares(sum.base + range.lowerBound, model.gradients.base + range.lowerBound, range.count, scale)
      }
      progress.update(Double(index + 1), of: Double(sequences.count), unit: "sequences", detail: "Fisher information")
    }
    guard sum.isFinite else { throw WeirError("ewc", "the Fisher information contains NaN/Inf", remedy: "use another model") }
    return sum
  }

  /// Reads it from a folder, or computes and stores it there. A damaged folder is computed again, to the same bits.
  /// - Parameters:
  ///   - model: makes a model with the initial weights for one row per batch.
  ///   - run: the checksum of the run's identity.
  static func load(
    _ folder: String, _ layout: ParameterLayout, data: FisherData, run: String, pool: ThreadPool, progress: Pipeline.Progress,
    model: () -> Transformer
  ) throws -> FloatBuffer {
    if Files.exists(folder) {
      if let stored = try? read(folder, layout: layout, run: run) { return stored }
      progress.note("\(folder): is damaged; computing the Fisher information again")
    }
    let fisher = try compute(model(), data.sequences, pool: pool, progress: progress)
    let output = try AtomicFolder(folder, replacing: true)
    let writer = try SafetensorsWriter(output.working + "/" + file, layout: layout.tensors.map { ($0.name, .F32, $0.shape) })
    for tensor in layout.tensors {
      try writer.append(UnsafeBufferPointer(start: fisher.base + tensor.range.lowerBound, count: tensor.range.count))
    }
    _ = try writer.commit()
    _ = try output.commit(
      format: format, tool: Tool.name, inputs: ["run": run, "data": data.fingerprint], configuration: .object([:]),
      counts: ["sequences": data.sequences.count])
    return fisher
  }

  private static func read(_ folder: String, layout: ParameterLayout, run: String) throws -> FloatBuffer {
    let manifest = try Manifest.read(folder: folder, format: format)
    if let problem = try manifest.verifyFiles(in: folder).first { throw WeirError(folder, problem) }
    guard manifest.inputs["run"] == run else { throw WeirError(folder, "belongs to another run") }
    let stored = try SafetensorsFile(folder + "/" + file), fisher = FloatBuffer(layout.count)
    for tensor in layout.tensors {
      guard stored.shape(tensor.name) == tensor.shape else { throw WeirError(stored.path, "tensor \"\(tensor.name)\" has another shape") }
      try stored.withFloats(tensor.name) { fisher.write($0, at: tensor.range.lowerBound) }
    }
    return fisher
  }
}
