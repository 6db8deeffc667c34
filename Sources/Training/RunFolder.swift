import Storage

/// The paths inside a run folder.
package struct RunFolder: Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  /// Whether the folder holds a run, finished or not.
  package var exists: Bool { Files.exists(description) }

  /// Configuration, model and data of the run: `TrainingRun.Identity`.
  package var description: String { path + "/run.json" }
  /// One line per step and per rollback: `LogEntry`.
  package var log: String { path + "/log.jsonl" }
  /// One line per evaluation of a validation set: `EvaluationRecord`.
  package var evaluations: String { path + "/evaluations.jsonl" }
  /// Which row comes at which position, if the run draws packed rows.
  package var order: String { path + "/order.json" }
  /// The generations of the initial model that a finetuning run replays, if it does. They are written before the run starts.
  package var selfReplay: String { path + "/" + Self.selfReplayName }
  /// The result of a finished run: `TrainingReport`.
  package var report: String { path + "/report.json" }
  /// The final model; with a moving average of the weights, the averaged one.
  package var model: String { path + "/model" }
  /// With a moving average of the weights, the model without averaging.
  package var lastModel: String { path + "/model-last" }
  /// The adapter of a run with low-rank adaptation, as PEFT writes it.
  package var adapter: String { path + "/adapter" }
  /// The stored predictions of the initial model, for label annealing.
  package var teacher: String { path + "/teacher" }
  /// The Fisher information of the initial model, for elastic weight consolidation.
  package var fisher: String { path + "/fisher" }
  package var checkpoints: String { path + "/checkpoints" }
  /// Runs of the same finetuning with other settings, one of which became this run.
  package var tries: String { path + "/" + Self.triesName }
  private static let triesName = "tries"

  /// The folder of the checkpoint after `step` steps.
  package func checkpoint(step: Int) -> String {
    let digits = String(step)
    return checkpoints + "/" + Self.checkpointPrefix + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  /// The folder of the model after `step` steps, kept because the run may end with it.
  func selected(step: Int) -> String { checkpoints + "/" + Self.selectedPrefix + String(step) }

  /// All checkpoints, oldest first.
  package func allCheckpoints() throws -> [(step: Int, path: String)] { try checkpoints(Self.checkpointPrefix) }

  /// The models that the run may end with, oldest first.
  func allSelected() throws -> [(step: Int, path: String)] { try checkpoints(Self.selectedPrefix) }

  private func checkpoints(_ prefix: String) throws -> [(step: Int, path: String)] {
    guard Files.isFolder(checkpoints) else { return [] }
    return try Files.entries(of: checkpoints).compactMap { name in
      guard name.hasPrefix(prefix), let step = Int(name.dropFirst(prefix.count)) else { return nil }
      return (step, checkpoints + "/" + name)
    }.sorted { $0.step < $1.step }
  }

  /// Removes a checkpoint. It loses its name first, so that a process that is killed in between leaves no damaged checkpoint.
  func removeCheckpoint(_ path: String) throws {
    let doomed = path + Self.partialSuffix
    try Files.remove(doomed)
    try Files.move(path, to: doomed)
    try Files.remove(doomed)
  }

  /// Removes what a killed process left among the checkpoints.
  func removeUnfinishedCheckpoints() throws {
    guard Files.isFolder(checkpoints) else { return }
    for name in try Files.entries(of: checkpoints) where name.hasSuffix(Self.partialSuffix) {
      guard name.hasPrefix(Self.checkpointPrefix) || name.hasPrefix(Self.selectedPrefix) else { continue }
      try Files.remove(checkpoints + "/" + name)
    }
  }

  /// Takes the name of a damaged checkpoint, so that training can write one of the same step.
  /// - Returns: its new path.
  func setAside(checkpoint path: String) throws -> String {
    let aside = path + Self.damagedSuffix
    try Files.remove(aside)
    try Files.move(path, to: aside)
    return aside
  }

  /// Removes what a finished run does not need: all checkpoints but the permanent ones, and those that were damaged.
  func removePassingCheckpoints() throws {
    try removeUnfinishedCheckpoints()
    if Files.isFolder(checkpoints) {
      for name in try Files.entries(of: checkpoints) where name.hasPrefix(Self.checkpointPrefix) && name.hasSuffix(Self.damagedSuffix) {
        try Files.remove(checkpoints + "/" + name)
      }
    }
    for old in try allSelected() { try removeCheckpoint(old.path) }
    for old in try allCheckpoints() where (try? Checkpoint.state(old.path).isPermanent) != true { try removeCheckpoint(old.path) }
  }

  private static let checkpointPrefix = "step-"
  private static let selectedPrefix = "selected-"
  static let partialSuffix = ".partial"
  private static let damagedSuffix = ".damaged"

  private static let selfReplayName = "self-replay.jsonl"

  /// Names that a folder may contain before it holds a run.
  static let preparations: Set = [OutputLock.suffix, selfReplayName, triesName, ChecksumList.fileName]

  /// Puts the generations on the list of checksums, where they stay while the run is being written.
  package func sealSelfReplay() throws { try ChecksumList.add([Self.selfReplayName], in: path) }

  /// The files that the list of checksums covers once the run has finished; models and checkpoints have manifests.
  private static let sealed = ["run.json", "log.jsonl", "evaluations.jsonl", "report.json", "order.json"]

  /// Takes the run's files from the list of checksums before they are written.
  func unseal() throws { try ChecksumList.remove(Self.sealed, in: path) }

  /// Puts the run's files on the list of checksums.
  func seal() throws { try ChecksumList.add(Self.sealed, in: path) }

  /// The files that the list does not cover, for `weir verify`.
  func noteUnsealed(_ context: any VerificationContext) throws { try ChecksumList.noteMissing(Self.sealed, in: path, context) }
}
