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
    /// Held-out sets in runs of earlier versions. They do not determine the model, and the records of evaluations identify them.
    var validation: [String]?

    /// What the checkpoints of the run refer to.
    var key: String { get throws { Checksum.hex(Checksum.xxh3(try JSONFile.encode(self))) } }

    /// The values that tell two runs apart, with their names.
    func members() throws -> [(name: String, value: [UInt8])] {
      [
        ("configuration", try JSONFile.encode(configuration)), ("model", try JSONFile.encode(model)),
        ("initial model", Array(initial.utf8)), ("dataset or mixture", Array(data.utf8)), ("batch", try JSONFile.encode(batch)),
      ]
    }

    /// The names of the members in which two runs differ.
    func differences(_ other: Identity) throws -> String {
      try zip(members(), other.members()).filter { $0.value != $1.value }.map(\.0.name).joined(separator: ", ")
    }
  }

  /// What a folder says about a run before it starts.
  private struct Claim: Codable {
    /// As in `run.json`.
    var identity: Identity
    /// The report of a finished run.
    var report: TrainingReport?
  }

  /// Trains a model, or resumes. A finished run returns its report, after it has evaluated the sets that are not on record.
  /// - Parameters:
  ///   - configuration: the training configuration.
  ///   - initial: the initial weights.
  ///   - adapter: a PEFT adapter to start from, with the settings of `configuration.lowRank`.
  ///   - fisher: the sequences for `configuration.ewc`.
  ///   - source: the batches.
  ///   - validation: sets to evaluate on.
  ///   - folder: the run folder.
  ///   - tokenizer: a folder with tokenizer files to copy into every model folder.
  ///   - endOfDocument: the end-of-document token, for the model's configuration files.
  ///   - evaluatesInitial: whether to evaluate the initial model, too.
  ///   - threads: threads per rank; does not affect the result.
  ///   - recompute: whether the backward pass recomputes activations; does not affect the result.
  ///   - ranks: the ranks that share the rows of every batch, each with the same arguments.
  ///   - progress: updated every step; if asked to stop, the run writes a checkpoint and throws `Stopped`.
  /// - Throws: `WeirError` if another process trains in the folder, it holds another run, the data do not fit the model, or the run has used
  ///   up its rollbacks.
  package static func run(
    configuration: TrainingConfiguration, initial: ModelInitialization, adapter: String? = nil, fisher: FisherData? = nil,
    source: any BatchSource, validation: [ValidationSet] = [], folder: String, tokenizer: String? = nil, endOfDocument: Int? = nil,
    evaluatesInitial: Bool = false, threads: Int = 2, recompute: Bool = false, ranks: Ranks? = nil,
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
    try check(configuration, adapter, fisher, model: model, base: origin)
    let identity = Identity(
      configuration: configuration, model: model, initial: origin, data: source.fingerprint, batch: [source.rows, source.sequence])
    let names = validation.map(\.name)
    if let name = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw WeirError(name, "two held-out sets have this name", remedy: "rename one of the files")
    }
    let ranks = RankGroup(ranks), folder = RunFolder(folder)
    guard ranks.count <= source.rows else {
      throw WeirError("rows", "a batch of \(source.rows) rows cannot be divided among \(ranks.count) ranks", remedy: "start fewer ranks")
    }
    try ranks.checkAgreement {
      let program = "/proc/self/exe"
      let checksum = Files.exists(program) ? try Checksum.hex(file: program) : ""
      let sets = try JSONFile.encode(validation.map { [$0.name, $0.fingerprint] })
      return try identity.members() + [("validation sets", sets), ("program", Array(checksum.utf8))]
    }
    let lock = ranks.isRoot ? try OutputLock(filling: folder.path) : nil
    defer { lock?.release() }
    let claim = try ranks.broadcast { try claimed(folder, identity, progress) }
    if ranks.isRoot, !Files.exists(folder.order) { try source.writeOrder(to: folder.order) }
    if let report = claim.report {
      return try evaluate(
        report, validation, initial: evaluatesInitial ? initial.folder : nil, folder: folder, sequence: source.sequence,
        pool: ThreadPool(threads: threads), ranks: ranks, progress)
    }
    let session = try TrainingSession(
      identity: claim.identity, initial: initial, adapter: adapter, fisher: fisher, source: source, validation: validation, folder: folder,
      tokenizer: tokenizer, endOfDocument: endOfDocument, evaluatesInitial: evaluatesInitial, threads: threads, recompute: recompute,
      ranks: ranks, progress: progress)
    return try session.run(progress)
  }

  /// Throws `WeirError` if what the configuration refers to is not given.
  private static func check(
    _ configuration: TrainingConfiguration, _ adapter: String?, _ fisher: FisherData?, model: ModelConfiguration, base: String
  ) throws {
    guard configuration.ewc?.data == fisher?.fingerprint, configuration.ewc?.sequences == fisher?.sequences.count else {
      throw WeirError("ewc", "the sequences are not those of the configuration")
    }
    guard fisher.map({ !$0.sequences.isEmpty }) ?? true else {
      throw WeirError("ewc", "there is no sequence of two tokens to estimate the Fisher information from")
    }
    guard configuration.lowRank?.initial == (try adapter.map { try AdapterFolder.fingerprint($0) }) else {
      throw WeirError("lowRank.initial", "the adapter is not that of the configuration")
    }
    if let adapter, let setting = configuration.lowRank { try AdapterFolder.check(adapter, setting, model: model, base: base) }
  }

  /// Evaluates a finished model on the sets that are not on record, such as a file that was edited.
  /// - Parameter initial: the folder of the initial model, to evaluate it as well.
  private static func evaluate(
    _ report: TrainingReport, _ validation: [ValidationSet], initial: String?, folder: RunFolder, sequence: Int, pool: ThreadPool,
    ranks: RankGroup,
    _ progress: Pipeline.Progress
  ) throws -> TrainingReport {
    var records = try ranks.broadcast { () throws -> [EvaluationRecord] in
      Files.exists(folder.evaluations) ? try RunLog.records(EvaluationRecord.self, folder.evaluations) : report.evaluations
    }
    let models =
      (initial.map { [(step: 0, tokens: 0, path: $0)] } ?? []) + [(step: report.modelStep, tokens: report.tokens, path: folder.model)]
    let missing = models.map { records.missing(validation, step: $0.step) }, isMissing = missing.contains { !$0.isEmpty }
    if isMissing {
      let names = validation.map(\.name).filter { name in missing.contains { $0.contains { $0.name == name } } }
      progress.note("\(folder.path): has finished; evaluating the model on \(names.joined(separator: ", "))")
      if ranks.isRoot { try folder.unseal() }
      let log = ranks.isRoot ? try RunLog(folder.evaluations, through: report.steps) : RunLog()
      for (model, missing) in zip(models, missing) where !missing.isEmpty {
        let (configuration, parameters) = try ModelFolder.load(model.path)
        let evaluator = Evaluator(configuration, parameters: parameters, sequence: sequence, pool: pool)
        for set in missing {
          let result = try evaluator.evaluate(set.documents, ranks: ranks)
          guard result.loss.isFinite else { throw WeirError(model.path, "the loss on \(set.name) is NaN or infinite") }
          let record = EvaluationRecord(step: model.step, tokens: model.tokens, set, result)
          try log.append(record.line)
          records.append(record)
        }
      }
      try log.synchronize()
    }
    var current = report
    current.evaluations = records.current(validation, others: report.evaluations)
    if initial != nil { current.changes = LossChange.all(current.evaluations, step: report.modelStep) }
    if ranks.isRoot, current != report || isMissing {
      try folder.unseal()
      if current != report { try JSONFile.write(current, to: folder.report) }
      try folder.seal()
    }
    return current
  }

  /// The fingerprint of a run's batch source, its random seed and the shape of its batches.
  package static func batches(run folder: String) throws -> (data: String, randomSeed: UInt64, rows: Int, sequence: Int) {
    let path = RunFolder(folder).description
    let identity = try JSONFile.read(Identity.self, from: path)
    guard identity.batch.count == 2 else { throw WeirError(path, "\"batch\" is \(identity.batch), expected [rows, tokens per row]") }
    return (identity.data, identity.configuration.randomSeed, identity.batch[0], identity.batch[1])
  }

  /// The rows that a run has read.
  /// - Parameter checkpoint: a checkpoint or model folder of the run; nil for the run as it is now.
  package static func rowsRead(of run: String, checkpoint: String?) throws -> Int {
    let rows = try batches(run: run).rows
    if let checkpoint, Checkpoint.exists(checkpoint) {
      let state = try Checkpoint.state(checkpoint)
      return (state.step + (state.skippedBatches ?? 0)) * rows
    }
    let report = try RunFolder(run).currentReport()
    return (report.batches ?? report.steps) * rows
  }

  /// Claims the folder for this run.
  private static func claimed(_ folder: RunFolder, _ identity: Identity, _ progress: Pipeline.Progress) throws -> Claim {
    guard Files.exists(folder.description) else {
      if try Files.entries(of: folder.path).contains(where: {
        !RunFolder.preparations.contains($0) && !$0.hasSuffix(RunFolder.partialSuffix)
      }) {
        throw WeirError(folder.path, "is not empty and not a run folder", remedy: "choose another folder")
      }
      try JSONFile.write(identity, to: folder.description)
      return Claim(identity: identity)
    }
    let known = try JSONFile.read(Identity.self, from: folder.description)
    let differences = try identity.differences(known)
    guard differences.isEmpty else {
      throw WeirError(
        folder.path, "contains a different run; these differ: \(differences)",
        remedy: "choose another folder or remove this one")
    }
    guard Files.exists(folder.report) else { return Claim(identity: known) }
    let configuration = identity.configuration
    let results =
      [(path: folder.model, format: ModelFolder.format)] + (configuration.emaDecay == nil ? [] : [(folder.lastModel, ModelFolder.format)])
      + (configuration.lowRank == nil ? [] : [(folder.adapter, AdapterFolder.format)])
    guard let (path, problem) = results.lazy.compactMap({ path, format in self.problem(of: path, format).map { (path, $0) } }).first else {
      try folder.removePassingCheckpoints()
      return Claim(identity: known, report: try JSONFile.read(TrainingReport.self, from: folder.report))
    }
    let key = try known.key
    let isRebuildable = try folder.allCheckpoints().contains { Checkpoint.problem($0.path, step: $0.step, run: key) == nil }
    // A folder without a manifest may hold anything.
    guard !Files.exists(path) || Files.exists(path + "/" + Manifest.fileName) else {
      let reason = "has no \(Manifest.fileName), so nothing tells whether it is the one that this run wrote"
      throw isRebuildable
        ? WeirError(path, reason, remedy: "move it away; the same command then rebuilds it from the last checkpoint")
        : WeirError(
          path, reason, remedy: "restore \(Manifest.fileName) from a copy, or keep it where it is and train in another folder")
    }
    guard isRebuildable else {
      throw WeirError(
        path, "the run has finished, but lost this folder, and no checkpoint is left to rebuild it from: \(problem)",
        remedy: "restore it from a copy, or remove \(folder.path) to train again")
    }
    progress.note("\(problem); rebuilding \(path) from the last checkpoint")
    try Files.remove(folder.report)
    return Claim(identity: known)
  }

  /// Why the model or adapter of a finished run cannot be used; nil if its weights are as they were written.
  private static func problem(of path: String, _ format: String) -> String? {
    do {
      for file in try Manifest.read(folder: path, format: format).files {
        // Files other than the weights may have been edited.
        let isWeights = file.name.hasSuffix(SafetensorsFile.fileSuffix)
        if isWeights || !Files.exists(path + "/" + file.name), let problem = try file.problem(in: path) { return problem }
      }
      return nil
    } catch { return (error as? WeirError).map { "\($0.place): \($0.reason)" } ?? "\(error)" }
  }
}
