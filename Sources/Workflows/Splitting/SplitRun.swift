import Pipeline
import Primitives
import Storage
import Tokens
import Training

/// Trains a split: a trunk on the whole dataset, one branch per domain, and a single-model baseline that continues the trunk for as many
/// tokens as all branches together. Parts that have finished are not trained again.
package enum SplitRun {
  package struct Result: Sendable {
    package var branches: Int
    /// The evaluation, if there are held-out documents.
    package var report: SplitReport?
  }

  package static func run(_ configuration: SplitConfiguration, threads: Int, progress: Progress = .silent) throws -> Result {
    try configuration.validate()
    let lock = try OutputLock(filling: configuration.output)
    defer { lock.release() }
    let domains = try TreeDomains(
      dataset: configuration.dataset, tree: configuration.tree, level: configuration.level, threads: threads)
    let tokens = try configuration.branches(domains.count)
    let rows = try DomainRows(
      dataset: configuration.dataset, tree: domains.tree, level: configuration.level, sequence: configuration.settings.sequence,
      progress: progress)
    let part = Part(configuration: configuration, domains: domains, rows: rows, threads: threads, progress: progress)
    let (trunk, trunkTokens, parent) = try part.trunk()
    let unique = rows.tokens
    var folders: [String] = []
    for domain in 0..<domains.count {
      guard unique[domain] > 0 else {
        throw WeirError(
          configuration.tree, "domain \(domain) has no windows in \(configuration.dataset)", remedy: "use a tree fitted on this dataset")
      }
      let name = "branch-\(domain)"
      folders.append(RunFolder(name).model)
      let source = try rows.batches(
        domain: domain, tokens: tokens[domain], continuing: parent, configuration.settings, progress: progress.phase(name))
      try part.train(name, tokens: tokens[domain], from: .folder(trunk), source: source)
    }
    if configuration.full {
      let sum = tokens.reduce(0, +)
      let source = try rows.batches(tokens: sum, continuing: parent, configuration.settings, progress: progress.phase("full"))
      try part.train("full", tokens: sum, from: .folder(trunk), source: source)
    }
    let terms = try ClusterContents.terms(
      dataset: domains.dataset, tree: domains.tree, level: configuration.level, progress: progress.phase("show"))
    var file = SplitFile(
      dataset: configuration.dataset, tree: configuration.tree, treeFingerprint: domains.tree.fingerprint, level: configuration.level,
      trunkTokens: trunkTokens, branchTokens: tokens, branches: folders, full: configuration.full ? RunFolder("full").model : nil,
      terms: terms)
    try file.write(in: configuration.output)
    let heldOut = configuration.settings.heldOut, progress = progress.phase("eval")
    guard !heldOut.isEmpty else { return Result(branches: domains.count) }
    file.evaluation = try SplitEvaluation.run(configuration.output, data: heldOut, threads: threads, progress: progress)
    try file.write(in: configuration.output)
    return Result(branches: domains.count, report: file.evaluation)
  }

  /// What the parts of a split have in common.
  private struct Part {
    let configuration: SplitConfiguration
    let domains: TreeDomains
    let rows: DomainRows
    let threads: Int
    let progress: Progress

    /// The trunk's model folder, the tokens that it was trained on as far as they are known, and its run.
    func trunk() throws -> (folder: String, tokens: Int, run: ParentRun?) {
      switch configuration.trunk {
      case .model(let path):
        let folder = try ModelFolder.locate(path)
        try ModelInitialization.folder(folder).check(dataset: domains.dataset, tokenizer: domains.tokenizer, place: path)
        let report = RunFolder(path).report
        return (
          folder, Files.exists(report) ? try JSONFile.read(TrainingReport.self, from: report).tokens : 0, try ParentRun(of: path)
        )
      case .scratch(let shape, let tokens):
        let model = try shape.configuration(vocabulary: domains.dataset.vocabulary, sequence: configuration.settings.sequence)
        try train("trunk", tokens: tokens, from: .scratch(model), source: rows.batches(tokens: tokens, configuration.settings))
        let run = configuration.output + "/trunk"
        return (RunFolder(run).model, tokens, try ParentRun(of: run))
      }
    }

    func train(_ name: String, tokens: Int, from initial: ModelInitialization, source: any BatchSource) throws {
      var training = configuration.settings.training
      training.tokens = tokens
      _ = try TrainingRun.run(
        configuration: training, initial: initial, source: source, folder: "\(configuration.output)/\(name)",
        tokenizer: domains.dataset.folder.tokenizer, endOfDocument: domains.dataset.endOfDocument, threads: threads,
        progress: progress.phase(name))
    }
  }
}
