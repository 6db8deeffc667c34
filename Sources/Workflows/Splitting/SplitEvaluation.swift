import Foundation
import Pipeline
import Primitives
import Tokens
import Training

/// Evaluates a split: each held-out window goes to the branch of its domain.
package enum SplitEvaluation {
  /// - Parameters:
  ///   - folder: the split's folder.
  ///   - data: files of held-out documents.
  package static func run(_ folder: String, data: [String], threads: Int, progress: Pipeline.Progress = .silent) throws -> SplitReport {
    let file = try SplitFile.open(folder)
    let domains = try TreeDomains(dataset: file.dataset, tree: file.tree, level: file.level, threads: threads)
    guard domains.tree.fingerprint == file.treeFingerprint else {
      throw WeirError(file.tree, "is not the tree that the split was made with", remedy: "make the split again")
    }
    let sets = try domains.heldOutSets(data)
    func evaluator(_ model: String) throws -> Evaluator {
      try Evaluator(folder: folder + "/" + model, longest: Window.maximum, threads: threads)
    }
    let full = try file.full.map(evaluator)
    var rows: [SplitReport.Domain] = []
    var losses: [(split: Double, full: Double?, tokens: Int)] = []
    for (index, set) in sets.enumerated() {
      progress.update(Double(index), of: Double(sets.count), unit: "domains")
      guard let domain = (0..<domains.count).first(where: { domains.name($0) == set.name }) else { continue }
      let branch = try evaluator(file.branches[domain]).evaluate(set.documents)
      let general = try full?.evaluate(set.documents)
      losses.append((branch.loss, general?.loss, branch.tokens))
      rows.append(
        SplitReport.Domain(
          name: set.name, terms: file.terms[domain], windows: set.documents.count, tokens: branch.tokens,
          branchTokens: file.branchTokens[domain], full: general?.perplexity, split: branch.perplexity))
    }
    func mean(_ weight: ((split: Double, full: Double?, tokens: Int)) -> Double) -> [String: Double] {
      let sum = losses.reduce(0) { $0 + weight($1) }
      var result = ["split": exp(losses.reduce(0) { $0 + $1.split * weight($1) } / sum)]
      if full != nil { result["full"] = exp(losses.reduce(0) { $0 + ($1.full ?? 0) * weight($1) } / sum) }
      return result
    }
    return SplitReport(
      meanPerplexity: mean { _ in 1 }, tokenPerplexity: mean { Double($0.tokens) }, byDomain: rows, trunkTokens: file.trunkTokens,
      branchTokens: file.branchTokens, router: "nearest centroid")
  }
}
