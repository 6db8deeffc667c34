import Pipeline
import Primitives
import Storage
import Training

/// Runs a sweep: one run folder per combination, which a repeated command resumes or skips.
package enum FinetuneSweepRun {
  package static func run(_ configuration: FinetuneSweepConfiguration, threads: Int, progress: Progress = .silent) throws -> FinetuneSweep {
    try configuration.validate()
    let cells = try configuration.cells(), folder = configuration.base.output
    let data = try FinetuneData(configuration.base, progress)
    let lock = try OutputLock(filling: folder)
    defer { lock.release() }
    var runs: [FinetuneSweep.Run] = []
    for (index, cell) in cells.enumerated() {
      let phase = progress.phase("\(index + 1)/\(cells.count) \(cell.name)")
      let job = FinetuneJob(configuration: cell.configuration, data: data, threads: threads, ranks: nil, progress: phase)
      runs.append(try measured(cell, job.run().training))
    }
    let sweep = FinetuneSweep(
      model: try ModelFolder.fingerprint(data.folder), target: data.sets.first { $0.role == nil }?.name ?? "",
      sources: data.sets.filter { $0.role == .source }.map(\.name), minimumGain: configuration.minimumGain, runs: runs)
    try JSONFile.writeSealed(sweep, to: FinetuneSweep.path(in: folder))
    return sweep
  }

  /// The changes of the losses in one run.
  private static func measured(_ cell: FinetuneSweepConfiguration.Cell, _ report: TrainingReport) throws -> FinetuneSweep.Run {
    let changes = report.changes ?? [], sources = changes.filter { $0.role == .source }
    guard let target = changes.first(where: { $0.role == nil }), !sources.isEmpty else {
      throw WeirError(
        cell.configuration.output, "has no loss of the initial model on the held-out documents",
        remedy: "remove it, and it is trained again")
    }
    let settings = cell.configuration.settings.training
    return FinetuneSweep.Run(
      run: cell.name, method: cell.method, strength: cell.configuration.strength, learningRate: settings.learningRate,
      randomSeed: settings.randomSeed, gain: -target.rise, rise: Statistics.mean(sources.map(\.rise)),
      riseBySource: Dictionary(sources.map { ($0.name, $0.rise) }) { $1 }, step: report.modelStep)
  }
}
