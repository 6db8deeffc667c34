import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import Tokens

/// A training run in a run folder, see `RunFolder`.
///
/// The result is a function of configuration, data and initial model alone: an interrupted run resumes from its last checkpoint and ends
/// with the same bits, and a finished run returns its report at once.
package enum TrainingRun {
  /// The inputs of a run; `run.json`. A folder holds one run only.
  struct Identity: Codable, Equatable {
    var format: String = RunFolder.format
    var configuration: TrainingConfiguration
    var model: ModelConfiguration
    /// The fingerprint of the initial model.
    var initial: String
    /// The fingerprint of the batch source.
    var data: String
    /// Rows, and tokens per row.
    var batch: [Int]
    var validation: [String]

    /// The values that tell two runs apart, with their names.
    func members() throws -> [(name: String, value: [UInt8])] {
      [
        ("configuration", try JSONFile.encode(configuration)), ("model", try JSONFile.encode(model)),
        ("initial model", Array(initial.utf8)), ("dataset or mixture", Array(data.utf8)), ("batch", try JSONFile.encode(batch)),
        ("validation sets", try JSONFile.encode(validation)),
      ]
    }

    /// The names of the members in which two runs differ.
    func differences(_ other: Identity) throws -> String {
      try zip(members(), other.members()).filter { $0.value != $1.value }.map(\.0.name).joined(separator: ", ")
    }
  }

  /// Trains a model, or resumes.
  /// - Parameters:
  ///   - configuration: the training configuration.
  ///   - initial: the initial weights.
  ///   - source: the batches.
  ///   - validation: sets to evaluate on.
  ///   - folder: the run folder.
  ///   - tokenizer: a folder with tokenizer files to copy into every model folder.
  ///   - endOfDocument: the end-of-document token, for the model's configuration files.
  ///   - threads: threads per rank; does not affect the result.
  ///   - recompute: whether the backward pass recomputes activations; does not affect the result.
  ///   - ranks: the ranks that share the rows of every batch, each with the same arguments.
  ///   - progress: updated every step; if asked to stop, the run writes a checkpoint and throws `Stopped`.
  /// - Throws: `WeirError` if the folder holds another run, the data do not fit the model, or the run has used up its rollbacks.
  package static func run(
    configuration: TrainingConfiguration, initial: ModelInitialization, source: any BatchSource, validation: [ValidationSet] = [],
    folder: String, tokenizer: String? = nil, endOfDocument: Int? = nil, threads: Int = 2, recompute: Bool = false, ranks: Ranks? = nil,
    progress: Pipeline.Progress = .silent
  ) throws -> TrainingReport {
    try configuration.validate()
    let (model, origin) = try initial.resolve()
    try model.validate(place: "modelConfiguration")
    guard source.rows > 0 else { throw WeirError("rows", "must be at least 1, not \(source.rows)") }
    guard source.sequence > 0, source.sequence <= model.sequence else {
      throw WeirError("sequence", "must be in 1…\(model.sequence), the positions of the model, not \(source.sequence)")
    }
    guard source.rows % configuration.microBatches == 0 else {
      throw WeirError(
        "accumulate", "a batch of \(source.rows) rows cannot be divided into \(configuration.microBatches) equal micro-batches")
    }
    guard configuration.precision?.isSupported ?? true else {
      throw WeirError("precision", "this processor does not support bfloat16 products (AVX512-BF16)", remedy: "use float32")
    }
    let identity = Identity(
      configuration: configuration, model: model, initial: origin, data: source.fingerprint, batch: [source.rows, source.sequence],
      validation: validation.map { "\($0.name) \($0.documents.count) documents \($0.documents.reduce(0) { $0 + $1.tokens.count }) tokens" })
    let ranks = RankGroup(ranks), folder = RunFolder(folder)
    guard ranks.count <= source.rows else {
      throw WeirError("rows", "a batch of \(source.rows) rows cannot be divided among \(ranks.count) ranks", remedy: "start fewer ranks")
    }
    try ranks.checkAgreement {
      let program = "/proc/self/exe"
      let checksum = Files.exists(program) ? try Checksum.hex(file: program) : ""
      return try identity.members() + [("program", Array(checksum.utf8))]
    }
    if let report = try ranks.broadcast({ try claim(folder, identity) }) { return report }
    let session = try TrainingSession(
      identity: identity, initial: initial, source: source, validation: validation, folder: folder, tokenizer: tokenizer,
      endOfDocument: endOfDocument, threads: threads, recompute: recompute, ranks: ranks)
    return try session.run(progress)
  }

  /// The fingerprint of a run's batch source, its random seed and the shape of its batches.
  package static func batches(run folder: String) throws -> (data: String, randomSeed: UInt64, rows: Int, sequence: Int) {
    let path = RunFolder(folder).description
    let identity = try JSONFile.read(Identity.self, from: path)
    guard identity.batch.count == 2 else { throw WeirError(path, "\"batch\" is \(identity.batch), expected [rows, tokens per row]") }
    return (identity.data, identity.configuration.randomSeed, identity.batch[0], identity.batch[1])
  }

  /// Claims the folder for this run.
  /// - Returns: the report, if the run has already finished.
  private static func claim(_ folder: RunFolder, _ identity: Identity) throws -> TrainingReport? {
    guard Files.exists(folder.description) else {
      if Files.isFolder(folder.path), try !Files.entries(of: folder.path).isEmpty {
        throw WeirError(folder.path, "is not empty and not a run folder", remedy: "choose another folder")
      }
      try Files.createFolder(folder.path)
      try JSONFile.write(identity, to: folder.description)
      return nil
    }
    let other = try JSONFile.read(Identity.self, from: folder.description)
    guard other == identity else {
      throw WeirError(
        folder.path, "contains a different run; these differ: \(try identity.differences(other))",
        remedy: "choose another folder or remove this one")
    }
    return Files.exists(folder.report) ? try JSONFile.read(TrainingReport.self, from: folder.report) : nil
  }
}
