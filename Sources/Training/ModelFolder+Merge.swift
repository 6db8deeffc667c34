import Foundation
import Pipeline
import Primitives
import Storage

/// How the weights of several models are combined.
package enum MergeMethod: String, Codable, Sendable, CaseIterable {
  /// The weighted mean.
  case linear
  /// Interpolation of two models along the arc between them (Shoemake 1985), tensor by tensor as in mergekit: the angle is that of the whole
  /// tensors, and nearly parallel ones are interpolated linearly.
  case spherical

  /// The factor of each of two tensors at `position` in 0…1 between them.
  func factors(_ one: [Float], _ other: [Float], position: Double) -> (Double, Double) {
    var products = 0.0, first = 0.0, second = 0.0
    for index in one.indices {
      let (a, b) = (Double(one[index]), Double(other[index]))
      products += a * b
      first += a * a
      second += b * b
    }
    let norms = (first * second).squareRoot(), cosine = norms > 0 ? products / norms : 1
    guard abs(cosine) <= 0.9995 else { return (1 - position, position) }
    let angle = acos(cosine)
    return (sin((1 - position) * angle) / sin(angle), sin(position * angle) / sin(angle))
  }
}

extension ModelFolder {
  /// Writes a model whose weights are combined from those of several models of one shape, tensor by tensor; everything else is that of the first.
  /// - Parameters:
  ///   - models: model folders, with weights that sum to 1.
  ///   - folder: replaced if it is a Weir folder.
  ///   - settings: what the manifest records.
  /// - Throws: `WeirError` if the shapes differ, or a weight is NaN or infinite.
  @discardableResult
  package static func merge(
    _ models: [(folder: String, weight: Double)], method: MergeMethod, to folder: String, settings: JSONValue,
    progress: Pipeline.Progress = .silent
  ) throws -> Manifest {
    precondition(!models.isEmpty && (method == .linear || models.count == 2), "the method does not fit the number of models")
    let first = models[0].folder, shape = try configuration(first)
    for (other, _) in models.dropFirst() {
      if let difference = try shape.difference(from: configuration(other)) {
        throw WeirError(
          other, "its \(difference.name) is \(difference.other), that of \(first) is \(difference.own)",
          remedy: "merge models of one shape")
      }
    }
    var inputs: [String: String] = [:]
    for (number, model) in models.enumerated() {
      try checkFiles(model.folder)
      inputs["model \(number + 1)"] = try fingerprint(model.folder)
    }
    let files = try models.map { try open($0.folder, shape) }, tensors = files[0].map(\.0)
    let output = try AtomicFolder(folder, replacing: true)
    let writer = try SafetensorsWriter(
      output.working + "/model.safetensors", layout: tensors.map { ($0.name, .F32, $0.shape) }, metadata: ["format": "pt"])
    for (index, tensor) in tensors.enumerated() {
      try progress.checkStop()
      progress.update(Double(index), of: Double(tensors.count), unit: "tensors", detail: tensor.name)
      let parts = try files.map { try floats($0[index].1) }
      var factors = models.map(\.weight)
      if method == .spherical {
        let (one, other) = method.factors(parts[0], parts[1], position: models[1].weight)
        factors = [one, other]
      }
      // A model of weight 0 leaves no trace, not even in the sign of a zero.
      let terms = zip(parts, factors).filter { $0.1 != 0 }
      let merged = parts[0].indices.map { i in
        Float(terms.dropFirst().reduce((terms.first.map { Double($0.0[i]) * $0.1 }) ?? 0) { $0 + Double($1.0[i]) * $1.1 })
      }
      try merged.withUnsafeBufferPointer { try writer.append($0) }
    }
    _ = try writer.commit()
    try carryOver(first, to: output.working)
    return try output.commit(
      format: format, tool: Tool.name, inputs: inputs, configuration: settings, counts: ["parameters": shape.parameters])
  }
}

extension ModelConfiguration {
  /// The first property in which two shapes differ; nil if the weights of one fit the other and mean the same.
  func difference(from other: ModelConfiguration) throws -> (name: String, own: String, other: String)? {
    guard case .object(let mine) = try JSONValue(encoding: self), case .object(let theirs) = try JSONValue(encoding: other) else {
      return nil
    }
    func text(_ value: JSONValue?) throws -> String { try value.map { String(decoding: try JSONFile.encode($0), as: UTF8.self) } ?? "none" }
    // The positions bound the texts, not the weights.
    for name in Set(mine.keys).union(theirs.keys).sorted() where name != "sequence" && mine[name] != theirs[name] {
      return (name, try text(mine[name]), try text(theirs[name]))
    }
    return nil
  }
}
