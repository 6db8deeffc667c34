import Artifacts
import Clustering
import Foundation
import Pipeline
import Planning
import Primitives
import Storage
import Tokens
import Training
import Workflows

extension RunSummary {
  /// Reads whatever a report can be made of: a recipe run, a token dataset, a cluster tree, a mixture, training runs, a split, a sweep, measured
  /// runs, a fitted law, or an allocation.
  /// - Parameters:
  ///   - path: the file or folder; a folder of training runs, such as a sweep's, counts as well.
  ///   - dataset: the dataset of a cluster tree, for what is in its clusters.
  ///   - version: the version of Weir.
  package init(of path: String, dataset: String? = nil, version: String, progress: Pipeline.Progress = .silent) throws {
    if Files.exists(RecipeFolder(path).recipe) {
      self = try RunSummary(run: path, version: version)
      return
    }
    guard Files.exists(path) else { throw WeirError(path, "does not exist", remedy: "name a file or a folder written by weir") }
    self.init(path: path, version: version)
    if Files.isFolder(path) {
      try addFolder(path, dataset: dataset, progress)
    } else {
      try addFile(path)
    }
  }

  private init(path: String, version: String) {
    (steps, accounts, filters, clusters, training, results, machine) = ([], [], [], [], [], RunResults(), .current)
    provenance = Provenance(fingerprints: [:], randomSeeds: [:], version: version, command: nil, recipe: "")
    if let fingerprint = try? Fingerprint.of(path, registry: .all) { provenance.fingerprints[path] = fingerprint }
  }

  private mutating func addFolder(_ path: String, dataset: String?, _ progress: Pipeline.Progress) throws {
    // A damaged manifest has no type, and its own error says more.
    if Files.exists(path + "/" + Manifest.fileName) { _ = try Manifest.read(folder: path) }
    switch ArtifactRegistry.all.folderType(path) {
    case is TokenDataset.Type:
      title = "Token dataset \(path)"
      self.dataset = try DatasetContents(TokenDataset(path)).summary
    case is StoredTree.Type:
      title = "Cluster tree \(path)"
      try add(StoredTree(path), dataset: dataset, progress)
    default:
      try addRuns(path)
    }
  }

  private mutating func add(_ stored: StoredTree, dataset: String?, _ progress: Pipeline.Progress) throws {
    tree = TreeSummary(stored)
    guard let dataset else { return }
    let contents = try TokenDataset(dataset)
    clusters = Cluster.all(of: try ClusterContents.report(dataset: contents, tree: stored, progress: progress), mixture: nil)
    self.dataset = try DatasetContents(contents).summary
  }

  /// The run in a folder, or all runs below it.
  private mutating func addRuns(_ path: String) throws {
    let names = try Self.runs(below: path, depth: 3)
    guard !names.isEmpty else { throw Self.unknown(path) }
    let split = Files.exists(SplitFile.path(in: path)) ? try SplitFile.open(path) : nil
    let sweep = FinetuneSweep.path(in: path)
    if Files.exists(sweep) { results.sweep = try FinetuneSweep.open(sweep) }
    let kind = split != nil ? "Split" : results.sweep != nil ? "Finetune sweep" : names == [""] ? "Training run" : "Training runs in"
    title = "\(kind) \(path)"
    for name in names {
      let folder = name.isEmpty ? path : path + "/" + name
      let settings = try JSONFile.read(JSONValue.self, from: RunFolder(folder).description)
      let initial = settings["initial"]?.string ?? ""
      let shown = name.isEmpty ? path.split(separator: "/").last.map(String.init) ?? path : name
      var run = Training(name: shown, parent: Self.parent(of: initial), report: try RunReport(run: folder))
      (run.isFinished, run.settings) = (RunFolder(folder).isFinished, settings)
      training.append(run)
      if let seed = settings["configuration"]?["seed"]?.number { provenance.randomSeeds[shown] = UInt64(exactly: seed) }
    }
    guard let split else { return }
    results.split = split.evaluation ?? Self.evaluation(ofStep: path)
    note = "\(split.branches.count) branches of \(split.dataset), by level \(split.level) of \(split.tree)."
    if results.split == nil {
      note? += " There is no evaluation on held-out text; `weir split --valid FILE` adds it, and trains nothing again."
    }
  }

