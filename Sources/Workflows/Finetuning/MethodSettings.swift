import Primitives
import Storage
import Tokenization
import Training

/// How a model is finetuned: one method, or several that combine.
package struct MethodSettings: Codable, Sendable {
  package enum Method: String, Codable, Sendable, CaseIterable {
    /// Minimizes the cross-entropy on the data.
    case direct
    /// Label annealing: adds the divergence from the initial model.
    case anneal
    /// Adds the squared distance from the initial weights.
    case l2
    /// Elastic weight consolidation: the same, weighted by the Fisher information.
    case ewc
    /// Trains a low-rank adapter only.
    case lora
    /// Weights the cross-entropy of each token by its probability, and adds the divergence from the initial model (ASFT).
    case asft
  }

  package var methods: [Method] = [.anneal]
  /// λ, the weight of the divergence in label annealing.
  package var lambda = 1.0
  package var temperature = 1.0
  package var side = AnnealingSide.both
  package var direction = AnnealingDirection.reverse
  package var schedule = AnnealingSchedule.constant
  /// The tokens per position whose probability under the initial model is stored for all epochs; nil to compute all in every step.
  package var teacherTopK: Int?
  /// The weight of `l2`. Ours, like the next.
  package var l2 = 0.01
  /// The weight of `ewc`.
  package var ewc = 1_000.0
  /// Files of documents that represent what is to be retained, for `ewc`.
  package var fisherData: [String] = []
  /// The largest number of sequences that the Fisher information is estimated from.
  package var fisherSamples = 256
  package var lowRank = LowRank()
  /// The folder of a PEFT adapter to start from.
  package var adapter: String?
  /// α, the weight of the divergence in ASFT; 0 for DFT.
  package var asftAlpha = 0.1

  package init() {}

  /// The methods as in `--method`, in the order of `Method`.
  package var name: String { Method.allCases.filter(methods.contains).map(\.rawValue).joined(separator: ",") }

  package func uses(_ method: Method) -> Bool { methods.contains(method) }

  /// λ or α, where there is a divergence; otherwise 0.
  package var divergenceWeight: Double { uses(.anneal) ? lambda : uses(.asft) ? asftAlpha : 0 }

  /// Pairs that make no sense, with the reason.
  private static let conflicts: [(Method, Method, String)] = [
    (.anneal, .asft, "asft has a divergence term of its own, weighted by α"),
    (.l2, .lora, "an adapter starts at the initial weights, and the weight decay of its factors pulls toward them"),
    (.ewc, .lora, "the Fisher information needs full-size gradients, which an adapter avoids"),
  ]

  /// Throws `WeirError` with the name of the first invalid property.
  package func validate() throws {
    guard !methods.isEmpty else { throw WeirError("methods", "is an empty list") }
    if let twice = methods.first(where: { method in methods.count { $0 == method } > 1 }) {
      throw WeirError("methods", "names \(twice.rawValue) twice")
    }
    if uses(.direct), methods.count > 1 {
      throw WeirError(
        "methods", "direct adds nothing to the loss, so it does not combine with \(methods.filter { $0 != .direct }[0].rawValue)")
    }
    for (one, other, reason) in Self.conflicts where uses(one) && uses(other) {
      throw WeirError("methods", "\(one.rawValue) and \(other.rawValue) do not combine: \(reason)")
    }
    for (property, value) in [("l2", l2), ("ewc", ewc), ("asftAlpha", asftAlpha)] {
      guard value >= 0, value.isFinite else { throw WeirError(property, "must be a finite number ≥ 0, not \(value)") }
    }
    guard fisherSamples > 0 else { throw WeirError("fisherSamples", "must be positive, not \(fisherSamples)") }
    guard !uses(.ewc) || !fisherData.isEmpty else {
      throw WeirError(
        "fisherData", "ewc needs documents like those that the initial model was trained on", remedy: "name a file of them")
    }
    guard adapter == nil || uses(.lora) else { throw WeirError("adapter", "only lora starts from an adapter") }
    // The settings of an adapter to start from are checked when it is read.
    var settings = self, configuration = TrainingConfiguration(steps: 1)
    settings.adapter = nil
    try settings.apply(to: &configuration, fisher: nil)
    try configuration.validate()
  }

  /// Sets the terms of the loss and what is trained.
  package func apply(to configuration: inout TrainingConfiguration, fisher: FisherData?) throws {
    let schedule = schedule == .constant ? nil : schedule
    if uses(.anneal) {
      configuration.annealing = Annealing(
        lambda: lambda, temperature: temperature, direction: direction, side: side, schedule: schedule)
      configuration.annealing?.cached = teacherTopK
    }
    if uses(.asft) {
      configuration.weighted = true
      configuration.annealing = asftAlpha > 0 ? Annealing(lambda: asftAlpha) : nil
    }
    if uses(.l2) { configuration.l2 = l2 }
    if uses(.ewc), let fisher {
      configuration.ewc = ElasticConsolidation(weight: ewc, data: fisher.fingerprint, sequences: fisher.sequences.count)
    }
    if uses(.lora) { configuration.lowRank = try setting() }
  }

  /// The settings of the low-rank adapter: those of the adapter to start from, if there is one.
  private func setting() throws -> LowRank {
    guard let adapter else { return lowRank }
    var setting = try AdapterFolder.setting(adapter)
    setting.dropout = lowRank.dropout ?? setting.dropout
    return setting
  }

  /// The sequences for the Fisher information; nil without `ewc`.
  func fisherSequences(_ encoder: inout DocumentEncoder, length: Int) throws -> FisherData? {
    guard uses(.ewc) else { return nil }
    let documents = try encoder.encode(files: fisherData).map(\.ids), name = try fisherData.map { try Checksum.hex(file: $0) }
    guard documents.contains(where: { $0.count > 1 }) else {
      throw WeirError(fisherData.joined(separator: " "), "no document has two tokens, the fewest for a gradient")
    }
    return FisherData(documents: documents, length: length, limit: fisherSamples, name: name.joined(separator: " "))
  }
}
