import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import Tokens

/// A training run in a folder: `run.json` (what it is), `log.jsonl` (a line a step), `evaluations.jsonl`, `checkpoints/step-N`, and at the
/// end `model` and `report.json`.
///
/// Everything is a function of configuration, data and initial model: an interrupted run goes on from its last checkpoint to the same
/// bits, and a finished one returns its report at once.
package enum TrainingRun {
  /// What names a run; a folder holds one.
  struct Identity: Codable, Equatable {
    var format = "weir.run.1"
    var configuration: TrainingConfiguration
    var model: ModelConfiguration
    var initial: String
    var data: String
    var batch: [Int]
    var validation: [String]

    /// Its members as bytes, and the program.
    func members() throws -> [(name: String, value: [UInt8])] {
      var members = [
        ("configuration", try JSONFile.encode(configuration)), ("model", try JSONFile.encode(model)),
        ("initial model", Array(initial.utf8)),
        ("dataset or mixture", Array(data.utf8)), ("batch", try JSONFile.encode(batch)),
        ("validation sets", try JSONFile.encode(validation)),
      ]
      let program = "/proc/self/exe"
      if Files.exists(program) { members.append(("program", Array(Checksum.hex(try Checksum.xxh3(file: program)).utf8))) }
      return members
    }

    /// The members in which two runs differ.
    func differences(_ other: Identity) -> [String] {
      [
        ("configuration", configuration == other.configuration), ("model", model == other.model),
        ("initial model", initial == other.initial),
        ("data", data == other.data), ("batch", batch == other.batch), ("validation sets", validation == other.validation),
      ].filter { !$0.1 }.map(\.0)
    }
  }

  /// Trains, or goes on training.
  /// - Parameters:
  ///   - configuration: what to do.
  ///   - initial: where to begin.
  ///   - source: the batches; the batch of a step is a function of the step.
  ///   - validation: sets to evaluate on.
  ///   - folder: the run's folder.
  ///   - tokenizer: a folder whose tokenizer files go along with every model.
  ///   - endOfDocument: the id that ends a document, for the model's configuration.
  ///   - threads: threads; no result depends on them.
  ///   - recompute: whether activations are computed anew in the backward pass; no result depends on it.
  ///   - ranks: the processes that train together, each with the same arguments; the rows of a batch are divided among them.
  ///   - progress: told every step; when it stops, a checkpoint is written and `Stopped` thrown.
  /// - Returns: the report.
  /// - Throws: `WeirError` where the folder holds another run, the data do not fit, or the loss stays no number.
  package static func run(
    configuration: TrainingConfiguration, initial: ModelInitialisation, source: any BatchSource, validation: [ValidationSet] = [],
    folder: String, tokenizer: String? = nil, endOfDocument: Int? = nil, threads: Int = 2, recompute: Bool = false, ranks: Ranks? = nil,
    progress: Pipeline.Progress = .silent
  ) throws -> TrainingReport {
    try configuration.validate()
    let (model, origin) = try resolve(initial)
    try model.validate(place: "--preset")
    guard source.rows > 0, source.sequence > 0 else { throw WeirError("--batch", "batches must hold rows and positions") }
    guard source.sequence <= model.sequence else {
      throw WeirError("--sequence", "\(source.sequence) positions are more than the model's \(model.sequence)")
    }
    guard source.rows % configuration.microBatches == 0 else {
      throw WeirError("--accumulate", "\(source.rows) sequences of a batch cannot be cut into \(configuration.microBatches) equal parts")
    }
    guard configuration.precision?.isSupported ?? true else {
      throw WeirError(
        "--precision", "this processor has no dot product of bfloat16 (AVX512-BF16)", remedy: "use --precision auto or float32")
    }
    let identity = Identity(
      configuration: configuration, model: model, initial: origin, data: source.fingerprint, batch: [source.rows, source.sequence],
      validation: validation.map { "\($0.name) \($0.documents.count) documents \($0.documents.reduce(0) { $0 + $1.tokens.count }) tokens" })
    let crew = Crew(ranks)
    guard crew.count <= source.rows else {
      throw WeirError("--batch", "\(source.rows) sequences cannot be divided among \(crew.count) ranks", remedy: "start fewer ranks")
    }
    try crew.checkAgreement { try identity.members() }
    if let report = try crew.share({ try claim(folder, identity) }) { return report }
    let session = try TrainingSession(
      identity: identity, initial: initial, source: source, validation: validation, folder: folder, tokenizer: tokenizer,
      endOfDocument: endOfDocument, threads: threads, recompute: recompute, crew: crew)
    return try session.run(progress)
  }

  /// The shape and the name of an initial model.
  static func resolve(_ initial: ModelInitialisation) throws -> (ModelConfiguration, String) {
    switch initial {
    case .scratch(let configuration): return (configuration, "scratch")
    case .folder(let path):
      let configuration = try ModelFolder.configuration(path)
      try ModelFolder.check(path, configuration: configuration)
      return (configuration, "model \(try ModelFolder.fingerprint(path))")
    case .checkpoint(let path, let optimizer):
      let manifest = try Manifest.read(folder: path, format: Checkpoint.format)
      let model = try Checkpoint.state(path).model
      try model.validate(place: path)
      try ModelFolder.check(path, configuration: model)
      return (model, "checkpoint \(manifest.fingerprint)\(optimizer ? " with moments" : "")")
    }
  }

  /// Makes the folder this run's, or finds it finished.
  private static func claim(_ folder: String, _ identity: Identity) throws -> TrainingReport? {
    let path = folder + "/run.json"
    guard Files.exists(path) else {
      if Files.isFolder(folder), try !Files.entries(of: folder).isEmpty {
        throw WeirError(folder, "is not empty and no run of ours", remedy: "choose another folder")
      }
      try Files.createFolder(folder)
      try JSONFile.write(identity, to: path)
      return nil
    }
    let other = try JSONFile.read(Identity.self, from: path)
    guard other == identity else {
      throw WeirError(
        folder, "holds another run: its \(identity.differences(other).joined(separator: ", ")) differ",
        remedy: "choose another folder or remove this one")
    }
    let report = folder + "/report.json"
    return Files.exists(report) ? try JSONFile.read(TrainingReport.self, from: report) : nil
  }
}