  /// The evaluation in the state of the recipe step that made a split in the folder of a recipe's run, by a version that did not store it in
  /// the split.
  private static func evaluation(ofStep split: String) -> SplitReport? {
    let parent = URL(fileURLWithPath: split).deletingLastPathComponent().path
    guard let reports = try? StepReports(run: parent), let file = try? Fingerprint.of(SplitFile.path(in: split), registry: .all) else {
      return nil
    }
    let step = reports.states.first { $0.state.outputs.values.contains(file) }?.step
    return reports.decode(SplitReport.self, step: step?.name)
  }

  /// What a run starts from: nil for random initialization.
  private static func parent(of initial: String) -> String? {
    initial == "scratch" || initial.isEmpty ? nil : initial.hasPrefix("checkpoint") ? "a checkpoint" : "another model"
  }

  /// The run folders below a folder, relative to it and in order; the folder itself is the empty name.
  private static func runs(below path: String, depth: Int) throws -> [String] {
    if RunFolder(path).exists { return [""] }
    guard depth > 0 else { return [] }
    return try Files.entries(of: path).sorted().flatMap { name -> [String] in
      guard Files.isFolder(path + "/" + name) else { return [] }
      return try runs(below: path + "/" + name, depth: depth - 1).map { $0.isEmpty ? name : name + "/" + $0 }
    }
  }

  private mutating func addFile(_ path: String) throws {
    switch try ArtifactRegistry.all.identify(path)?.type {
    case is Mixture.Type:
      let mixture = try Mixture.read(from: path)
      title = "Mixture \(path)"
      self.mixture = mixture
      clusters = Cluster.all(of: mixture)
    case is FinetuneSweep.Type:
      title = "Finetune sweep \(path)"
      results.sweep = try FinetuneSweep.open(path)
    case is FitReport.Type:
      title = "Scaling law \(path)"
      results.plan = Plan(fit: try FitReport.open(path))
    case is Allocation.Type:
      title = "Compute allocation \(path)"
      results.allocation = try Allocation.open(path)
    default:
      guard path.hasSuffix(".jsonl"), let runs = try? RunTable.read(path).runs else { throw Self.unknown(path) }
      title = "Measured runs \(path)"
      results.runs = runs
    }
  }

  private static func unknown(_ path: String) -> WeirError {
    WeirError(
      path, "is nothing that a report can be made of",
      remedy: "name a recipe run, a token dataset, a cluster tree, a mixture, a folder of training runs, a sweep, measured runs "
        + "(.jsonl), a fit or an allocation")
  }
}

/// The shape of a cluster tree.
package struct TreeSummary: Sendable {
  package struct Level: Sendable {
    package var nodes: Int
    package var leaves: Int
    /// The fewest and the most children of an inner node; nil without inner nodes.
    package var children: ClosedRange<Int>?
  }

  package var levels: [Level]
  package var dimensions: Int
  package var isSpherical: Bool
  package var embedder: String

  init(_ stored: StoredTree) {
    let tree = stored.tree
    (dimensions, isSpherical, embedder) = (tree.dimensions, tree.spherical, tree.embedder)
    levels = (0...tree.depth).map { level in
      let nodes = tree.nodes.filter { $0.level == level }
      let counts = nodes.map(\.childCount).filter { $0 > 0 }
      return Level(
        nodes: nodes.count, leaves: nodes.count - counts.count, children: counts.min().flatMap { low in counts.max().map { low...$0 } })
    }
  }
}
