import Artifacts
import Clustering
import Filtering
import Foundation
import Pipeline
import Storage
import Tokens
import Workflows

/// A recipe run as its report shows it, put together from the reports of its steps. A section that the recipe does not have is nil or empty.
package struct RunSummary: Sendable {
  /// One recipe step that has run.
  package struct Step: Sendable {
    package var name: String
    /// What the step does, on one line.
    package var says: String
    /// Wall time over all attempts.
    package var seconds: Double
    /// Size of the outputs on disk.
    package var bytes: Int
  }

  /// A training or finetuning run.
  package struct Training: Sendable {
    /// The step.
    package var name: String
    /// The step that made the model it starts from; nil for random initialization, or a model from outside the run.
    package var parent: String?
    package var report: RunReport
    package var isFinished = true
    /// The description of a run that is reported by itself; nil in a recipe, which has the command.
    package var settings: JSONValue?

    package init(name: String, parent: String?, report: RunReport) { (self.name, self.parent, self.report) = (name, parent, report) }
  }

  /// What it takes to reproduce the run.
  package struct Provenance: Sendable {
    /// Fingerprints of the outputs, by path.
    package var fingerprints: [String: String]
    /// Random seeds, by step.
    package var randomSeeds: [String: UInt64]
    /// The version of Weir.
    package var version: String
    /// The command that the recipe names for reproducing it.
    package var command: String?
    /// The recipe, one line per step.
    package var recipe: String
  }

  package var title: String?
  package var note: String?
  package var steps: [Step]
  /// The accounts of all stages, in order.
  package var accounts: [Account]
  /// What the rules of each filter dropped.
  package var filters: [FilterReport]
  package var dataset: DatasetSummary?
  /// The tokenizer, as the recipe names it.
  package var tokenizer: String?
  /// The shape of a cluster tree that is reported by itself.
  package var tree: TreeSummary?
  /// The nodes of the cluster tree below the root, breadth first.
  package var clusters: [Cluster]
  package var mixture: Mixture?
  /// The row order that a trainer of another's reads: a path as the recipe names it.
  package var order: String?
  package var training: [Training]
  package var results: RunResults
  /// The share of the specialist seed's domain in the corpus and in the mixture; nil without labels.
  package var domainShare: DomainShare?
  package var machine: Machine
  package var provenance: Provenance
}

extension RunSummary {
  /// Reads a run's recipe, the states of its steps, and the dataset and the mixture that the recipe names.
  /// - Parameters:
  ///   - run: the run folder.
  ///   - version: the version of Weir.
  package init(run: String, version: String) throws {
    let reports = try StepReports(run: run)
    let about = reports.mapping("about")
    let data = reports.mapping("data")
    title = about["title"]
    note = about["note"]
    steps = reports.states.map { Step(name: $0.step.name, says: $0.step.says, seconds: $0.state.seconds, bytes: $0.state.bytes) }
    accounts = reports.states.flatMap { $0.state.accounts }
    filters = reports.filters
    training = reports.states.compactMap { step, state in
      reports.decode(RunReport.self, step: step.name).map {
        Training(name: step.name, parent: state.initialModel.flatMap(reports.maker), report: $0)
      }
    }
    results = RunResults(reports)
    machine = .current
    provenance = Provenance(
      fingerprints: reports.states.reduce(into: [:]) { all, entry in all.merge(entry.state.outputs) { $1 } },
      randomSeeds: reports.states.reduce(into: [:]) { all, entry in all[entry.step.name] = entry.state.randomSeed }, version: version,
      command: about["command"], recipe: reports.recipe.steps.map { "\($0.name): \($0.do)" }.joined(separator: "\n"))
    tokenizer = data["tokenizer"]
    let mixture = try reports.path("mixture").map { try Mixture.read(from: $0) }
    self.mixture = mixture
    order = try reports.path("order").flatMap { _ in data["order"]?.replacingOccurrences(of: "{run}", with: reports.recipe.run) }
    clusters = reports.decode(ClusterReport.self, step: data["clusters"]).map { Cluster.all(of: $0, mixture: mixture) } ?? []
    guard let dataset = try reports.path("dataset").map({ try TokenDataset($0) }) else { return }
    let contents = try DatasetContents(dataset)
    self.dataset = contents.summary
    domainShare = try mixture.flatMap { try DomainShare(of: $0, in: dataset, contents: contents, located: reports.located) }
  }
}

/// The computer that a report is made on.
package struct Machine: Sendable {
  /// The name of the processor, where the system tells.
  package var processor: String?
  package var cores: Int
  /// Memory in bytes.
  package var memory: Int
  /// The operating system.
  package var system: String

  package static var current: Machine {
    let text = (try? Files.read("/proc/cpuinfo")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    let process = ProcessInfo.processInfo
    return Machine(
      processor: line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }, cores: process.activeProcessorCount,
      memory: Int(clamping: process.physicalMemory), system: process.operatingSystemVersionString)
  }
}
